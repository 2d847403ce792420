"""What became of a stage in one run."""

from enum import IntEnum, StrEnum
from typing import NamedTuple

GOES_ON = "the same command goes on from there, after a stop for the budget with a larger one"
"""What to do after a stop."""


class Outcome(StrEnum):
    """How a stage ended, in the words that the terminal and Prefect's UI show."""

    CACHED = "Cached"
    """Nothing that it depends on changed."""
    RESTORED = "Restored"
    """It ran before with the same inputs: its outputs came from DVC's run cache."""
    COMPLETED = "Completed"
    """It ran."""
    FAILED = "Failed"
    STOPPED = "Stopped"
    """It stopped on purpose with everything kept (budget, outage, Ctrl-C); `GOES_ON` says what then."""
    SKIPPED = "Skipped"
    """A stage above it failed."""
    WAITING = "Waiting"
    """A stage above it stopped, so it was not its turn yet; nothing is wrong with it."""


class ExitCode(IntEnum):
    """What the exit status of `reasrm` says; the same numbers as the stages' own."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    STOPPED_RESUMABLE = 3
    BUSY = 4
    """Another run of the pipeline is alive in this checkout."""
    INTERRUPTED = 130


class StageRun(NamedTuple):
    """One stage's outcome."""

    outcome: Outcome
    seconds: float = 0.0
    """Wall time of the stage with DVC around it."""
    tail: str = ""
    """The last lines that it wrote, if it failed or stopped."""


class FlowError(RuntimeError):
    """The flow cannot start or go on; the message says what, where and the way out."""

    exit_code = ExitCode.FAILED


class UsageError(FlowError):
    """The command line names something that does not exist."""

    exit_code = ExitCode.USAGE


class BusyError(FlowError):
    """Another run is alive in this checkout."""

    exit_code = ExitCode.BUSY


def exit_code(runs: dict[str, StageRun]) -> ExitCode:
    """The exit status that a run with these outcomes deserves."""
    outcomes = {run.outcome for run in runs.values()}
    if Outcome.FAILED in outcomes:
        return ExitCode.FAILED
    return ExitCode.STOPPED_RESUMABLE if Outcome.STOPPED in outcomes else ExitCode.DONE
