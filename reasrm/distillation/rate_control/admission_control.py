"""Admission control: every request passes here, where rate limiter, circuit breaker, budget and stop are asked in turn.

Requests pass one after the other. The first in line waits for whatever delays it (the rate, a Retry-After, a server
that is down, too many in flight, the budget) and all behind it wait too: that is how one 429 pauses all.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from reasrm.apis.api_reply import AttemptResult
from reasrm.apis.error_classification import ErrorKind
from reasrm.apis.retry_policy import asks_for_a_pause
from reasrm.distillation.rate_control.circuit_breaker import BreakerState, CircuitBreaker, FailureShare
from reasrm.distillation.rate_control.rate_limiter import RateLimiter
from reasrm.distillation.run_statistics import RunStatistics, RunStopped, StopReason
from reasrm.distillation.spend_budget import CostBound, SpendBudget

FIRST_WINDOW = 8
"""Requests in flight until the first replies have shown what the server can take."""
LATENCY_MARGIN = 1.6
"""Requests in flight allowed, as a multiple of rate times mean latency (Little's law): few, since what is in flight at
a kill is paid twice."""
SPARE = 4
FUTILE_PAUSES = 3
"""So many pauses in a row that the server asked for and then let nothing in stop the run, if they took long enough."""
LONGEST_SLEEP = 0.5
"""Seconds after which a waiting request looks again, so that a stop is noticed."""


class WaitReason(StrEnum):
    """What delays the next request."""

    NOTHING = ""
    RATE = "the server's rate limit"
    RETRY_AFTER = "Retry-After"
    SERVER_DOWN = "the server, which is down"
    REPLIES = "replies"
    BUDGET = "replies, to see whether the budget allows more"


@dataclass(frozen=True, slots=True)
class Reservation:
    """What is set aside for a request in flight; given back with its outcome."""

    number: int
    """Its place in the order of sending."""
    input_tokens: float
    output_tokens: float
    usd: float
    is_probe: bool
    """It went out to find out whether the server is back."""
    sent_at: float
    """On the circuit breaker's clock."""


class AdmissionControl:
    """Decides when each request of a run is sent."""

    def __init__(
        self,
        rate_limiter: RateLimiter,
        budget: SpendBudget,
        statistics: RunStatistics,
        most_in_flight: int,
        outage_seconds: float,
    ) -> None:
        """Nothing is in flight yet.

        Args:
            rate_limiter: the server's limits.
            budget: of all runs.
            statistics: of the run, for the mean latency.
            most_in_flight: never more at once than this.
            outage_seconds: stop the run when the server has been down for so long.
        """
        self.rate_limiter = rate_limiter
        self.budget = budget
        self.breaker = CircuitBreaker()
        self._share = FailureShare()
        self._last_failure = ""
        self.numbers_in_flight: set[int] = set()
        """Of the requests that have not come back, as in `Reservation`."""
        self.stopped: StopReason | None = None
        self.detail = ""
        self.waiting = WaitReason.NOTHING
        self._statistics = statistics
        self._most = most_in_flight
        self._outage_seconds = outage_seconds
        self._window = float(FIRST_WINDOW)
        self._queue = asyncio.Lock()
        self._changed = asyncio.Event()

    async def admit(
        self, input_tokens: float, output_tokens: float, cost_bound: Callable[[], CostBound]
    ) -> Reservation:
        """Wait until a request of this size may go out, and set aside what it needs.

        Args:
            input_tokens: expected to count against the server's input limit.
            output_tokens: expected to count against its output limit.
            cost_bound: gives what it may cost, by what is known when its turn comes.

        Raises:
            RunStopped: the run has stopped.
        """
        async with self._queue:
            usd = (await self._wait_for_turn(cost_bound)).usd
            self.waiting = WaitReason.NOTHING
            probe = self.breaker.state is BreakerState.OPEN
            sent_at = self.breaker.sent()
            self.rate_limiter.take(input_tokens, output_tokens)
            self.budget.reserve(usd)
            self._statistics.attempts += 1
            number = self._statistics.attempts
            self.numbers_in_flight.add(number)
            return Reservation(number, input_tokens, output_tokens, usd, probe, sent_at)

    def release(
        self, reservation: Reservation, attempt: AttemptResult, paid_usd: float, *, settles_tokens: bool
    ) -> None:
        """A request came back: learn from its headers, free what was set aside for it."""
        self.numbers_in_flight.discard(reservation.number)
        self.budget.settle(reservation.usd, paid_usd)
        self.rate_limiter.observe(attempt.limits)
        self._learn(reservation, attempt)
        used = attempt.reply.usage if attempt.reply else None
        if settles_tokens:
            billed = (used.input_tokens + used.cache_write_tokens, used.output_tokens) if used else (0, 0)
            self.rate_limiter.settle(billed[0] - reservation.input_tokens, billed[1] - reservation.output_tokens)
        if attempt.error_kind is not None and attempt.error_kind.stops_the_run:
            self.stop(StopReason(attempt.error_kind.value), attempt.detail)
        self._changed.set()

    def _learn(self, reservation: Reservation, attempt: AttemptResult) -> None:
        """Pass the outcome of a request on to circuit breaker and rate limiter."""
        failed = attempt.fails_the_server
        self._share.count(failed=failed)
        if failed:
            self.breaker.failed(reservation.sent_at)
            self._heed(attempt)
            self._last_failure = attempt.detail or (attempt.reply.detail if attempt.reply else "")
            if self._share.seconds > self._outage_seconds:
                self.stop(StopReason.OUTAGE, self._lasting("most attempts have failed", self._share.seconds))
            return
        self.breaker.succeeded(reservation.sent_at)
        if attempt.error_kind is ErrorKind.RATE_LIMITED:
            self._rate_limited(attempt)
            return
        self.rate_limiter.accepted()
        self._window = min(self._most, self._window + 1)

    def _heed(self, attempt: AttemptResult) -> None:
        """Let all wait as long as the server asks; stop if that is longer than an outage may last."""
        asked = attempt.limits.retry_after or 0.0
        if asked > self._outage_seconds:
            limited = attempt.error_kind is ErrorKind.RATE_LIMITED
            self.stop(StopReason.RATE_LIMITED if limited else StopReason.OUTAGE, asks_for_a_pause(attempt))
        else:
            self.rate_limiter.pause(asked)

    def _rate_limited(self, attempt: AttemptResult) -> None:
        """Pause for a 429; stop if the server asks for a longer pause than an outage may last, or none has helped."""
        self.rate_limiter.rate_limited(attempt.limits.retry_after)
        self._heed(attempt)
        waited = self.rate_limiter.limited_seconds
        if self.rate_limiter.pauses_in_a_row > FUTILE_PAUSES and waited > self._outage_seconds:
            self._last_failure = attempt.detail
            self.stop(StopReason.RATE_LIMITED, self._lasting("the rate limit has let nothing through", waited))

    def _lasting(self, what: str, seconds: float) -> str:
        return f"{what} for {seconds:.0f} s" + (f", the last: {self._last_failure}" if self._last_failure else "")

    def stop(self, reason: StopReason, detail: str) -> None:
        """Admit no request any more; those in flight are waited for."""
        if self.stopped is None:
            self.stopped, self.detail = reason, detail
        self._changed.set()

    async def sleep(self, seconds: float) -> None:
        """Sleep, but not longer than until a stop."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while self.stopped is None and (left := until - loop.time()) > 0:
            await asyncio.sleep(min(left, LONGEST_SLEEP))

    @property
    def in_flight(self) -> int:
        """How many requests have not come back."""
        return len(self.numbers_in_flight)

    @property
    def most_in_flight(self) -> int:
        """How many may be in flight now: rate times latency with some room, once both are known."""
        if self.rate_limiter.pauses_in_a_row > 1:
            return 1
        rate, latency = self.rate_limiter.requests_per_second, self._statistics.mean_seconds
        if rate is None or latency == 0:
            return int(self._window)
        return int(min(self._most, LATENCY_MARGIN * rate * latency + SPARE))

    async def _wait_for_turn(self, cost_bound: Callable[[], CostBound]) -> CostBound:
        """Wait until nothing delays the request; returns what it may cost as it goes out."""
        while True:
            if self.stopped is not None:
                raise RunStopped(self.stopped, self.detail)
            now = cost_bound()
            seconds = self._delay(now.most_usd)
            if self.waiting is WaitReason.NOTHING:
                return now
            if self.stopped is not None:
                raise RunStopped(self.stopped, self.detail)
            if seconds is None:
                self._changed.clear()
                await self._changed.wait()
            else:
                await asyncio.sleep(min(seconds, LONGEST_SLEEP))

    def _delay(self, usd: float) -> float | None:
        """Set `waiting` to what delays a request; seconds until that is over, None if it depends on replies."""
        probes = self.breaker.state is not BreakerState.CLOSED
        if probes:
            seconds = self._server_down()
            if self.waiting is not WaitReason.NOTHING:
                return seconds
        if not self.budget.fits(usd):
            return self._budget_short(usd)
        if not probes and self.in_flight >= self.most_in_flight:
            self.waiting = WaitReason.REPLIES
            return None
        seconds = self.rate_limiter.seconds_until_free()
        if seconds <= 0:
            self.waiting = WaitReason.NOTHING
            return None
        self.waiting = WaitReason.RETRY_AFTER if self.rate_limiter.paused_seconds > 0 else WaitReason.RATE
        return seconds

    def _server_down(self) -> float | None:
        self.waiting = WaitReason.SERVER_DOWN
        if self.breaker.open_seconds > self._outage_seconds:
            self.stop(StopReason.OUTAGE, self._lasting("the server has been down", self.breaker.open_seconds))
        if self.breaker.state is BreakerState.HALF_OPEN:
            return None
        seconds = self.breaker.seconds_until_probe
        if seconds <= 0:
            self.waiting = WaitReason.NOTHING
        return seconds

    def _budget_short(self, usd: float) -> float | None:
        self.waiting = WaitReason.BUDGET
        if self.in_flight == 0:
            spent, limit = self.budget.spent_usd, self.budget.limit_usd
            self.stop(
                StopReason.BUDGET, f"${spent:.4f} of ${limit:.4f} are spent, the next request may cost ${usd:.4f}"
            )
        return None
