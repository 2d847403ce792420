"""The frame around a stage's main: one run at a time, one-line errors, exit codes with a meaning."""

import errno
import os
import shutil
import sys
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from reasrm.runtime.terminal import guard_streams, message, say, say_error

ENVIRONMENT = {
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "GOMP_SPINCOUNT": "10000",
}
"""Environment of every stage: no surprise threads, no library reports its use to anybody, and threads of one operation
that wait for each other sleep soon. By their default they spin, and beside another busy program a training of two
threads then took a hundred times as long. Nothing that changes a result may stand here: no fingerprint sees it."""
INPUTS = "data/"
"""Where the stages read what other stages write."""
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""A full disk, a used-up quota, a file larger than this process may write."""
NOTHING_LOST = "nothing is lost, make room on the disk, then the same command goes on"
MEGABYTE = 1e6
FINGERPRINT_EXEMPT = "it frames a stage: locks, messages and exit codes"


class ExitCode(IntEnum):
    """What a stage's or command's exit status says."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    STOPPED_RESUMABLE = 3
    """Stopped on purpose with everything kept (budget, credit, outage): the same command goes on from there."""
    BUSY = 4
    """Another run of the same stage, or of the pipeline in this checkout, is alive."""
    KEPT = 6
    """`reasrm promote`: compared, and the champion stays. (5 is `reasrm judge`'s: judged, but without a verdict.)"""
    INTERRUPTED = 130
    """By Ctrl-C, as shells have it; what is kept is kept."""


class StageError(RuntimeError):
    """The stage cannot go on; the message says what, where, which value and what to do."""

    exit_code = ExitCode.FAILED


class StoppedResumable(StageError):  # noqa: N818  a stop is not an error
    """The stage stopped with everything kept; the same command resumes it."""

    exit_code = ExitCode.STOPPED_RESUMABLE


class Failure(NamedTuple):
    """How a stage that cannot go on ends."""

    reason: str
    """One line."""
    code: ExitCode


def run_stage(name: str, main: Callable[[], str]) -> None:
    """Run a stage's `main` and print the one summary line that it returns; exit non-zero with the reason otherwise.

    Errors of this project, missing or bad input, a full disk and Ctrl-C are reported in one line; anything else keeps
    its traceback, since it is a defect.
    """
    from reasrm.runtime.work_folder import only_run  # here: exit codes alone load nothing

    guard_streams()
    set_environment()
    try:
        with only_run(name):
            summary = main()
    except (Exception, KeyboardInterrupt) as error:
        failure = failure_of(error)
        if failure is None:
            raise
        say_error(name, failure.reason)
        sys.exit(int(failure.code))
    say(message(name, summary))


def set_environment() -> None:
    """Set what every stage's process has in its environment, unless the user chose otherwise."""
    for variable, value in ENVIRONMENT.items():
        os.environ.setdefault(variable, value)


def failure_of(error: BaseException) -> Failure | None:
    """The line and exit code of an `error` of this project, bad input, a full disk, or Ctrl-C; None for a defect."""
    from reasrm.records.ledger import LedgerBusyError
    from reasrm.runtime.work_folder import StageBusyError

    if isinstance(error, (StageBusyError, LedgerBusyError)):
        return Failure(str(error), ExitCode.BUSY)
    if isinstance(error, StageError):
        return Failure(str(error), error.exit_code)
    if isinstance(error, KeyboardInterrupt):
        return Failure("interrupted; the same command goes on from what is kept", ExitCode.INTERRUPTED)
    if isinstance(error, OSError) and (reason := _expected(error)):
        return Failure(reason, ExitCode.FAILED)
    if isinstance(error, ValueError) and type(error) is not ValueError:
        return Failure(str(error), ExitCode.FAILED)
    return None


def _expected(error: OSError) -> str:
    """What to say of an error that no code can prevent; empty for a defect."""
    if isinstance(error, FileNotFoundError) and str(error.filename).startswith(INPUTS):
        return f"{error.filename}: not there; `dvc repro` first makes what a stage reads"
    if error.errno in NO_ROOM:
        return f"{error}{room_left(Path(str(error.filename or '.')))}: {NOTHING_LOST}"
    return ""


def room_left(path: Path) -> str:
    """How much is free on the file system of `path`, to be put behind what says that there is no room."""
    place = next((one for one in (path.absolute(), *path.absolute().parents) if one.is_dir()), None)
    if place is None:
        return ""
    usage = shutil.disk_usage(place)
    return f" ({usage.free / MEGABYTE:.0f} of {usage.total / MEGABYTE:,.0f} MB are free in {place})"
