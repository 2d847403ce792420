"""Rate limiter, circuit breaker and money, on a clock that the test sets.

Run:     pytest tests/distillation/rate_control/test_rate_control.py
"""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.apis.api_reply import Usage
from reasrm.apis.rate_limit_headers import RateLimit, RateLimitHeaders
from reasrm.distillation.prices import Prices
from reasrm.distillation.rate_control.circuit_breaker import (
    LONGEST_PAUSE,
    TRIPS_AFTER,
    BreakerState,
    CircuitBreaker,
    FailureShare,
)
from reasrm.distillation.rate_control.rate_limiter import RateLimiter
from reasrm.distillation.spend_budget import SpendBudget, TokenEstimates


@dataclass
class Clock:
    """Seconds that pass when the test says so."""

    now: float = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


class Server:
    """A token bucket as vendors describe theirs."""

    def __init__(self, clock: Clock, per_minute: float, burst: float) -> None:
        self._clock, self._per_minute, self._burst = clock, per_minute, burst
        self.level, self._at = burst, 0.0

    def take(self) -> bool:
        """Whether a request is let in."""
        self.level = min(self._burst, self.level + (self._clock.now - self._at) * self._per_minute / 60)
        self._at = self._clock.now
        if self.level < 1:
            return False
        self.level -= 1
        return True

    def seen(self) -> RateLimitHeaders:
        """The headers."""
        return RateLimitHeaders(requests=RateLimit(self._per_minute, int(self.level)))


@pytest.mark.parametrize(("rpm", "burst"), [(3000, 50), (600, 100), (50, 50), (60_000, 500)])
def test_the_pace_settles_at_the_servers_limit_without_a_429(rpm: float, burst: float) -> None:
    clock = Clock()
    server, rate_limiter = Server(clock, rpm, burst), RateLimiter(clock=clock)
    rate_limiter.observe(server.seen())
    sent = 0
    horizon = min(600.0, 20_000 * 60 / rpm)
    while clock.now < horizon:
        clock.now += rate_limiter.seconds_until_free() + 1e-9
        rate_limiter.take(0, 0)
        assert server.take()
        rate_limiter.observe(server.seen())
        sent += 1
    assert 0.99 * horizon * rpm / 60 <= sent <= horizon * rpm / 60 + burst


def test_one_429_pauses_all_requests_once_and_slows_them_down() -> None:
    clock = Clock()
    rate_limiter = RateLimiter(declared_rpm=600, clock=clock)
    rate_limiter.rate_limited(10)
    first = rate_limiter.paused_seconds
    rate_limiter.rate_limited(50)
    assert rate_limiter.paused_seconds == first
    assert 10 <= first <= 11
    clock.now += first
    gaps = []
    for _ in range(20):
        gaps.append(rate_limiter.seconds_until_free())
        clock.now += gaps[-1]
        rate_limiter.take(0, 0)
    assert sum(gaps[1:]) / 19 == pytest.approx(0.1 / 0.9, rel=0.05)


def test_a_server_without_headers_is_measured_when_it_says_429() -> None:
    clock = Clock()
    rate_limiter = RateLimiter(clock=clock)
    for _ in range(100):
        clock.now += 0.1
        rate_limiter.accepted()
    assert rate_limiter.requests_per_second is None
    rate_limiter.rate_limited(None)
    assert rate_limiter.requests_per_second == pytest.approx(10, rel=0.05)


def test_output_tokens_are_settled_with_what_was_used() -> None:
    clock = Clock()
    rate_limiter = RateLimiter(clock=clock)
    rate_limiter.observe(RateLimitHeaders(output_tokens=RateLimit(60_000, 350)))
    rate_limiter.take(0, 500)
    wait = rate_limiter.seconds_until_free()
    rate_limiter.settle(0, -250)
    assert rate_limiter.seconds_until_free() < wait


def test_the_breaker_opens_probes_and_closes() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock)
    for _ in range(TRIPS_AFTER):
        assert breaker.state is BreakerState.CLOSED
        breaker.failed(breaker.sent())
    pauses = []
    for _ in range(10):
        assert breaker.state is BreakerState.OPEN
        pauses.append(breaker.seconds_until_probe)
        clock.now += pauses[-1]
        probe = breaker.sent()
        assert breaker.state is BreakerState.HALF_OPEN
        breaker.failed(probe)
    assert pauses == [1, 2, 4, 8, 16, 32, *[LONGEST_PAUSE] * 4]
    assert breaker.open_seconds == pytest.approx(sum(pauses))
    clock.now += breaker.seconds_until_probe
    breaker.succeeded(breaker.sent())
    assert breaker.state is BreakerState.CLOSED
    assert breaker.trips == 1


def test_late_answers_of_before_an_outage_neither_prolong_nor_end_it() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock)
    early = breaker.sent()
    clock.now = 5.0
    for _ in range(TRIPS_AFTER):
        breaker.failed(breaker.sent())
        breaker.succeeded(early)
    assert breaker.state is BreakerState.OPEN
    breaker.failed(early)
    breaker.succeeded(early)
    assert breaker.seconds_until_probe == 1
    clock.now = 6.0
    probe = breaker.sent()
    breaker.failed(early)
    assert breaker.state is BreakerState.HALF_OPEN
    breaker.succeeded(probe)
    assert breaker.state is BreakerState.CLOSED


def test_scattered_failures_do_not_open_the_breaker() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock)
    for _ in range(50):
        clock.now += 1
        breaker.failed(breaker.sent())
        clock.now += 1
        breaker.succeeded(breaker.sent())
    assert breaker.trips == 0


def test_prices_and_estimates() -> None:
    prices = Prices(input=3, output=15, cache_read=0.3, cache_write=3.75, as_of="2026-11-20")
    usage = Usage(input_tokens=1000, output_tokens=100, cache_read_tokens=2000, cache_write_tokens=400)
    assert prices.usd(usage) == pytest.approx((3000 + 1500 + 600 + 1500) / 1e6)
    assert prices.usd(usage, batch=True) == pytest.approx(prices.usd(usage) / 2)
    estimates = TokenEstimates(500)
    assert estimates.output_tokens == 500
    estimates.learn(4000, Usage(input_tokens=1000, output_tokens=40))
    estimates.learn(4000, Usage(input_tokens=1000, output_tokens=80))
    assert (estimates.output_tokens, estimates.prompt_tokens(8000)) == (60, 2000)


def test_a_budget_counts_what_is_reserved() -> None:
    budget = SpendBudget(1.0, spent_usd=0.5)
    budget.reserve(0.4)
    assert not budget.fits(0.2)
    budget.settle(0.4, 0.1)
    assert budget.fits(0.4)
    assert SpendBudget(None, 1e9).fits(1e9)


@given(st.lists(st.sampled_from([0.0, 0.01, None]), min_size=1, max_size=12))
def test_pauses_that_do_not_help_grow_whatever_the_server_says(stated: list[float | None]) -> None:
    clock = Clock()
    rate_limiter = RateLimiter(clock=clock)
    pauses = []
    for retry_after in stated:
        rate_limiter.rate_limited(retry_after)
        pauses.append(rate_limiter.paused_seconds)
        clock.now += pauses[-1] + 1e-6
    for number, pause in enumerate(pauses):
        assert pause >= min(60, 0.5 * 2**number) - 1e-6
    assert rate_limiter.limited_seconds == pytest.approx(sum(pauses), abs=0.01)
    rate_limiter.accepted()
    rate_limiter.rate_limited(0.0)
    assert rate_limiter.paused_seconds < 0.6


def test_a_server_that_mostly_fails_is_noticed_although_the_breaker_never_opens() -> None:
    clock = Clock()
    share = FailureShare(clock)
    for number in range(300):
        clock.now += 1
        share.count(failed=number % 3 > 0)
    assert 100 < share.seconds < 200
    for _ in range(100):
        share.count(failed=False)
    assert share.seconds == 0
