"""Where paid replies and unfinished trainings are kept, by environment and by place of the checkout."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reasrm.runtime.kept_folders import ledger_file, ledgers_folder, resume_root
from reasrm.runtime.work_folder import live_curves, remove_resume_folder, resume_folder

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("REASRM_LEDGERS", "REASRM_WORK"):
        monkeypatch.delenv(variable, raising=False)


def test_a_checkout_keeps_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert ledger_file("relabel", paid=True) == Path("ledgers/relabel.jsonl")
    assert resume_root() == Path("work")


@pytest.mark.parametrize("place", ["standalone/tmp1", "tmp2", "tmp3/sub", "tmp4/work/improve/round-1"])
def test_an_experiment_keeps_paid_replies_in_its_project_and_free_ones_to_itself(tmp_path: Path, place: str) -> None:
    checkout = tmp_path / "mine/.dvc/tmp/exps" / place
    assert ledger_file("relabel", paid=True, checkout=checkout) == tmp_path / "mine/ledgers/relabel.jsonl"
    assert ledger_file("judge-x", paid=False, checkout=checkout) == checkout / "ledgers/judge-x.jsonl"


def test_what_only_looks_like_an_experiment_is_none(tmp_path: Path) -> None:
    for place in (".dvc/tmp/exps", "dvc/tmp/exps/t", ".dvc/tmp/t"):
        assert ledgers_folder(tmp_path / place) == tmp_path / place / "ledgers"


def test_the_environment_names_the_places_of_all_checkouts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REASRM_LEDGERS", str(tmp_path / "paid"))
    monkeypatch.setenv("REASRM_WORK", str(tmp_path / "kept"))
    experiment = tmp_path / "mine/.dvc/tmp/exps/tmp2"
    assert ledger_file("relabel", paid=True, checkout=experiment) == tmp_path / "paid/relabel.jsonl"
    assert ledger_file("judge-x", paid=False) == Path("ledgers/judge-x.jsonl")
    assert resume_root() == tmp_path / "kept"


@pytest.mark.parametrize("variable", ["REASRM_LEDGERS", "REASRM_WORK"])
def test_a_relative_path_is_refused_by_the_stage_and_by_run(variable: str) -> None:
    program = (
        "from reasrm.runtime.kept_folders import require_kept_folders as r; from pathlib import Path; "
        "from reasrm.runtime.stage_main import run_stage; run_stage('toy', lambda: str(r(Path())))"
    )
    environment = os.environ | {variable: "here", "PYTHONPATH": str(ROOT)}
    for command in (["-c", program], ["-m", "reasrm.cli", "run"]):
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert f"{variable} is 'here', a relative path" in done.stderr
        assert "Traceback" not in done.stderr


def test_two_checkouts_share_a_killed_training_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REASRM_WORK", str(tmp_path / "kept"))
    program = (
        "import sys; from reasrm.runtime.stage_main import run_stage\n"
        "from reasrm.runtime.work_folder import resume_folder\n"
        "def main():\n    print(resume_folder('sft', {'seed': 0}, []), flush=True); sys.stdin.read(); return 'end'\n"
        "run_stage('sft', main)"
    )

    def train(name: str) -> subprocess.Popen[str]:
        (tmp_path / name).mkdir(exist_ok=True)
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=tmp_path / name,
            env=environment,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            text=True,
        )

    first = train("one")
    assert first.stdout is not None
    folder = first.stdout.readline().strip()
    assert Path(folder).parent == tmp_path / "kept/sft"
    _, refused = (second := train("two")).communicate()
    assert second.returncode == 4
    assert f"another checkout trains `sft` with the same settings and inputs (process {first.pid}" in refused
    first.kill()
    first.communicate()
    said, _ = (third := train("two")).communicate()
    assert (third.returncode, said.splitlines()[0]) == (0, folder)


def test_live_curves_stay_in_the_checkout_and_end_with_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REASRM_WORK", str(tmp_path / "kept"))
    folder, other = resume_folder("sft", {"seed": 0}, []), resume_folder("sft", {"seed": 1}, [])
    curves = live_curves(folder)
    assert curves == Path("work/sft/curves")
    curves.mkdir(parents=True)
    remove_resume_folder(folder)
    assert not folder.exists()
    assert not Path("work/sft").exists()
    assert other.exists()
