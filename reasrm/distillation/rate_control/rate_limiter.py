"""How fast requests go out: as fast as the server's own limits allow, steered by what its headers say is left.

A lane is a schedule of one limit (requests, input tokens, output tokens): each request moves the lane's next free
moment on by its cost over the rate. The rate is the server's limit times a steering factor that grows with the share
that is left in the server's bucket, so that the bucket itself is the feedback: the lane settles where the share left is
`SETTLE_AT`, and its long-run rate is the limit itself.
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
"""Window over which the accepted rate is measured, for servers that tell no limits."""


class Lane:
    """The schedule of one limit."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start without a limit; `clock` gives seconds."""
        self._clock = clock
        self.per_second: float | None = None
        """The server's (or declared) limit; None while unknown: the lane then holds nobody up."""
        self._burst_seconds = 0.0
        self._most_left = 0.0
        self._steer = 1.0
        self._next = clock()

    def saw(self, bucket: RateLimit) -> None:
        """Learn limit (above zero) and remaining amount from the server's headers."""
        self.per_second = bucket.per_minute / 60
        self._most_left = max(self._most_left, bucket.remaining, 1.0)
        self._burst_seconds = self._most_left / self.per_second
        self._steer = 1 + STEERING * (bucket.remaining / self._most_left - SETTLE_AT)

    def rate(self, penalty: float) -> float | None:
        """Units per second at which the lane runs now."""
        return None if self.per_second is None else self.per_second * self._steer * penalty

    def seconds_until_free(self) -> float:
        """How long until the lane lets the next request pass."""
        return 0.0 if self.per_second is None else max(0.0, self._next - self._clock())

    def take(self, cost: float, penalty: float) -> None:
        """Book `cost` units (negative gives back what was booked too much)."""
        rate = self.rate(penalty)
        if rate is not None:
            self._next = max(self._next, self._clock() - CATCH_UP * self._burst_seconds) + cost / rate

    def drop_backlog(self) -> None:
        """Forget the right to catch up (after a pause that the server asked for)."""
        self._next = max(self._next, self._clock())


class Pacer:
    """All lanes of one account, and the pause that a 429 asks of everybody."""

    def __init__(self, declared_rpm: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with the declared limit if there is one; the server's headers overrule it."""
        self._clock = clock
        self._requests, self._input, self._output = Lane(clock), Lane(clock), Lane(clock)
        if declared_rpm is not None:
            self._requests.per_second = declared_rpm / 60
        self._told = False
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
        lanes = (self._requests, self._input, self._output)
        return max(self.paused_seconds, *(lane.seconds_until_free() for lane in lanes))

    def sent(self, input_tokens: float, output_tokens: float) -> None:
        """Book one request and its expected tokens."""
        penalty = self._penalty()
        self._requests.take(1, penalty)
        self._input.take(input_tokens, penalty)
        self._output.take(output_tokens, penalty)

    def settled(self, input_excess: float, output_excess: float) -> None:
        """Correct the booking of a request by what it cost more (or less) than expected."""
        penalty = self._penalty()
        self._input.take(input_excess, penalty)
        self._output.take(output_excess, penalty)

    def accepted(self) -> None:
        """Note that the server let a request in; only servers without headers need them counted."""
        self.pauses_in_a_row = 0
        if not self._told:
            now = self._clock()
            self._accepted.append(now)
            while self._accepted and self._accepted[0] < now - MEASURED_SECONDS:
                self._accepted.popleft()

    def saw(self, limits: RateLimitHeaders) -> None:
        """Learn from the headers of a response."""
        for lane, bucket in (
            (self._requests, limits.requests),
            (self._input, limits.input_tokens),
            (self._output, limits.output_tokens),
        ):
            if bucket is not None:
                self._told = True
                lane.saw(bucket)

    def limited(self, retry_after: float | None) -> None:
        """A 429 came: everybody pauses once, and the rate is cut once per pause."""
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
        for lane in (self._requests, self._input, self._output):
            lane.drop_backlog()

    def _shortest_pause(self) -> float:
        return float(min(LONGEST_BACKOFF, SHORTEST_PAUSE * 2 ** min(self.pauses_in_a_row, 10)))

    def _penalty(self) -> float:
        return min(1.0, self._cut * (1 + RECOVERY_PER_SECOND * (self._clock() - self._cut_at)))
