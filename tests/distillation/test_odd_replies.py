"""Replies that no protocol knows: booked if they were paid, never bought again and again, and no run is poisoned.

Run:     pytest tests/oracle/test_odd_replies.py
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
from reasrm.distillation.cost import Budget, Reservation
from reasrm.distillation.live_line import live_line
from reasrm.distillation.rate_control.admission_control import Gate, RunStopped, StopReason
from reasrm.distillation.rate_control.circuit_breaker import TRIPS_AFTER
from reasrm.distillation.rate_control.rate_limiter import Pacer
from reasrm.distillation.run_statistics import Accounts
from reasrm.distillation.traces import PassTotals, traces
from reasrm.records.ledger import Ledger
from reasrm.records.pair import PreferencePair
from reasrm.records.trace import OracleTrace, TraceOutcome, TracePass
from tests.fake_vendor.oracle_on_loopback import LocalOracle, ask, cases, oracle, settings

pytestmark = pytest.mark.slow

ALL = pytest.mark.parametrize("vendor", list(ApiProtocol))
BOTH = pytest.mark.parametrize("vendor", [ApiProtocol.ANTHROPIC, ApiProtocol.OPENAI])
SOON = settings(outage_minutes=0.02)


def written(who: Any, pairs: list[PreferencePair], ledger_file: Path) -> tuple[list[OracleTrace], PassTotals]:
    """The pass's output and its totals."""
    totals = PassTotals(who.prices)
    with Ledger(ledger_file) as ledger:
        return list(traces(cases(pairs), who.plan(), ledger, TracePass.FIRST, who.model, totals)), totals


@ALL
def test_a_reply_of_an_unknown_ending_is_paid_once_booked_and_named(
    vendor: ApiProtocol, server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(faults={"odd_ending": 0.2}, seed=2)
    who = oracle(vendor)
    ended = ask(server, who, pairs, tmp_path / "ledger.jsonl")
    books = server.request_log()
    assert ended.stopped is None
    assert books["billed"] == books["distinct_billed"] == len(pairs)
    found, totals = written(who, pairs, tmp_path / "ledger.jsonl")
    assert totals.usd == pytest.approx(books["usd"])
    odd = [trace for trace in found if trace.outcome is TraceOutcome.GAVE_UP]
    assert len(odd) > 20
    assert all("ended for the unknown reason" in trace.detail for trace in odd)
    assert ask(server, who, pairs, tmp_path / "ledger.jsonl").outlook.to_ask == 0
    assert server.request_log()["requests"] == books["requests"]


@BOTH
@pytest.mark.parametrize(
    ("fault", "said"),
    [("html", "doctype"), ("wrapped_error", "upstream is down"), ("no_usage", "usage"), ("odd_ending", "reason")],
)
def test_nothing_but_unreadable_replies_stops_the_run_resumably(
    fault: str, said: str, vendor: ApiProtocol, server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(faults={fault: 1.0})
    ended = ask(server, oracle(vendor), pairs, tmp_path / "ledger.jsonl", SOON)
    assert ended.stopped is StopReason.OUTAGE
    assert said in ended.detail
    assert server.request_log()["requests"] <= TRIPS_AFTER + 16 + 2
    server.restart()
    assert ask(server, oracle(vendor), pairs[:30], tmp_path / "ledger.jsonl").stopped is None


@BOTH
@pytest.mark.parametrize("told", ["unlimited", "0", "-1", "1e999"])
def test_limits_that_make_no_sense_neither_crash_nor_freeze_a_run(
    told: str, vendor: ApiProtocol, server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    names = ("anthropic-ratelimit-requests", "anthropic-ratelimit-output-tokens")
    odd = {f"{name}-limit": told for name in names} | {f"{name}-remaining": told for name in names}
    odd |= {f"x-ratelimit-{what}-{name}": told for what in ("limit", "remaining") for name in ("requests", "tokens")}
    server.restart(odd_headers=odd)
    ended = ask(server, oracle(vendor), pairs[:20], tmp_path / "ledger.jsonl")
    assert ended.summary["outcomes"] == {"ok": 20}
    assert ended.summary["seconds"] < 5


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
    ended = ask(server, oracle(ApiProtocol.ANTHROPIC), pairs * 2, tmp_path / "l.jsonl", settings(outage_minutes=0.005))
    assert ended.stopped is StopReason.OUTAGE


def gate(limit_usd: float | None = None) -> Gate:
    """A gate of its own, as a run makes one."""
    return Gate(Pacer(), Budget(limit_usd, 0.0), Accounts(), most_in_flight=16, outage_seconds=600)


def costing(usd: float) -> Callable[[], Reservation]:
    """What a request needs of the budget."""
    return lambda: Reservation(usd, usd)


DOWN = AttemptResult(error_kind=ErrorKind.OVERLOADED)


def test_a_probe_of_a_server_that_is_down_keeps_to_the_budget() -> None:
    async def probe() -> Gate:
        door = gate(limit_usd=1.0)
        for _ in range(TRIPS_AFTER):
            door.leave(await door.enter(1, 1, costing(0.1)), DOWN, 0.0, settles_tokens=False)
        with pytest.raises(RunStopped):
            await asyncio.wait_for(door.enter(1, 1, costing(2.0)), 10)
        return door

    assert asyncio.run(probe()).stopped is StopReason.BUDGET


def test_the_live_line_says_what_a_stopping_and_what_a_crawling_run_waits_for() -> None:
    async def lines() -> list[str]:
        door = gate()
        answered = AttemptResult(
            reply=ApiReply(TraceOutcome.OK, "[[A]]", Usage(1, 1)), limits=RateLimitHeaders(requests=RateLimit(1, 1))
        )
        door.leave(await door.enter(1, 1, costing(0.0)), answered, 0.0, settles_tokens=False)
        tickets = [await door.enter(1, 1, costing(0.0))]
        waiting = asyncio.create_task(door.enter(1, 1, costing(0.0)))
        await asyncio.sleep(0.05)
        crawling = live_line(9, 0, Accounts(), door)
        door.stop(StopReason.INTERRUPTED, "a signal")
        stopping = live_line(9, 0, Accounts(), door)
        with pytest.raises(RunStopped):
            await waiting
        for ticket in tickets:
            door.leave(ticket, answered, 0.0, settles_tokens=False)
        return [crawling, stopping]

    crawling, stopping = asyncio.run(lines())
    assert "waiting for the server's rate limit (" in crawling
    assert "of 0.017/s" in crawling
    assert "stopping (interrupted): waiting for the 1 replies in flight" in stopping
