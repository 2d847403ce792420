"""Batches that are open while their requests are about to be asked by another way: nothing is paid for twice unsaid."""

from collections.abc import Callable, Iterable

from reasrm.distillation.batch.batch_ledger import BatchLedger
from reasrm.distillation.settings import ABANDON
from reasrm.records.ledger import Ledger
from reasrm.runtime.stage_main import ExitCode, StageError


class OpenBatchError(StageError):
    """What is to be asked online has been asked in a batch already."""

    exit_code = ExitCode.USAGE


def clear_the_way_online(
    ledger: Ledger, wanted: Iterable[str], say: Callable[[str], None], *, may_abandon: bool
) -> int:
    """Make sure that no open batch of `ledger` holds one of the keys in `wanted` (taken only if a batch is open).

    Returns:
        How many requests may be billed without an answer, since their batch was given up.

    Raises:
        OpenBatchError: a batch does, and may not be given up.
    """
    books = BatchLedger(ledger)
    if not books.open_batches():
        return 0
    if may_abandon:
        return abandon(books, wanted, say)
    for record, count in books.holding(wanted).items():
        raise OpenBatchError(
            f"{record} holds {count} of the requests that would now be asked online, and is paid for: "
            f"run with --batch (in params.yaml: mode: batch) to take its replies, after cancelling it at the vendor if "
            f"it takes too long; {ABANDON}"
        )
    return 0


def abandon(books: BatchLedger, wanted: Iterable[str], say: Callable[[str], None]) -> int:
    """Give up the open batches that hold keys in `wanted`; returns how many requests they hold."""
    given_up = books.holding(wanted)
    for record, count in given_up.items():
        books.done(record, unread=len(record.keys))
        say(f"gave up {record}: {count} of its requests are asked again, all may have been billed for nothing")
    return sum(len(record.keys) for record in given_up)
