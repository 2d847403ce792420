"""Requests that the vendor called invalid, held in quarantine until it is confirmed that they are the ones to blame.

A 400 may be about the question (too long, against a policy) or about everything that is sent (the wrong gateway, an
account with a limit whose message is not known). Only the first kind may be settled as rejected: that is for good, and
the same command would skip those pairs for ever. So a refusal is confirmed once a request that was sent after it came
back has been accepted (or one that was sent so much later that it cannot have overtaken it on the way). If instead all
requests that were sent one after the other are refused, the run stops, and what is in quarantine stays open.

In a batch there is no order of sending: a refusal is confirmed if something has ever been answered, and not too many
rows of the batch are refused with the same message. The next run confirms what it sees refused again.
"""

from bisect import bisect, insort
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Any

from reasrm.apis.api_reply import AttemptResult
from reasrm.distillation.ledger_entries import EarlierRuns
from reasrm.distillation.questions import CoalescedRequests

SUSPICIOUS_ROW = 20
"""So many requests in a row that are refused with the same message are not refused for their questions."""
SUSPICIOUS_ROW_OF_ANY_MESSAGE = 200
MOST_REORDERING_SECONDS = 0.5
"""Seconds between two sendings after which the first has arrived first."""
CONFIRMED_AT_THE_END = 3
"""So many refused last requests of a run are confirmed although nothing was sent after them."""
SUSPICIOUS_SHARE = 0.1
"""Of a batch's rows: if so many are refused with the same message, that is not for their questions."""


@dataclass(frozen=True, slots=True)
class RefusedRequest:
    """A request that was called invalid."""

    key: str
    detail: str
    """The vendor's message."""
    number: int
    """Its place in the order in which the run's requests were sent."""
    sent_at: float
    came_at: float
    """When it came back, on the same clock."""
    coalesced: CoalescedRequests

    def is_before(self, sent_at: float) -> bool:
        """Whether the vendor has refused it before it got what was sent at `sent_at`."""
        return sent_at > min(self.came_at, self.sent_at + MOST_REORDERING_SECONDS)


class Quarantine:
    """The refused requests of an online run."""

    def __init__(self, entries: Callable[[], Iterable[dict[str, Any]]]) -> None:
        """Start empty; `entries` gives those of the ledger, and is called at most once, when it matters."""
        self.held: list[RefusedRequest] = []
        self._entries = entries
        self._accepted: list[int] = []
        """Numbers of the accepted requests, in ascending order."""

    def hold(self, refused: RefusedRequest) -> None:
        """Hold `refused` until it is confirmed."""
        self.held.append(refused)

    def accepted(self, number: int, sent_at: float) -> list[RefusedRequest]:
        """The request `number`, sent at `sent_at`, was accepted; returns what that confirms, which is held no more."""
        insort(self._accepted, number)
        if not self.held:
            return []
        confirmed = [refused for refused in self.held if refused.is_before(sent_at)]
        if confirmed:
            self.held = [refused for refused in self.held if not refused.is_before(sent_at)]
        return confirmed

    def is_suspicious(self, in_flight: Iterable[int]) -> bool:
        """Whether the newest refusal ends the run: too many requests that were sent in a row have been refused.

        In the order of sending, not of coming back: a reply that took long, to a request from before the account ran
        dry, says nothing about those that were sent later. What earlier runs saw refused too is nothing new.

        Args:
            in_flight: the numbers of the requests that have not come back; each ends a row, since it may be accepted.
        """
        row = self._row(self.held[-1].number, in_flight)
        if not _is_suspicious(row):
            return False
        return _is_suspicious([refused for refused in row if refused.key not in self._earlier_runs.refused])

    def end(self) -> list[RefusedRequest]:
        """What is confirmed of a run that is over, though nothing was sent later.

        That is: a few beside others that were accepted, and what another run saw refused too, if the oracle has ever
        answered. The rest stays in `held`.
        """
        if self._accepted and len(self.held) <= CONFIRMED_AT_THE_END:
            confirmed = self.held
        else:
            earlier = self._earlier_runs
            confirmed = [refused for refused in self.held if earlier.answered and refused.key in earlier.refused]
        self.held = [refused for refused in self.held if refused not in confirmed]
        return confirmed

    def message(self) -> str:
        """What to say of what is held when the run stops for it."""
        detail, count = _commonest(refused.detail for refused in self.held)
        return _message(f"{len(self.held)} requests", count, detail)

    @cached_property
    def _earlier_runs(self) -> EarlierRuns:
        return EarlierRuns.read(self._entries(), [refused.key for refused in self.held])

    def _row(self, number: int, in_flight: Iterable[int]) -> list[RefusedRequest]:
        """The refused requests around `number` with none between them that was accepted or is in flight."""
        place = bisect(self._accepted, number)
        ends = [*self._accepted[max(0, place - 1) : place + 1], *in_flight]
        first = max((end for end in ends if end < number), default=-1)
        last = min((end for end in ends if end > number), default=inf)
        return [refused for refused in self.held if first < refused.number < last]


def unconfirmed_rows(
    refused: Mapping[str, AttemptResult], rows: int, entries: Iterable[dict[str, Any]]
) -> dict[str, AttemptResult]:
    """Those of `refused` (by key, out of a batch of `rows`) that may not be settled; `entries` are the ledger's."""
    if not refused:
        return {}
    earlier = EarlierRuns.read(entries, ())
    if not earlier.answered:
        return dict(refused)
    new = {key: attempt for key, attempt in refused.items() if key not in earlier.refused}
    alike = max(Counter(attempt.detail for attempt in new.values()).values(), default=0)
    return new if alike > max(CONFIRMED_AT_THE_END, SUSPICIOUS_SHARE * rows) else {}


def unconfirmed_rows_message(unconfirmed: Mapping[str, AttemptResult], rows: int) -> str:
    """What to say when a run stops for rows that are not confirmed."""
    detail, count = _commonest(attempt.detail for attempt in unconfirmed.values())
    return _message(f"{len(unconfirmed)} of a batch's {rows} requests", count, detail)


def _is_suspicious(row: list[RefusedRequest]) -> bool:
    if len(row) < SUSPICIOUS_ROW:
        return False
    alike = sum(refused.detail == row[-1].detail for refused in row)
    return alike >= SUSPICIOUS_ROW or len(row) >= SUSPICIOUS_ROW_OF_ANY_MESSAGE


def _commonest(details: Iterable[str]) -> tuple[str, int]:
    return Counter(details).most_common(1)[0]


def _message(which: str, count: int, detail: str) -> str:
    return (
        f"{which} were called invalid, {count} of them with the message {detail!r}; they are not settled but asked "
        f"again, since the address, the settings or the account may be what is wrong"
    )
