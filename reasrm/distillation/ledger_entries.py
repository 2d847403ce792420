"""What the oracle's ledger entries say about earlier runs: states, errors, and what may have been billed unanswered.

A request that was in flight at a kill stands in the ledger as sent, with nothing behind it; one whose reply was lost or
broken stands there as failed; a batch that was given up, or whose results were gone, says how many it held. All are an
upper bound of the bill: the vendor bills only what it finished.

The ledger is our own (`reasrm.records.ledger`): no library keeps replies append-only, safe against kill -9, keyed by
the hash of the exact request, with batches announced before they are created.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Self

from reasrm.apis.api_reply import AttemptResult
from reasrm.apis.error_classification import ErrorKind
from reasrm.records.ledger import FINAL


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
    """Its results are recorded, or there is nothing to be had of it any more."""


def failed_entry(attempt: AttemptResult) -> dict[str, Any]:
    """The `failed` entry of an attempt that came to nothing."""
    assert attempt.error_kind is not None
    return {"error_kind": attempt.error_kind.value, "detail": attempt.detail}


def error_kind_of(entry: dict[str, Any]) -> ErrorKind:
    """The kind of error in a `failed` entry; older ledgers call the field `trouble`."""
    return ErrorKind(entry["error_kind"] if "error_kind" in entry else entry["trouble"])


class PossiblyBilled(NamedTuple):
    """Upper bounds of what was billed without an answer."""

    attempts: int
    usd: float
    """What had been set aside for them; attempts whose price was not known count nothing."""


def possibly_billed(entries: Iterable[dict[str, Any]]) -> PossiblyBilled:
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
            if error_kind_of(entry).maybe_billed:
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
    return PossiblyBilled(count + len(in_flight), usd + sum(in_flight.values()))


@dataclass(frozen=True, slots=True)
class EarlierRuns:
    """What earlier runs with the same ledger have seen."""

    refused: frozenset[str]
    """Keys that were called invalid and stayed open."""
    answered: bool
    """Whether anything has ever been answered."""

    @classmethod
    def read(cls, entries: Iterable[dict[str, Any]], refused_now: Iterable[str]) -> Self:
        """Read a whole ledger; each key of `refused_now` was refused once by this run, which does not count."""
        refused: Counter[str] = Counter()
        answered = False
        for entry in entries:
            if entry["state"] == LedgerState.FAILED and error_kind_of(entry) is ErrorKind.INVALID:
                refused[entry["key"]] += 1
            elif entry["state"] == FINAL:
                refused.pop(entry["key"], None)
                answered = answered or any(entry["usage"].values()) or bool(entry.get("text"))
        refused.subtract(refused_now)
        return cls(frozenset(key for key, count in refused.items() if count > 0), answered)
