"""The run's own books: what came back, what went wrong, what it cost. Shown live and in the summary."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from reasrm.apis.api_reply import ApiReply, Usage
from reasrm.apis.error_classification import ErrorKind
from reasrm.records.trace import TraceOutcome


@dataclass
class Accounts:
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
    maybe_billed: int = 0
    """Attempts that may have been billed without an answer: an upper bound of what the vendor's bill shows more."""
    agreed: int = 0
    """Verdicts that name the better answer, among the ok ones."""
    seconds_in_flight: float = 0.0
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.clock()

    def delivered(self, answer: ApiReply, usd: float) -> None:
        """Book one reply."""
        self.replies += 1
        self.usage = self.usage + answer.usage
        self.usd += usd

    def failed(self, error_kind: ErrorKind) -> None:
        """Book one attempt that came to nothing."""
        self.errors[error_kind] += 1
        self.maybe_billed += error_kind.maybe_billed

    @property
    def mean_seconds(self) -> float:
        """Mean time in flight of an attempt."""
        return self.seconds_in_flight / self.attempts if self.attempts else 0.0

    @property
    def replies_per_second(self) -> float:
        """Since the run began."""
        return self.replies / max(1e-9, self.clock() - self.started)

    def summary(self) -> dict[str, Any]:
        """All figures, JSON-like."""
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
            "usd": round(self.usd, 6),
            "maybe_billed_unseen": self.maybe_billed,
            "maybe_billed_unseen_usd": round(self.maybe_billed * mean_usd, 6),
            "agreed": self.agreed,
            "seconds": round(self.clock() - self.started, 3),
        }
