"""Requests that the vendor called invalid, held until it is known whether they are the ones to blame.

A 400 may be about the question (too long, against a policy) or about everything that is sent (the wrong gateway, an
account with a limit whose words nobody foresaw). Only the first kind may be settled as rejected: that is for good, and
the same command would skip those pairs for ever. So a refusal is believed once a request that was sent after it came
home has been accepted (or one that was sent so much later that it cannot have overtaken it on the way). If instead
refusal follows refusal, the run stops, and what is held stays open.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from reasrm.apis.error_classification import ErrorKind
from reasrm.distillation.coalesced_requests import Askers
from reasrm.distillation.ledger_state import LedgerState
from reasrm.records.ledger import FINAL

STRANGE = 20
"""So many refusals in the same words that come home in a row are not about the questions."""
STRANGE_IN_ANY_WORDS = 200
NOT_OVERTAKEN = 0.5
"""Seconds between two sendings after which the first has arrived first."""
BELIEVED_AT_THE_END = 3
"""So many refused last requests of a run are believed although nothing was sent after them."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that was called invalid."""

    key: str
    detail: str
    """The vendor's words."""
    sent_at: float
    came_at: float
    """When it came home, on the same clock."""
    askers: Askers

    def is_before(self, sent_at: float) -> bool:
        """Whether the vendor has refused it before it got what was sent at `sent_at`."""
        return sent_at > min(self.came_at, self.sent_at + NOT_OVERTAKEN)


@dataclass(frozen=True, slots=True)
class Earlier:
    """What earlier runs with the same ledger have seen."""

    refused: frozenset[str]
    """Keys that were called invalid and stayed open."""
    answered: bool
    """Whether anything has ever been answered."""

    @classmethod
    def read(cls, entries: Iterable[dict[str, Any]], refused_now: Iterable[str]) -> Self:
        """Read a whole ledger; `refused_now` was refused once by this run."""
        refused: Counter[str] = Counter()
        answered = False
        for entry in entries:
            if entry["state"] == LedgerState.FAILED and entry["trouble"] == ErrorKind.INVALID:
                refused[entry["key"]] += 1
            elif entry["state"] == FINAL:
                refused.pop(entry["key"], None)
                answered = answered or any(entry["usage"].values())
        refused.subtract(refused_now)
        return cls(frozenset(key for key, count in refused.items() if count > 0), answered)


class Suspense:
    """The held requests of a run."""

    def __init__(self, entries: Callable[[], Iterable[dict[str, Any]]]) -> None:
        """Hold nothing; `entries` gives those of the ledger, and is called at most once, when it matters."""
        self.held: list[Refused] = []
        self._row: list[Refused] = []
        """Those that came home since something accepted did."""
        self._entries = entries
        self._anything_accepted = False

    def hold(self, refused: Refused) -> None:
        """Hold `refused` until it is believed."""
        self.held.append(refused)
        self._row.append(refused)

    def accepted(self, sent_at: float) -> list[Refused]:
        """A request that was sent at `sent_at` was accepted; returns what is believed now and no longer held."""
        self._anything_accepted = True
        self._row.clear()
        if not self.held:
            return []
        believed = [refused for refused in self.held if refused.is_before(sent_at)]
        if believed:
            self.held = [refused for refused in self.held if not refused.is_before(sent_at)]
        return believed

    def is_strange(self) -> bool:
        """Whether so many came in a row that the run has to stop; what earlier runs were told too is nothing new."""
        if not _is_strange(self._row):
            return False
        return _is_strange([refused for refused in self._row if refused.key not in self._earlier.refused])

    def end(self) -> list[Refused]:
        """What is believed of a run that is over, though nothing was sent later.

        That is: a few beside a run that was accepted otherwise, and what another run was told too, if the oracle has
        ever answered. The rest stays in `held`.
        """
        if self._anything_accepted and len(self.held) <= BELIEVED_AT_THE_END:
            believed = self.held
        else:
            earlier = self._earlier
            believed = [refused for refused in self.held if earlier.answered and refused.key in earlier.refused]
        self.held = [refused for refused in self.held if refused not in believed]
        return believed

    def told(self) -> str:
        """What to say of what is held when the run stops for it."""
        words = Counter(refused.detail for refused in self.held)
        detail, count = words.most_common(1)[0]
        return (
            f"{len(self.held)} requests in a row were called invalid, {count} of them with the words {detail!r}; they "
            f"are not settled but asked again, since the address, the settings or the account may be what is wrong"
        )

    @cached_property
    def _earlier(self) -> Earlier:
        return Earlier.read(self._entries(), [refused.key for refused in self.held])


def _is_strange(row: list[Refused]) -> bool:
    if len(row) < STRANGE:
        return False
    alike = sum(refused.detail == row[-1].detail for refused in row)
    return alike >= STRANGE or len(row) >= STRANGE_IN_ANY_WORDS
