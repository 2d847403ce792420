"""The states of the oracle's ledger entries."""

from enum import StrEnum


class LedgerState(StrEnum):
    """States of ledger entries besides `final`."""

    SENT = "sent"
    """A request goes out, with what it may cost (`usd`): if nothing follows, it may have been billed unanswered."""
    FAILED = "failed"
    """An attempt came to nothing, with the kind of error."""
    BATCH_INTENT = "batch_intent"
    """A batch is about to be created, with its requests; the entry's key is the batch's own."""
    BATCH_CREATED = "batch_created"
    """The vendor has it, under this id."""
    BATCH_DONE = "batch_done"
    """Its results are booked, or there is nothing to be had of it any more."""
