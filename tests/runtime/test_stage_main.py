"""How a stage ends: its one line, its exit status, and a traceback where it is a defect."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def start(folder: Path, main: str) -> "subprocess.Popen[str]":
    program = (
        "import time\nfrom pathlib import Path\n"
        "from reasrm.runtime.params import ParamsError\n"
        "from reasrm.runtime.stage_main import StageError, StoppedResumable, run_stage\n"
        f"def main():\n    {main}\n"
        "run_stage('s', main)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", program], cwd=folder, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("main", "status", "said"),
    [
        ("return 'all well'", 0, "s: all well\n"),
        ("raise StageError('no pairs')", 1, "s: no pairs\n"),
        ("raise ParamsError('no section')", 1, "s: no section\n"),
        ("raise StoppedResumable('budget')", 3, "s: budget\n"),
        ("raise StageError('no\\nfile \\x1b[31m')", 1, "s: no file ⟦U+001B⟧[31m\n"),
        ("Path('/dev/full').write_text('x')", 1,
         "s: [Errno 28] No space left on device (N of N MB are free in FOLDER): nothing is lost, make room on the "
         "disk, then the same command goes on\n"),
        ("open('data/x.jsonl')", 1, "s: data/x.jsonl: not there; `dvc repro` first makes what a stage reads\n"),
    ],
)  # fmt: skip
def test_a_stage_says_one_line_and_its_status_says_how_it_ended(
    tmp_path: Path, main: str, status: int, said: str
) -> None:
    process = start(tmp_path, main)
    out, errors = process.communicate()
    printed = re.sub(r"[\d,]+ of [\d,]+ MB", "N of N MB", (out + errors).replace(str(tmp_path), "FOLDER"))
    assert (process.returncode, printed) == (status, said)


@pytest.mark.parametrize("main", ["raise ValueError('x')", "open('template.html')", "{}['x']"])
def test_a_defect_keeps_its_traceback(tmp_path: Path, main: str) -> None:
    process = start(tmp_path, main)
    assert "Traceback" in process.communicate()[1]
    assert process.returncode == 1


def test_ctrl_c_is_no_traceback_and_a_second_run_at_once_is_refused(tmp_path: Path) -> None:
    first = start(tmp_path, "Path('started').touch(); time.sleep(60)")
    while not (tmp_path / "started").exists():
        time.sleep(0.05)
    second = start(tmp_path, "return 'never'")
    assert "another run of `s` is alive" in second.communicate()[1]
    assert second.returncode == 4
    first.send_signal(signal.SIGINT)
    assert first.communicate()[1].startswith("s: interrupted; ")
    assert first.returncode == 130
