"""Outputs are whole or absent, and a stage runs once at a time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reasrm.runtime.outputs import new_folder, write_json
from reasrm.runtime.work_folder import StageBusyError, file_hash, only_run, resume_folder


def test_a_folder_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with pytest.raises(RuntimeError), new_folder(target) as folder:
        (folder / "half").write_text("x")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with new_folder(target) as folder:
        (folder / "whole").write_text("x")
        assert not target.exists()
    assert [file.name for file in target.iterdir()] == ["whole"]


def test_a_new_folder_replaces_the_old_one(tmp_path: Path) -> None:
    for name in ("old", "new"):
        with new_folder(tmp_path / "out") as folder:
            (folder / name).write_text("x")
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["new"]


def test_json_has_one_form_and_no_nan(tmp_path: Path) -> None:
    write_json(tmp_path / "x", {"b": 1, "a": "ü"})
    assert (tmp_path / "x").read_text() == '{\n "a": "ü",\n "b": 1\n}\n'
    write_json(tmp_path / "x", {"loss": float("nan"), "seen": [float("inf"), 1.5]})
    assert (tmp_path / "x").read_text() == '{\n "loss": null,\n "seen": [\n  null,\n  1.5\n ]\n}\n'


def test_a_full_disk_leaves_the_old_file_and_nothing_half_written(tmp_path: Path) -> None:
    """A process whose files may have 1,024 bytes meets the same error as one on a full disk."""
    (tmp_path / "x").write_text("old")
    program = (
        "from pathlib import Path\nfrom reasrm.runtime.outputs import write_json\nwrite_json(Path('x'), 'y' * 9999)"
    )
    limited = ["bash", "-c", 'ulimit -f 1; exec "$@"', "bash", sys.executable, "-c", program]
    env = os.environ | {"PYTHONPATH": str(Path.cwd()), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(limited, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert "OSError" in done.stderr
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("x", "old")]


def test_the_resume_folder_changes_with_every_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = Path("data")
    data.mkdir()
    (data / "a").write_text("1")
    first = resume_folder("sft", {"seed": 0}, [data])
    assert resume_folder("sft", {"seed": 0}, [data]) == first
    assert resume_folder("sft", {"seed": 1}, [data]) != first
    before = file_hash(data)
    (data / "a").rename(data / "b")
    assert file_hash(data) != before
    assert resume_folder("sft", {"seed": 0}, [data]) != first


def test_a_second_run_of_a_stage_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    hold = (
        "import sys\nfrom reasrm.runtime.work_folder import only_run\n"
        "with only_run('sft'):\n    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    env = os.environ | {"PYTHONPATH": str(Path.cwd())}
    first = subprocess.Popen(
        [sys.executable, "-c", hold], cwd=tmp_path, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert first.stdout is not None
    assert first.stdin is not None
    assert first.stdout.readline() == b"held\n"
    second = subprocess.run(
        [sys.executable, "-c", hold], cwd=tmp_path, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert second.returncode != 0
    assert StageBusyError.__name__ in second.stderr.decode()
    first.kill()
    first.wait()
    third = subprocess.run(
        [sys.executable, "-c", hold], cwd=tmp_path, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert third.stdout == b"held\n"


def test_only_run_lets_go_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        with only_run("sft"):
            pass
