"""What the vendor may have billed without an answer reaching the ledger, over all runs that wrote it.

A request that was in flight at a kill stands in the ledger as sent, with nothing behind it; one whose reply was lost or
broken stands there as failed; a batch that was given up, or whose results were gone, says how many it held. All are an
upper bound: the vendor bills only what it finished.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from reasrm.apis.error_classification import ErrorKind
from reasrm.distillation.ledger_state import LedgerState
from reasrm.records.ledger import FINAL


class Unseen(NamedTuple):
    """Upper bounds of what was billed without an answer."""

    attempts: int
    usd: float
    """What had been set aside for them; attempts of ledgers that did not note it count nothing."""


def maybe_billed_unseen(entries: Iterable[dict[str, Any]]) -> Unseen:
    """Add up what among `entries` (a whole ledger, oldest first) may have been billed without an answer."""
    count, usd = 0, 0.0
    in_flight: dict[str, float] = {}
    usd_in_batch: dict[str, float] = {}
    for entry in entries:
        key, state = entry["key"], entry["state"]
        if state == LedgerState.SENT:
            count += key in in_flight
            usd += in_flight.get(key, 0.0)
            in_flight[key] = entry.get("usd", 0.0)
        elif state == LedgerState.FAILED:
            reserved = in_flight.pop(key, 0.0)
            if ErrorKind(entry["trouble"]).maybe_billed:
                count, usd = count + 1, usd + reserved
        elif state == FINAL:
            in_flight.pop(key, None)
        elif state == LedgerState.BATCH_INTENT:
            taken_over = in_flight.keys() & set(entry["keys"])
            count += len(taken_over)
            usd += sum(in_flight.pop(name) for name in taken_over)
            usd_in_batch[key] = entry.get("usd", 0.0) / len(entry["keys"])
        elif state == LedgerState.BATCH_DONE:
            count, usd = count + entry["unread"], usd + entry["unread"] * usd_in_batch.pop(key, 0.0)
    return Unseen(count + len(in_flight), usd + sum(in_flight.values()))
