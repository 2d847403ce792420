"""The states of the oracle's ledger entries."""

from enum import StrEnum


class LedgerState(StrEnum):
    """States of ledger entries besides `final`."""

    SENT = "sent"
    """A request goes out: if nothing follows, it may have been billed without an answer."""
    FAILED = "failed"
    """An attempt came to nothing, with the trouble."""
    BATCH_INTENT = "batch_intent"
    """A batch is about to be created; key is the hash of its requests."""
    BATCH_CREATED = "batch_created"
    BATCH_DONE = "batch_done"
