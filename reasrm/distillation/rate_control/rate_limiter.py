"""The rate limiter: requests go out as fast as the server's own limits allow, steered by what its headers say is left.

Each limit (requests, input tokens, output tokens) has a token bucket, kept as a schedule: a request moves the bucket's
next free moment on by its cost over the rate. The rate is the server's limit times a steering factor that grows with
the share that is left in the server's own bucket, so that this bucket is the feedback: ours settles where the share
left is `SETTLE_AT`, and its long-run rate is the limit itself.

It is our own: aiolimiter and its like keep to a fixed rate and cannot be steered by headers or paused by a 429.
"""

import random
import time
from collections import deque
from collections.abc import Callable

from reasrm.apis.rate_limit_headers import RateLimit, RateLimitHeaders

SETTLE_AT = 0.35
"""Share of the server's bucket that is left in the steady state: room for late answers, little burst lost."""
STEERING = 0.25
"""Change of the rate per share of the bucket."""
CATCH_UP = 0.6
"""Share of the server's burst that may be made up for after a stall of ours."""
CUT = 0.9
"""What one 429 leaves of the rate."""
RECOVERY_PER_SECOND = 0.002
"""How fast a cut heals."""
DEFAULT_RETRY_AFTER = 5.0
"""Seconds to wait after a 429 that does not say how long."""
SHORTEST_PAUSE = 0.5
LONGEST_BACKOFF = 60.0
"""Seconds; a pause lasts as long as the server says, but at least the first of them, doubled with each pause in a row
that did not help, up to the second: some servers say `Retry-After: 0`, or a date that our clock has passed."""
MEASURED_SECONDS = 10.0
"""Window over which the accepted rate is measured, for servers that state no limits."""
FINGERPRINT_EXEMPT = "it only decides how long a request waits before it is sent"


class TokenBucket:
    """One limit, as the schedule of a token bucket."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start without a limit; `clock` gives seconds."""
        self._clock = clock
        self.per_second: float | None = None
        """The server's (or declared) limit; None while unknown: the bucket then delays no request."""
        self._burst_seconds = 0.0
        self._most_left = 0.0
        self._steer = 1.0
        self._next = clock()

    def observe(self, seen: RateLimit) -> None:
        """Learn limit (above zero) and remaining amount from the server's headers."""
        self.per_second = seen.per_minute / 60
        self._most_left = max(self._most_left, seen.remaining, 1.0)
        self._burst_seconds = self._most_left / self.per_second
        self._steer = 1 + STEERING * (seen.remaining / self._most_left - SETTLE_AT)

    def rate(self, penalty: float) -> float | None:
        """Units per second at which requests pass now."""
        return None if self.per_second is None else self.per_second * self._steer * penalty

    def seconds_until_free(self) -> float:
        """How long until the next request may pass."""
        return 0.0 if self.per_second is None else max(0.0, self._next - self._clock())

    def take(self, cost: float, penalty: float) -> None:
        """Take `cost` units (a negative cost gives back what was taken too much)."""
        rate = self.rate(penalty)
        if rate is not None:
            self._next = max(self._next, self._clock() - CATCH_UP * self._burst_seconds) + cost / rate

    def drop_backlog(self) -> None:
        """Forget the right to catch up (after a pause that the server asked for)."""
        self._next = max(self._next, self._clock())


class RateLimiter:
    """The token buckets of one account, and the pause that a 429 asks of all requests."""

    def __init__(self, declared_rpm: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with the declared limit if there is one; the server's headers overrule it."""
        self._clock = clock
        self._requests, self._input, self._output = TokenBucket(clock), TokenBucket(clock), TokenBucket(clock)
        self._buckets = (self._requests, self._input, self._output)
        if declared_rpm is not None:
            self._requests.per_second = declared_rpm / 60
        self._has_headers = False
        self._cut = 1.0
        self._cut_at = clock()
        self._paused_until = clock()
        self._accepted: deque[float] = deque()
        self.pauses_in_a_row = 0
        """Pauses since a request was last let in."""
        self._first_pause_at = clock()

    @property
    def limited_seconds(self) -> float:
        """For how long pauses have not helped."""
        return self._clock() - self._first_pause_at if self.pauses_in_a_row else 0.0

    @property
    def requests_per_second(self) -> float | None:
        """The limit of requests that is known; None if none is."""
        return self._requests.per_second

    @property
    def paused_seconds(self) -> float:
        """How long the pause after a 429 still lasts."""
        return max(0.0, self._paused_until - self._clock())

    def seconds_until_free(self) -> float:
        """How long the next request has to wait."""
        return max(self.paused_seconds, *(bucket.seconds_until_free() for bucket in self._buckets))

    def take(self, input_tokens: float, output_tokens: float) -> None:
        """Take one request and its expected tokens from the buckets."""
        penalty = self._penalty()
        self._requests.take(1, penalty)
        self._input.take(input_tokens, penalty)
        self._output.take(output_tokens, penalty)

    def settle(self, input_excess: float, output_excess: float) -> None:
        """Take (or give back) what a request cost more (or less) than expected."""
        penalty = self._penalty()
        self._input.take(input_excess, penalty)
        self._output.take(output_excess, penalty)

    def accepted(self) -> None:
        """Note that the server let a request in; only servers without headers need them counted."""
        self.pauses_in_a_row = 0
        if not self._has_headers:
            now = self._clock()
            self._accepted.append(now)
            while self._accepted and self._accepted[0] < now - MEASURED_SECONDS:
                self._accepted.popleft()

    def observe(self, limits: RateLimitHeaders) -> None:
        """Learn from the headers of a response."""
        seen = (limits.requests, limits.input_tokens, limits.output_tokens)
        for bucket, state in zip(self._buckets, seen, strict=True):
            if state is not None:
                self._has_headers = True
                bucket.observe(state)

    def rate_limited(self, retry_after: float | None) -> None:
        """A 429 came: all requests pause once, and the rate is cut once per pause."""
        if self.paused_seconds > 0:
            return
        now = self._clock()
        self._cut, self._cut_at = self._penalty() * CUT, now
        if self.pauses_in_a_row == 0:
            self._first_pause_at = now
        wait = max(self._shortest_pause(), DEFAULT_RETRY_AFTER if retry_after is None else retry_after)
        self.pauses_in_a_row += 1
        self._paused_until = now + wait * random.uniform(1.0, 1.1)
        if self._requests.per_second is None and len(self._accepted) > 1:
            self._requests.per_second = len(self._accepted) / max(0.1, now - self._accepted[0])
        for bucket in self._buckets:
            bucket.drop_backlog()

    def pause(self, seconds: float) -> None:
        """Let no request pass for so long: a server asks for it that fails, or asks for more than before."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    def _shortest_pause(self) -> float:
        return float(min(LONGEST_BACKOFF, SHORTEST_PAUSE * 2 ** min(self.pauses_in_a_row, 10)))

    def _penalty(self) -> float:
        return min(1.0, self._cut * (1 + RECOVERY_PER_SECOND * (self._clock() - self._cut_at)))
