"""The one gate through which every request goes out: pace, breaker, budget and stop, in one place and in order.

Requests pass one after the other. Whoever stands first waits for whatever holds it up (the pace, a Retry-After, a
server that is down, too many in flight, the budget) and everybody behind waits with it: that is how one 429 pauses all.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from reasrm.apis.api_reply import AttemptResult
from reasrm.apis.error_classification import ErrorKind
from reasrm.distillation.cost import Budget, Reservation
from reasrm.distillation.rate_control.circuit_breaker import Breaker, BreakerState, FailureShare
from reasrm.distillation.rate_control.rate_limiter import Pacer
from reasrm.distillation.run_statistics import Accounts

FIRST_WINDOW = 8
"""Requests in flight until the first replies have told what the server bears."""
LITTLE = 1.6
"""Requests in flight allowed, as a multiple of rate times mean latency: what is in flight at a kill is paid twice."""
SPARE = 4
PAUSES_IN_VAIN = 3
"""So many pauses in a row that the server asked for and then let nothing in stop the run, if they took long enough."""
LONGEST_SLEEP = 0.5
"""Seconds after which a waiting request looks again, so that a stop is noticed."""


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


class Waiting(StrEnum):
    """What holds the next request up."""

    NOTHING = ""
    PACE = "the server's rate limit"
    RETRY_AFTER = "Retry-After"
    SERVER_DOWN = "the server, which is down"
    REPLIES = "replies"
    BUDGET = "replies, to see whether the budget allows more"


class RunStopped(Exception):  # noqa: N818  a stop is not an error
    """The run was stopped while this request had not been sent."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What was booked for a request in flight; handed back with its outcome."""

    input_tokens: float
    output_tokens: float
    usd: float
    in_outage: bool
    """It went out as the breaker's probe."""
    sent_at: float
    """On the breaker's clock."""


class Gate:
    """Lets requests out."""

    def __init__(
        self, pacer: Pacer, budget: Budget, accounts: Accounts, most_in_flight: int, outage_seconds: float
    ) -> None:
        """Start closed to none.

        Args:
            pacer: the server's limits.
            budget: the money.
            accounts: the run's books, for the mean latency.
            most_in_flight: never more at once than this.
            outage_seconds: stop the run when the server has been down for so long.
        """
        self.pacer = pacer
        self.budget = budget
        self.breaker = Breaker()
        self._share = FailureShare()
        self._last_failure = ""
        self.in_flight = 0
        self.stopped: StopReason | None = None
        self.detail = ""
        self.waiting = Waiting.NOTHING
        self._accounts = accounts
        self._most = most_in_flight
        self._outage_seconds = outage_seconds
        self._window = float(FIRST_WINDOW)
        self._turnstile = asyncio.Lock()
        self._changed = asyncio.Event()

    async def enter(self, input_tokens: float, output_tokens: float, reservation: Callable[[], Reservation]) -> Ticket:
        """Wait until a request of this size may go out, and book it.

        Args:
            input_tokens: expected to count against the server's input limit.
            output_tokens: expected to count against its output limit.
            reservation: gives what it may cost, by what is known when its turn comes.

        Raises:
            RunStopped: the run has stopped.
        """
        async with self._turnstile:
            usd = (await self._hold_up(reservation)).usd
            self.waiting = Waiting.NOTHING
            probe = self.breaker.state is BreakerState.WAITING
            sent_at = self.breaker.sent()
            self.pacer.sent(input_tokens, output_tokens)
            self.budget.reserve(usd)
            self.in_flight += 1
            self._accounts.attempts += 1
            return Ticket(input_tokens, output_tokens, usd, probe, sent_at)

    def leave(self, ticket: Ticket, attempt: AttemptResult, paid_usd: float, *, settles_tokens: bool) -> None:
        """Take a request back: learn from its headers, free what it had booked."""
        self.in_flight -= 1
        self.budget.settle(ticket.usd, paid_usd)
        self.pacer.saw(attempt.limits)
        self._learn(ticket, attempt)
        used = attempt.reply.usage if attempt.reply else None
        if settles_tokens:
            billed = (used.input_tokens + used.cache_write_tokens, used.output_tokens) if used else (0, 0)
            self.pacer.settled(billed[0] - ticket.input_tokens, billed[1] - ticket.output_tokens)
        if attempt.error_kind is not None and attempt.error_kind.stops_the_run:
            self.stop(StopReason(attempt.error_kind.value), attempt.detail)
        self._changed.set()

    def _learn(self, ticket: Ticket, attempt: AttemptResult) -> None:
        """Tell breaker and pace what became of a request."""
        failed = attempt.fails_the_server
        self._share.count(failed=failed)
        if failed:
            self.breaker.failed(ticket.sent_at)
            self._last_failure = attempt.detail or (attempt.reply.detail if attempt.reply else "")
            if self._share.seconds > self._outage_seconds:
                self.stop(StopReason.OUTAGE, self._told("most attempts have failed", self._share.seconds))
            return
        self.breaker.succeeded(ticket.sent_at)
        if attempt.error_kind is ErrorKind.RATE_LIMITED:
            self.pacer.limited(attempt.limits.retry_after)
            waited = self.pacer.limited_seconds
            if self.pacer.pauses_in_a_row > PAUSES_IN_VAIN and waited > self._outage_seconds:
                self._last_failure = attempt.detail
                self.stop(StopReason.RATE_LIMITED, self._told("the rate limit has let nothing through", waited))
            return
        self.pacer.accepted()
        self._window = min(self._most, self._window + 1)

    def _told(self, what: str, seconds: float) -> str:
        return f"{what} for {seconds:.0f} s" + (f", the last: {self._last_failure}" if self._last_failure else "")

    def stop(self, reason: StopReason, detail: str) -> None:
        """Let nobody out any more; those in flight come home."""
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
    def most_in_flight(self) -> int:
        """How many may be in flight now: rate times latency with some room, once both are known."""
        if self.pacer.pauses_in_a_row > 1:
            return 1
        rate, latency = self.pacer.requests_per_second, self._accounts.mean_seconds
        if rate is None or latency == 0:
            return int(self._window)
        return int(min(self._most, LITTLE * rate * latency + SPARE))

    async def _hold_up(self, reservation: Callable[[], Reservation]) -> Reservation:
        """Wait until nothing stands in the way; what the request may cost as it goes out."""
        while True:
            if self.stopped is not None:
                raise RunStopped
            now = reservation()
            seconds = self._obstacle(now.most_usd)
            if self.waiting is Waiting.NOTHING:
                return now
            if self.stopped is not None:
                raise RunStopped
            if seconds is None:
                self._changed.clear()
                await self._changed.wait()
            else:
                await asyncio.sleep(min(seconds, LONGEST_SLEEP))

    def _obstacle(self, usd: float) -> float | None:
        """Set `waiting` to what holds a request up; seconds until that is over, None if it depends on replies."""
        probes = self.breaker.state is not BreakerState.CLOSED
        if probes:
            seconds = self._server_down()
            if self.waiting is not Waiting.NOTHING:
                return seconds
        if not self.budget.fits(usd):
            return self._budget_short(usd)
        if not probes and self.in_flight >= self.most_in_flight:
            self.waiting = Waiting.REPLIES
            return None
        seconds = self.pacer.seconds_until_free()
        if seconds <= 0:
            self.waiting = Waiting.NOTHING
            return None
        self.waiting = Waiting.RETRY_AFTER if self.pacer.paused_seconds > 0 else Waiting.PACE
        return seconds

    def _server_down(self) -> float | None:
        self.waiting = Waiting.SERVER_DOWN
        if self.breaker.open_seconds > self._outage_seconds:
            self.stop(StopReason.OUTAGE, self._told("the server has been down", self.breaker.open_seconds))
        if self.breaker.state is BreakerState.PROBING:
            return None
        seconds = self.breaker.seconds_until_probe
        if seconds <= 0:
            self.waiting = Waiting.NOTHING
        return seconds

    def _budget_short(self, usd: float) -> float | None:
        self.waiting = Waiting.BUDGET
        if self.in_flight == 0:
            spent, limit = self.budget.spent_usd, self.budget.limit_usd
            self.stop(
                StopReason.BUDGET, f"${spent:.4f} of ${limit:.4f} are spent, the next request may cost ${usd:.4f}"
            )
        return None
