"""No git, no DVC, half a dvc.lock, a full disk, a damaged cache: one clear line each, and the way out works.

Run:     pytest -m slow tests/flows/running/test_faults_around_a_run.py        (a full disk needs the right to mount)
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.flows.toy_project import Reasrm, environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

Run = Callable[[Path], subprocess.CompletedProcess[str]]


def dvc(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dvc", *words]
    return subprocess.run(command, cwd=root, env=environment(), capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", ["status", "plan", "run"])
def test_without_git_both_ways_out_are_told_and_one_is_taken(toy: Path, reasrm: Reasrm, command: str) -> None:
    shutil.rmtree(toy / ".git")
    told = reasrm(command)
    assert told.returncode == 1
    assert len(told.stderr.splitlines()) == 1
    assert "is not a git repository: `git init` makes it one, or `dvc config core.no_scm true`" in told.stderr
    assert dvc(toy, "config", "core.no_scm", "true").returncode == 0
    assert reasrm("status").returncode == 0


def test_without_dvc_it_is_said_how_to_begin(toy: Path, reasrm: Reasrm) -> None:
    shutil.rmtree(toy / ".dvc")
    told = reasrm("status")
    assert (told.returncode, len(told.stderr.splitlines())) == (1, 1)
    assert "this folder has no .dvc/ yet: `git init && dvc init`, or without git `dvc init --no-scm`" in told.stderr


def test_half_a_lock_file_is_removed_and_everything_restored(toy: Path, reasrm: Reasrm) -> None:
    assert reasrm("run").returncode == 0
    (toy / "dvc.lock").write_text("")
    told = reasrm("run")
    assert (told.returncode, len(told.stderr.splitlines())) == (1, 1)
    assert "or remove it: what has run is then restored from the run cache" in told.stderr
    (toy / "dvc.lock").unlink()
    again = reasrm("run")
    assert again.returncode == 0
    assert "Completed" not in again.stdout


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.parametrize("size", [1_600_000, 3_600_000], ids=["the cache fills it", "the stage fills it"])
def test_a_full_disk_is_one_line_and_nothing_is_lost(toy: Path, small_disk: Path, tmp_path: Path, size: int) -> None:
    root = small_disk / "toy"
    shutil.copytree(toy, root, symlinks=True)
    stage = (root / "toy_stage.py").read_text()
    large = f'Path(out).write_text("x" * ({size} if name == "b-slow" else 9))'
    usual = 'Path(out).write_text(text + name + salt + "\\n")'
    assert usual in stage
    (root / "toy_stage.py").write_text(stage.replace(usual, large))
    command = [sys.executable, "-m", "reasrm.cli", "run"]
    surroundings = environment() | {"PREFECT_HOME": str(tmp_path / "prefect")}

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=root, env=surroundings, capture_output=True, text=True, check=False)

    full = run()
    assert full.returncode == 1
    told = [line for line in full.stdout.splitlines() if "MB are free in" in line]
    failed = [line for line in full.stdout.splitlines() if " Failed  " in line]
    assert len(told) == len(failed) > 0, full.stdout + full.stderr
    assert "nothing is lost, make room on the disk, then the same command goes on" in told[0]
    assert "a                      Completed" in full.stdout
    subprocess.run(["mount", "-o", "remount,size=24m", str(small_disk)], check=True)
    rest = run()
    assert rest.returncode == 0, rest.stdout + rest.stderr
    assert (root / "a.runs").read_text() == "ran\n", "what had run did not run again"
    assert (root / "out/b-slow").stat().st_size == size
