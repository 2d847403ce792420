"""What one run has done so far, shown live and in its summary, and the reasons for which a run stops early."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from reasrm.apis.api_reply import ApiReply, Usage
from reasrm.apis.error_classification import ErrorKind
from reasrm.records.trace import TraceOutcome


class StopReason(StrEnum):
    """Why a run stops before every question is settled. Everything is kept, the same command goes on from there."""

    BUDGET = "budget"
    NO_CREDIT = "no_credit"
    NOT_ALLOWED = "not_allowed"
    OUTAGE = "outage"
    ALL_INVALID = "all_invalid"
    """All requests are called invalid, from the first one on or from one on: the settings or the account are wrong."""
    RATE_LIMITED = "rate_limited"
    """The rate limit lets nothing through, however often it is waited for."""
    QUEUE_FULL = "queue_full"
    """The vendor takes no batch of this size while others of the account have not ended."""
    INTERRUPTED = "interrupted"


class RunStopped(Exception):  # noqa: N818  a stop is not an error
    """The run stops before every question is settled."""

    def __init__(self, reason: StopReason, detail: str) -> None:
        """Say why, with the vendor's own message if there is one."""
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass
class RunStatistics:
    """Counts of one run; nothing of it goes into a stage's output, which must not depend on how often it was tried."""

    clock: Callable[[], float] = time.monotonic
    outcomes: Counter[TraceOutcome] = field(default_factory=Counter)
    """Questions settled in this run, and their outcome."""
    errors: Counter[ErrorKind] = field(default_factory=Counter)
    attempts: int = 0
    replies: int = 0
    """Replies that were delivered, cut ones that were asked for again included."""
    usage: Usage = field(default_factory=Usage)
    usd: float = 0.0
    """Of the replies whose price is known."""
    unpriced: int = 0
    """Replies whose price is not known."""
    possibly_billed: int = 0
    """Attempts that may have been billed without an answer: an upper bound of what the vendor's bill shows more."""
    agreed: int = 0
    """Verdicts that name the better answer, among the ok ones."""
    seconds_in_flight: float = 0.0
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.clock()

    def delivered(self, answer: ApiReply, usd: float | None) -> None:
        """Count one reply that cost `usd`, or None if its price is not known."""
        self.replies += 1
        self.usage = self.usage + answer.usage
        self.usd += usd or 0.0
        self.unpriced += usd is None

    def failed(self, error_kind: ErrorKind) -> None:
        """Count one attempt that came to nothing."""
        self.errors[error_kind] += 1
        self.possibly_billed += error_kind.maybe_billed

    @property
    def mean_seconds(self) -> float:
        """Mean time in flight of an attempt."""
        return self.seconds_in_flight / self.attempts if self.attempts else 0.0

    @property
    def replies_per_second(self) -> float:
        """Since the run began."""
        return self.replies / max(1e-9, self.clock() - self.started)

    def summary(self) -> dict[str, Any]:
        """All figures, JSON-like; dollars are None if the price of a reply is not known."""
        mean_usd = self.usd / self.replies if self.replies else 0.0
        return {
            "outcomes": {str(outcome): count for outcome, count in sorted(self.outcomes.items())},
            "attempts": self.attempts,
            "replies": self.replies,
            "errors": {str(error_kind): count for error_kind, count in sorted(self.errors.items())},
            "input_tokens": self.usage.input_tokens,
            "output_tokens": self.usage.output_tokens,
            "cache_read_tokens": self.usage.cache_read_tokens,
            "cache_write_tokens": self.usage.cache_write_tokens,
            "usd": None if self.unpriced else round(self.usd, 6),
            "possibly_billed": self.possibly_billed,
            "possibly_billed_usd": None if self.unpriced else round(self.possibly_billed * mean_usd, 6),
            "agreed": self.agreed,
            "seconds": round(self.clock() - self.started, 3),
        }
