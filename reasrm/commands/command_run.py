"""The frame around a command that opens a judge: its errors in one line each, with the exit status that says which."""

import os
from collections.abc import Callable

from reasrm.runtime.stage_main import ExitCode
from reasrm.runtime.terminal import say_error


def run_command(who: str, work: Callable[[], int], *, on_stop: str, interrupted: Callable[[], str]) -> int:
    """Do `work` and return the exit status.

    Args:
        who: the command, as its messages begin.
        work: returns the exit status, or raises.
        on_stop: what is said behind the reason of a stop that the same command goes on from.
        interrupted: what is said at Ctrl-C, by what there is then.
    """
    from reasrm.records.jsonl import BadRecordError
    from reasrm.records.ledger import BrokenLedgerError, LedgerBusyError
    from reasrm.runtime.stage_main import StageError, StoppedResumable

    def failed(why: object, code: int) -> int:
        say_error(who, why)
        return int(code)

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        return work()
    except StoppedResumable as stop:
        return failed(f"{stop}{on_stop}", stop.exit_code)
    except StageError as error:
        return failed(error, error.exit_code)
    except LedgerBusyError as error:
        return failed(error, ExitCode.BUSY)
    except (BadRecordError, BrokenLedgerError, OSError) as error:
        return failed(error, ExitCode.FAILED)
    except KeyboardInterrupt:
        return failed(interrupted(), ExitCode.INTERRUPTED)
