"""The circuit breaker: when the server is down, single probes find out whether it is back, instead of all requests.

It is our own: purgatory, the asyncio library for it, has been idle since 2024, and none judges an outcome by the time
at which its request was sent, which late answers from before an outage make necessary.
"""

import time
from collections import deque
from collections.abc import Callable
from enum import StrEnum

TRIPS_AFTER = 10
"""So many failures of the server in a row open the breaker. At 6 % of passing faults that is one in 10^12 by chance."""
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
"""Seconds between probes: doubled from the first to the longest."""
SHARE_OF_LAST = 200
"""Attempts over which the share of failures is taken; more than half of them must not fail for long."""


class BreakerState(StrEnum):
    """Whether requests pass."""

    CLOSED = "closed"
    """All pass."""
    OPEN = "open"
    """None passes until the pause is over."""
    HALF_OPEN = "half_open"
    """One, the probe, is in flight; its outcome decides."""


class CircuitBreaker:
    """Shared by all requests of a run."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start closed; `clock` gives seconds."""
        self._clock = clock
        self.state = BreakerState.CLOSED
        self.trips = 0
        self._failures_in_a_row = 0
        self._row_sent_at = 0.0
        self._pause = FIRST_PAUSE
        self._probe_at = 0.0
        self._open_since = 0.0

    @property
    def now(self) -> float:
        """The time on its clock, by which requests are sent."""
        return self._clock()

    @property
    def seconds_until_probe(self) -> float:
        """How long until the next probe may go; 0 if it may go now (or the breaker is closed)."""
        return max(0.0, self._probe_at - self._clock()) if self.state is BreakerState.OPEN else 0.0

    @property
    def open_seconds(self) -> float:
        """How long the server has been down."""
        return 0.0 if self.state is BreakerState.CLOSED else self._clock() - self._open_since

    def sent(self) -> float:
        """A request goes out: with the breaker open it is the probe. Returns when, for `succeeded` or `failed`."""
        if self.state is BreakerState.OPEN:
            self.state = BreakerState.HALF_OPEN
        return self._clock()

    def succeeded(self, sent_at: float) -> None:
        """The server answered a request that was sent at `sent_at`, whatever it said: it was up then.

        An answer to a request that is older than the failures says nothing about the server now.
        """
        if self._failures_in_a_row and sent_at <= self._row_sent_at:
            return
        self._failures_in_a_row = 0
        self._pause = FIRST_PAUSE
        self.state = BreakerState.CLOSED

    def failed(self, sent_at: float) -> None:
        """The server, or the way to it, failed a request that was sent at `sent_at`."""
        if self._failures_in_a_row == 0:
            self._row_sent_at = sent_at
        self._failures_in_a_row += 1
        if self.state is BreakerState.HALF_OPEN and sent_at >= self._probe_at:
            self._pause = min(LONGEST_PAUSE, 2 * self._pause)
            self._open()
        elif self.state is BreakerState.CLOSED and self._failures_in_a_row >= TRIPS_AFTER:
            self.trips += 1
            self._open_since = self._clock()
            self._pause = FIRST_PAUSE
            self._open()

    def _open(self) -> None:
        self.state = BreakerState.OPEN
        self._probe_at = self._clock() + self._pause


class FailureShare:
    """Notices a server that fails more often than not, though never so often in a row that the breaker opens."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """No attempt yet; `clock` gives seconds."""
        self._clock = clock
        self._failed: deque[bool] = deque(maxlen=SHARE_OF_LAST)
        self._failures = 0
        self._since: float | None = None

    @property
    def seconds(self) -> float:
        """For how long more than half of the last `SHARE_OF_LAST` attempts have failed."""
        return 0.0 if self._since is None else self._clock() - self._since

    def count(self, *, failed: bool) -> None:
        """One more attempt came to an end."""
        if len(self._failed) == SHARE_OF_LAST:
            self._failures -= self._failed[0]
        self._failed.append(failed)
        self._failures += failed
        if 2 * self._failures <= SHARE_OF_LAST:
            self._since = None
        elif self._since is None:
            self._since = self._clock()
