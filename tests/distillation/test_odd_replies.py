"""Replies that no protocol knows: recorded if they were paid, never bought again and again.

Run:     pytest tests/distillation/test_odd_replies.py
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reasrm.apis.api_reply import ApiReply, AttemptResult, Usage
from reasrm.apis.error_classification import ErrorKind
from reasrm.apis.rate_limit_headers import RateLimit, RateLimitHeaders
from reasrm.apis.request_format import ApiProtocol
from reasrm.distillation.rate_control.admission_control import AdmissionControl
from reasrm.distillation.rate_control.circuit_breaker import TRIPS_AFTER
from reasrm.distillation.rate_control.rate_limiter import RateLimiter
from reasrm.distillation.run_messages import live_line
from reasrm.distillation.run_statistics import RunStatistics, RunStopped, StopReason
from reasrm.distillation.spend_budget import CostBound, SpendBudget
from reasrm.distillation.traces import PassTotals, traces
from reasrm.records.ledger import Ledger
from reasrm.records.pair import PreferencePair
from reasrm.records.trace import OracleTrace, TraceOutcome, TracePass
from tests.fake_vendor.oracle_on_loopback import LocalOracle, ask, oracle, questions, settings

pytestmark = pytest.mark.slow

ALL = pytest.mark.parametrize("vendor", list(ApiProtocol))
BOTH = pytest.mark.parametrize("vendor", [ApiProtocol.ANTHROPIC, ApiProtocol.OPENAI])
SOON = settings(outage_minutes=0.02)


def written(who: Any, pairs: list[PreferencePair], ledger_file: Path) -> tuple[list[OracleTrace], PassTotals]:
    """The pass's output and its totals."""
    totals = PassTotals(who.prices)
    with Ledger(ledger_file) as ledger:
        return list(traces(questions(pairs), who.plan(), ledger, TracePass.FIRST, who.model, totals)), totals


@ALL
def test_a_reply_of_an_unknown_ending_is_paid_once_recorded_and_named(
    vendor: ApiProtocol, server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(faults={"odd_ending": 0.2}, seed=2)
    who = oracle(vendor)
    result = ask(server, who, pairs, tmp_path / "ledger.jsonl")
    account = server.request_log()
    assert result.stopped is None
    assert account["billed"] == account["distinct_billed"] == len(pairs)
    found, totals = written(who, pairs, tmp_path / "ledger.jsonl")
    assert totals.usd == pytest.approx(account["usd"])
    odd = [trace for trace in found if trace.outcome is TraceOutcome.GAVE_UP]
    assert len(odd) > 20
    assert all("ended for the unknown reason" in trace.detail for trace in odd)
    assert ask(server, who, pairs, tmp_path / "ledger.jsonl").estimate.to_ask == 0
    assert server.request_log()["requests"] == account["requests"]


@BOTH
@pytest.mark.parametrize(
    ("fault", "said"),
    [("html", "doctype"), ("wrapped_error", "upstream is down"), ("no_usage", "usage"), ("odd_ending", "reason")],
)
def test_nothing_but_unreadable_replies_stops_the_run_resumably(
    fault: str, said: str, vendor: ApiProtocol, server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(faults={fault: 1.0})
    result = ask(server, oracle(vendor), pairs, tmp_path / "ledger.jsonl", SOON)
    assert result.stopped is StopReason.OUTAGE
    assert said in result.detail
    assert server.request_log()["requests"] <= TRIPS_AFTER + 16 + 2
    server.restart()
    assert ask(server, oracle(vendor), pairs[:30], tmp_path / "ledger.jsonl").stopped is None


@BOTH
@pytest.mark.parametrize("stated", ["unlimited", "0", "-1", "1e999"])
def test_limits_that_make_no_sense_neither_crash_nor_freeze_a_run(
    stated: str, vendor: ApiProtocol, server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    names = ("anthropic-ratelimit-requests", "anthropic-ratelimit-output-tokens")
    odd = {f"{name}-limit": stated for name in names} | {f"{name}-remaining": stated for name in names}
    odd |= {f"x-ratelimit-{what}-{name}": stated for what in ("limit", "remaining") for name in ("requests", "tokens")}
    server.restart(odd_headers=odd)
    result = ask(server, oracle(vendor), pairs[:20], tmp_path / "ledger.jsonl")
    assert result.statistics["outcomes"] == {"ok": 20}
    assert result.statistics["seconds"] < 5


def test_a_cut_reply_in_parts_is_text_in_the_output(
    server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(content_in_parts=True, faults={"truncated": 0.3})
    who = oracle(ApiProtocol.OPENAI, truncated_retries=0)
    assert ask(server, who, pairs[:40], tmp_path / "ledger.jsonl").stopped is None
    found, totals = written(who, pairs[:40], tmp_path / "ledger.jsonl")
    assert totals.outcomes[TraceOutcome.TRUNCATED] > 5
    assert totals.outcomes[TraceOutcome.OK] > 5
    assert all(trace.text for trace in found)


def test_a_server_that_fails_most_of_the_time_stops_the_run(
    server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(faults={"server_error": 0.75}, seed=1)
    result = ask(server, oracle(ApiProtocol.ANTHROPIC), pairs * 2, tmp_path / "l.jsonl", settings(outage_minutes=0.005))
    assert result.stopped is StopReason.OUTAGE


def admission_control(limit_usd: float | None = None) -> AdmissionControl:
    """As a run makes it."""
    return AdmissionControl(
        RateLimiter(), SpendBudget(limit_usd, 0.0), RunStatistics(), most_in_flight=16, outage_seconds=600
    )


def costing(usd: float) -> Callable[[], CostBound]:
    """What a request needs of the budget."""
    return lambda: CostBound(usd, usd)


DOWN = AttemptResult(error_kind=ErrorKind.OVERLOADED)


def test_a_probe_of_a_server_that_is_down_keeps_to_the_budget() -> None:
    async def probe() -> AdmissionControl:
        admission = admission_control(limit_usd=1.0)
        for _ in range(TRIPS_AFTER):
            admission.release(await admission.admit(1, 1, costing(0.1)), DOWN, 0.0, settles_tokens=False)
        with pytest.raises(RunStopped):
            await asyncio.wait_for(admission.admit(1, 1, costing(2.0)), 10)
        return admission

    assert asyncio.run(probe()).stopped is StopReason.BUDGET


def test_the_live_line_knows_from_the_start_that_a_cost_is_unknown() -> None:
    admission = admission_control()
    assert "cost unknown" in live_line(9, 0, RunStatistics(), admission, priced=False)
    assert "$0.00" in live_line(9, 0, RunStatistics(), admission, priced=True)


def test_the_live_line_says_what_a_stopping_and_what_a_slow_run_waits_for() -> None:
    async def lines() -> list[str]:
        admission = admission_control()
        answered = AttemptResult(
            reply=ApiReply(TraceOutcome.OK, "[[A]]", Usage(1, 1)), limits=RateLimitHeaders(requests=RateLimit(1, 1))
        )
        admission.release(await admission.admit(1, 1, costing(0.0)), answered, 0.0, settles_tokens=False)
        reservations = [await admission.admit(1, 1, costing(0.0))]
        waiting = asyncio.create_task(admission.admit(1, 1, costing(0.0)))
        await asyncio.sleep(0.05)
        slow = live_line(9, 0, RunStatistics(), admission, priced=True)
        admission.stop(StopReason.INTERRUPTED, "a signal")
        stopping = live_line(9, 0, RunStatistics(), admission, priced=True)
        with pytest.raises(RunStopped):
            await waiting
        for reservation in reservations:
            admission.release(reservation, answered, 0.0, settles_tokens=False)
        return [slow, stopping]

    slow, stopping = asyncio.run(lines())
    assert "waiting for the server's rate limit (" in slow
    assert "of 0.017/s" in slow
    assert "stopping (interrupted): waiting for the 1 replies in flight" in stopping
