"""The fake vendor's rate limits: token buckets that refill all the time, given in each vendor's own headers."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from reasrm.fake_vendor.settings import FakeVendorSettings


class ServerTokenBucket:
    """A token bucket: refills at `per_minute`, holds `burst_seconds` worth; may be overdrawn by what is billed late."""

    def __init__(self, per_minute: float, burst_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Start full; `clock` gives seconds."""
        self.per_minute = per_minute
        self.capacity = max(1.0, per_minute / 60 * burst_seconds)
        self._clock = clock
        self._level = self.capacity
        self._at = clock()

    @property
    def level(self) -> float:
        """What is in the bucket now; below zero if overdrawn."""
        now = self._clock()
        self._level = min(self.capacity, self._level + (now - self._at) * self.per_minute / 60)
        self._at = now
        return self._level

    def take(self, amount: float) -> None:
        """Take `amount` out, even below zero."""
        _ = self.level
        self._level -= amount

    def seconds_until(self, amount: float) -> float:
        """How long until `amount` (or a full bucket, if it is more) is there; 0 if it is there now."""
        missing = min(amount, self.capacity) - self.level
        return max(0.0, missing / (self.per_minute / 60))


@dataclass
class VendorLimits:
    """The three buckets of one vendor's account."""

    requests: ServerTokenBucket
    input_tokens: ServerTokenBucket
    output_tokens: ServerTokenBucket

    @classmethod
    def of(cls, settings: FakeVendorSettings) -> "VendorLimits":
        """Full buckets of the sizes that `settings` name."""
        burst = settings.burst_seconds
        return cls(
            requests=ServerTokenBucket(settings.requests_per_minute, burst),
            input_tokens=ServerTokenBucket(settings.input_tokens_per_minute, burst),
            output_tokens=ServerTokenBucket(settings.output_tokens_per_minute, burst),
        )

    def admit(self, tokens: int) -> float:
        """Take one request of `tokens` out; returns 0, or the seconds to wait if it is over a limit (nothing taken)."""
        wait = max(
            self.requests.seconds_until(1),
            self.input_tokens.seconds_until(tokens),
            self.output_tokens.seconds_until(1),
        )
        if wait > 0:
            return wait
        self.requests.take(1)
        self.input_tokens.take(tokens)
        return 0.0

    def anthropic_headers(self) -> dict[str, str]:
        """Limit, remaining and reset time of the three buckets, as Anthropic names them."""
        named = {"requests": self.requests, "input-tokens": self.input_tokens, "output-tokens": self.output_tokens}
        headers: dict[str, str] = {}
        for name, bucket in named.items():
            full = datetime.now(UTC) + timedelta(seconds=bucket.seconds_until(bucket.capacity))
            headers[f"anthropic-ratelimit-{name}-limit"] = str(int(bucket.per_minute))
            headers[f"anthropic-ratelimit-{name}-remaining"] = str(max(0, int(bucket.level)))
            headers[f"anthropic-ratelimit-{name}-reset"] = full.isoformat(timespec="milliseconds")
        return headers

    def openai_headers(self) -> dict[str, str]:
        """Limit, remaining and time to reset of requests and tokens, as OpenAI names them."""
        headers: dict[str, str] = {}
        for name, bucket in (("requests", self.requests), ("tokens", self.input_tokens)):
            headers[f"x-ratelimit-limit-{name}"] = str(int(bucket.per_minute))
            headers[f"x-ratelimit-remaining-{name}"] = str(max(0, int(bucket.level)))
            headers[f"x-ratelimit-reset-{name}"] = f"{math.ceil(bucket.seconds_until(bucket.capacity) * 1000)}ms"
        return headers
