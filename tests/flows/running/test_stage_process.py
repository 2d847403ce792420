"""What stages find in their environment, and what is said of one that did not end by itself."""

import sys
from pathlib import Path

import pytest

from flows.running.stage_outcome import StageOutcome
from flows.running.stage_process import BUDGET_VARIABLE, StageProcesses, run_stage, stage_environment


def test_stages_find_this_interpreter_their_gpus_and_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    environment = stage_environment(("2", "3"), 12.5)
    assert environment["PATH"].startswith(str(Path(sys.prefix, "bin")))
    assert environment["CUDA_VISIBLE_DEVICES"] == "2,3"
    assert environment[BUDGET_VARIABLE] == "12.5"
    assert environment["OMP_NUM_THREADS"] == "7"
    assert "PYTHONDONTWRITEBYTECODE" not in environment


def test_on_the_cpu_a_stage_has_one_thread_unless_the_user_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert stage_environment()["OMP_NUM_THREADS"] == "1"
    assert "OMP_NUM_THREADS" not in stage_environment(("0",))


@pytest.mark.slow
def test_a_killed_stage_is_not_taken_for_one_whose_last_line_says_why(toy: Path) -> None:
    (toy / "a.mode").write_text("killed")
    run = run_stage("a", toy, stage_environment(), StageProcesses(), lambda line: None)
    assert run.outcome is StageOutcome.FAILED
    first, *shells_own, last = run.tail.splitlines()
    assert first == "a: step 3 of 9"
    assert shells_own in ([], ["Killed"])  # said by shells that start the stage as a child, not by those that become it
    assert "signal 9 (SIGKILL)" in last
    assert "memory" in last
    (toy / "a.mode").write_text("fail")
    assert "signal" not in run_stage("a", toy, stage_environment(), StageProcesses(), lambda line: None).tail


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "said"), [("stop", "the budget is spent"), ("busy", "another run writes")])
def test_a_stage_that_stopped_or_that_another_process_keeps_from_running_has_not_failed(
    toy: Path, mode: str, said: str
) -> None:
    (toy / "a.mode").write_text(mode)
    run = run_stage("a", toy, stage_environment(), StageProcesses(), lambda line: None)
    assert (run.outcome, run.tail) == (StageOutcome.STOPPED, f"a: {said}")
