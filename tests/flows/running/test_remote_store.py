"""What one clone has made another takes from the remote and does not run, whatever dvc.lock it has."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flows.running.reproduce import NOT_KEPT
from reasrm.runtime.stage_main import ExitCode
from reasrm.runtime.yaml_files import read_yaml, write_yaml
from tests.flows.toy_project import become_clone, environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ALL = ["a", "b@slow", "b@fast", "c", "d"]


def run(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reasrm.cli", "run", *words]
    return subprocess.run(command, cwd=root, env=environment(), capture_output=True, text=True, check=False)


def outcomes(root: Path) -> dict[str, str]:
    return {name: row["outcome"] for name, row in json.loads((root / "work/runs/last.json").read_text()).items()}


def have_run(root: Path) -> list[str]:
    return sorted(path.stem for path in root.glob("*.runs"))


def commit(root: Path) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    for words in (["add", "-A"], [*identity, "commit", "-q", "-m", "lock"]):
        subprocess.run(["git", *words], cwd=root, check=True)


def clone(root: Path, name: str) -> Path:
    """Another checkout of the same commit: no cache, no outputs."""
    other = root.with_name(name)
    subprocess.run(["git", "clone", "-q", str(root), str(other)], check=True)
    become_clone(other)
    return other


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    (tmp_path / "store").mkdir()
    return tmp_path / "store"


@pytest.fixture
def first(toy: Path, remote: Path) -> Path:
    """A project that has run everything and handed it over, its dvc.lock committed."""
    (toy / ".gitignore").write_text("/out/\nwork/\n.prefect/\nflows\n*.runs\n*.salt\n")
    command = [sys.executable, "-m", "dvc", "remote", "add", "-q", "-d", "store", str(remote)]
    subprocess.run(command, cwd=toy, env=environment(), check=True)
    done = run(toy, "--push")
    assert done.returncode == 0, done.stdout + done.stderr
    assert outcomes(toy) == dict.fromkeys(ALL, "Completed")
    commit(toy)
    return toy


def lose(lock: Path, *stages: str) -> None:
    """Let entries name outputs that nobody has, as another processor would have made them; of their readers, too."""
    document = read_yaml(lock)
    lost = {out["path"]: out["md5"] for stage in stages for out in document["stages"][stage]["outs"]}
    text = lock.read_text()
    for md5 in lost.values():
        text = text.replace(md5, "abcdef" + md5[6:])
    lock.write_text(text)


@pytest.mark.parametrize("state", ["committed", "absent", "lost outputs", "older"])
def test_an_empty_clone_runs_nothing(first: Path, state: str) -> None:
    wanted = (first / "dvc.lock").read_bytes()
    other = clone(first, "other")
    if state == "absent":
        (other / "dvc.lock").unlink()
    elif state == "lost outputs":
        lose(other / "dvc.lock", "a", "b@fast", "c")
    elif state == "older":
        document = read_yaml(other / "dvc.lock")
        document["stages"]["a"]["params"]["params.yaml"]["a"]["word"] = "y"
        del document["stages"]["d"]
        write_yaml(other / "dvc.lock", document)
    done = run(other)
    assert done.returncode == 0, done.stdout + done.stderr
    assert outcomes(other) == dict.fromkeys(ALL, "Restored")
    assert have_run(other) == []
    assert (other / "dvc.lock").read_bytes() == wanted
    assert (other / "out/c").read_bytes() == (first / "out/c").read_bytes()


def test_what_is_nowhere_runs_and_nothing_else(first: Path, remote: Path) -> None:
    """The output of `b@fast` is lost in the remote: `b@fast` runs; what read it is there and is restored."""
    (md5,) = (out["md5"] for out in read_yaml(first / "dvc.lock")["stages"]["b@fast"]["outs"])
    (remote / "files/md5" / md5[:2] / md5[2:]).unlink()
    other = clone(first, "other")
    assert run(other).returncode == 0
    assert have_run(other) == ["b-fast"]
    assert outcomes(other) == dict.fromkeys(ALL, "Restored") | {"b@fast": "Completed"}


def test_without_a_remote_the_run_cache_is_asked_too(toy: Path) -> None:
    """The outputs that dvc.lock names are gone from the cache, those of an equal run are not."""
    assert run(toy).returncode == 0
    wanted = (toy / "dvc.lock").read_bytes()
    lose(toy / "dvc.lock", "d")
    (toy / "out/d").unlink()
    assert run(toy).returncode == 0
    assert outcomes(toy)["d"] == "Restored"
    assert (toy / "dvc.lock").read_bytes() == wanted


def test_a_download_that_fails_is_no_reason_to_run(first: Path, remote: Path) -> None:
    (md5,) = (out["md5"] for out in read_yaml(first / "dvc.lock")["stages"]["b@fast"]["outs"])
    damaged = remote / "files/md5" / md5[:2] / md5[2:]
    damaged.unlink()
    damaged.mkdir()
    other = clone(first, "other")
    done = run(other)
    assert done.returncode == ExitCode.FAILED
    assert outcomes(other)["b@fast"] == "Failed"
    assert f"IsADirectoryError: [Errno 21] Is a directory: '{damaged}'" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert have_run(other) == []


def test_a_remote_that_cannot_be_read_is_refused_before_anything_runs(first: Path, remote: Path) -> None:
    other = clone(first, "other")
    remote.rename(remote.with_name("unmounted"))
    done = run(other)
    assert done.returncode == ExitCode.FAILED
    assert f"is the folder {remote}, which is not there" in done.stderr
    assert "--no-pull" in done.stderr
    assert have_run(other) == []
    assert run(other, "--no-pull", "--to", "a").returncode == 0
    assert have_run(other) == ["a"]


def test_what_could_not_be_handed_over_fails_the_run_until_it_is(first: Path, remote: Path) -> None:
    """The remote is a file in place of a folder for a while; the stages themselves are kept."""
    params = read_yaml(first / "params.yaml")
    params["b_variants"]["fast"]["seconds"] = 0.2
    write_yaml(first / "params.yaml", params)
    aside = remote.rename(remote.with_name("aside"))
    remote.write_text("in the way")
    done = run(first, "--no-pull", "--push")
    assert done.returncode == ExitCode.FAILED
    assert "Not all is in the remote" in done.stdout
    assert outcomes(first)["b@fast"] == "Completed"
    remote.unlink()
    aside.rename(remote)
    assert run(first, "--push").returncode == 0
    assert set(outcomes(first).values()) == {"Cached"}
    commit(first)
    other = clone(first, "other")
    assert run(other).returncode == 0
    assert have_run(other) == []


def test_only_new_entries_of_the_run_cache_are_copied(first: Path, remote: Path) -> None:
    entries = {path: path.stat().st_mtime_ns for path in (remote / "runs").rglob("*") if path.is_file()}
    assert len(entries) == len(ALL)
    params = read_yaml(first / "params.yaml")
    params["a"]["word"] = "y"
    write_yaml(first / "params.yaml", params)
    assert run(first, "--push").returncode == 0
    after = {path: path.stat().st_mtime_ns for path in (remote / "runs").rglob("*") if path.is_file()}
    assert after.items() > entries.items()
    shutil.rmtree(first / ".dvc/cache")
    assert re.search(r"b@slow +Restored", run(clone(first, "other")).stdout)


def test_an_entry_whose_outputs_nobody_pushed_hides_no_other(first: Path) -> None:
    """`b@fast` ran once more here, to other bytes, and was not handed over; what the remote has still counts."""
    (first / "b-fast.salt").write_text(" salt")
    assert run(first, "--force", "b@fast", "--to", "b@fast").returncode == 0
    assert "salt" in (first / "out/b-fast").read_text()
    assert run(first, "--push", "--to", "a", "--force", "a").returncode == 0
    other = clone(first, "other")
    (other / "dvc.lock").unlink()
    assert run(other).returncode == 0
    assert have_run(other) == []
    assert (other / "out/b-fast").read_text() == "start\na\nb-fast\n"


def test_a_stage_that_reads_nothing_is_handed_over_without_an_entry(first: Path) -> None:
    """DVC keeps no entry of the run cache for it: dvc.lock leads to its outputs."""
    document = read_yaml(first / "dvc.yaml")
    document["stages"]["e"] = {"cmd": "mkdir -p out && echo e > out/e", "outs": ["out/e"]}
    write_yaml(first / "dvc.yaml", document)
    done = run(first, "--push")
    assert done.returncode == 0, done.stdout
    commit(first)
    other = clone(first, "other")
    assert run(other).returncode == 0
    assert set(outcomes(other).values()) == {"Restored"}


def test_outputs_stay_until_something_takes_their_place(first: Path) -> None:
    """Of settings that nobody has run nothing is kept: looking for it costs the present outputs nothing."""
    params = read_yaml(first / "params.yaml")
    params["a"]["word"] = "y"
    write_yaml(first / "params.yaml", params)
    before = (first / "dvc.lock").read_bytes()
    command = [sys.executable, "-m", "flows.running.reproduce", "--only-restore", "--pull", "a"]
    looked = subprocess.run(command, cwd=first, env=environment(), check=False, capture_output=True, text=True)
    assert looked.returncode == NOT_KEPT, looked.stderr
    plan = [sys.executable, "-m", "reasrm.cli", "plan"]
    said = subprocess.run(plan, cwd=first, env=environment(), check=True, capture_output=True, text=True).stdout
    assert "What DVC's remote or run cache holds of this is restored" in said
    assert (first / "out/a").read_text() == "start\na\n"
    assert (first / "dvc.lock").read_bytes() == before
    params["a"]["word"] = "x"
    write_yaml(first / "params.yaml", params)
    (first / "out/a").write_text("edited\n")
    assert subprocess.run(command, cwd=first, env=environment(), check=False).returncode == 0
    assert (first / "out/a").read_text() == "start\na\n"


def test_nothing_runs_that_could_not_be_handed_over(toy: Path) -> None:
    done = run(toy, "--push")
    assert done.returncode == ExitCode.USAGE
    assert "--push needs a default remote of DVC" in done.stderr
    assert have_run(toy) == []
