"""What the vendor may have billed without an answer reaching the ledger, over all runs that wrote it.

A request that was in flight at a kill stands in the ledger as sent, with nothing behind it; one whose reply was lost or
broken stands there as failed; a batch that was given up, or whose results were gone, says how many it held. All are an
upper bound: the vendor bills only what it finished.
"""

from collections.abc import Iterable
from typing import Any

from stages.oracle.attempt import Trouble
from stages.oracle.ledger_state import LedgerState
from stages.records.ledger import FINAL


def maybe_billed_unseen(entries: Iterable[dict[str, Any]]) -> int:
    """Count the attempts among `entries` (a whole ledger, oldest first) that may have been billed without an answer."""
    count = 0
    in_flight: set[str] = set()
    for entry in entries:
        key, state = entry["key"], entry["state"]
        if state == LedgerState.SENT:
            count += key in in_flight
            in_flight.add(key)
        elif state == LedgerState.FAILED:
            in_flight.discard(key)
            count += Trouble(entry["trouble"]).maybe_billed
        elif state == FINAL:
            in_flight.discard(key)
        elif state == LedgerState.BATCH_INTENT:
            taken_over = in_flight.intersection(entry["keys"])
            count += len(taken_over)
            in_flight -= taken_over
        elif state == LedgerState.BATCH_DONE:
            count += entry["unread"]
    return count + len(in_flight)
