"""What a worker's clone refuses, and what it does with a stage of its own commit, settings and inputs."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from flows.dvc_graph import read_pipeline
from flows.running.stage_outcome import FlowError, StageOutcome
from flows.running.stage_process import StageProcesses
from flows.workers.stage_flow import carry_out
from flows.workers.stage_request import StageRequest, stage_request
from tests.flows.processes import survivors
from tests.flows.toy_project import become_clone, environment
from tests.flows.workers.fleet import IDENTITY, git

pytestmark = pytest.mark.slow


@pytest.fixture
def clone(toy: Path, tmp_path: Path) -> Path:
    """A clone of a project that has handed stage `a` over."""
    (tmp_path / "store").mkdir()
    (toy / ".gitignore").write_text("/out/\nwork/\n.prefect/\nflows\n*.runs\n")
    git(toy, "add", "-A")
    git(toy, *IDENTITY, "commit", "-q", "-m", "before")
    for command in (
        ["dvc", "remote", "add", "-q", "-d", "store", str(tmp_path / "store")],
        ["reasrm.cli", "run", "--to", "a", "--push"],
    ):
        subprocess.run([sys.executable, "-m", *command], cwd=toy, env=environment(), check=True, capture_output=True)
    git(toy, "add", "-A")
    git(toy, *IDENTITY, "commit", "-q", "-m", "pipeline")
    git(tmp_path, "clone", "-q", str(toy), "clone")
    become_clone(tmp_path / "clone")
    return tmp_path / "clone"


def requested(toy: Path) -> StageRequest:
    return stage_request(toy, read_pipeline(toy), "b@fast", force=False, gpus_per_stage=1, budget_usd=None)


def refusal(clone: Path, request: StageRequest) -> str:
    with pytest.raises(FlowError) as refused:
        carry_out(clone, request, StageProcesses(), lambda line: None)
    assert not (clone / "out/b-fast").exists()
    return str(refused.value)


def test_a_clone_of_something_else_refuses_and_one_of_the_same_makes_it(toy: Path, clone: Path) -> None:
    request = requested(toy)
    params = (clone / "params.yaml").read_text()
    (clone / "params.yaml").write_text("")
    assert "params.yaml of this worker's clone" in refusal(clone, request)
    (clone / "params.yaml").write_text(params)
    git(clone, "reset", "-q", "--hard", "HEAD~1")
    assert "is at commit" in refusal(clone, request)
    git(clone, "reset", "-q", "--hard", "origin/HEAD")
    (clone / "a.in").write_text("something else\n")
    assert "cannot have all that the stage needs (a)" in refusal(clone, request)
    git(clone, "checkout", "-q", ".")
    lines: list[str] = []
    assert carry_out(clone, request, StageProcesses(), lines.append).outcome is StageOutcome.COMPLETED
    assert lines == ["b-fast: wrote out/b-fast"]
    take = [sys.executable, "-m", "flows.running.reproduce", "--only-restore", "--pull", "b@fast"]
    subprocess.run(take, cwd=toy, env=environment(), check=True)
    assert (toy / "out/b-fast").read_bytes() == (clone / "out/b-fast").read_bytes()


def test_what_was_done_is_told_although_it_is_being_ended(toy: Path, clone: Path) -> None:
    """Cancelled while the stage runs: it has stopped, and is not said to have never begun."""
    (clone / "b-fast.mode").write_text("hang")
    processes = StageProcesses()

    def end_once_it_runs() -> None:
        while not (clone / "b-fast.pids").exists():
            time.sleep(0.05)
        processes.end_all()

    threading.Thread(target=end_once_it_runs, daemon=True).start()
    done = carry_out(clone, requested(toy), processes, lambda line: None)
    assert done.outcome is StageOutcome.STOPPED
    assert survivors([int(process) for process in (clone / "b-fast.pids").read_text().split()], 30) == []
