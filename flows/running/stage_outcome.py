"""What became of a stage in one run, what that makes of the run, and the errors of `reasrm`'s pipeline commands."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from reasrm.runtime.stage_main import ExitCode

RESUME_HINT = "the same command goes on from there, after a stop for the budget with a larger one"
"""What to do after a stop."""


class StageOutcome(StrEnum):
    """How a stage ended, as the terminal and Prefect's UI show it."""

    CACHED = "Cached"
    """Nothing that it depends on changed."""
    RESTORED = "Restored"
    """It ran before with the same inputs: its outputs came from DVC's run cache."""
    COMPLETED = "Completed"
    """It ran."""
    FAILED = "Failed"
    STOPPED = "Stopped"
    """It stopped with everything kept (budget, outage, Ctrl-C, a ledger in use); `RESUME_HINT` says what then."""
    SKIPPED = "Skipped"
    """A stage above it failed."""
    WAITING = "Waiting"
    """It did not start: a stage above it stopped, or the run was ended. Nothing is wrong with it."""


UP_TO_DATE = frozenset({StageOutcome.CACHED, StageOutcome.RESTORED, StageOutcome.COMPLETED})
"""The outcomes after which the stages below may run."""


class StageRun(NamedTuple):
    """One stage in one run."""

    outcome: StageOutcome
    seconds: float = 0.0
    """Wall time of the stage with DVC around it."""
    tail: str = ""
    """The last lines that it wrote, if it failed or stopped; the stage above, if that is why it did not start."""


UNTOUCHED = StageRun(StageOutcome.CACHED)
"""A stage that was not even looked at by its process: nothing above it changed."""


class FlowError(RuntimeError):
    """The flow cannot start or go on; the message says what, where and the way out."""

    exit_code = ExitCode.FAILED


class PipelineError(FlowError):
    """dvc.yaml with params.yaml makes no pipeline."""


class UsageError(FlowError):
    """The command line names something that does not exist."""

    exit_code = ExitCode.USAGE


class BusyError(FlowError):
    """Another run is alive in this checkout."""

    exit_code = ExitCode.BUSY


def exit_code(runs: Iterable[StageRun]) -> ExitCode:
    """The exit status that a run with these stages deserves."""
    outcomes = {run.outcome for run in runs}
    if StageOutcome.FAILED in outcomes:
        return ExitCode.FAILED
    return ExitCode.STOPPED_RESUMABLE if StageOutcome.STOPPED in outcomes else ExitCode.DONE


def run_below(parents: Iterable[tuple[str, StageRun]]) -> StageRun | None:
    """What becomes of a stage that cannot run because of its parents; None if they are all up to date.

    Args:
        parents: the stages that it needs, each with what became of it.
    """
    held_up: StageRun | None = None
    for parent, run in parents:
        if run.outcome in UP_TO_DATE:
            continue
        cause = run.tail if run.outcome in {StageOutcome.SKIPPED, StageOutcome.WAITING} else f"below {parent}"
        if run.outcome in {StageOutcome.FAILED, StageOutcome.SKIPPED}:
            return StageRun(StageOutcome.SKIPPED, tail=cause)
        held_up = StageRun(StageOutcome.WAITING, tail=cause)
    return held_up
