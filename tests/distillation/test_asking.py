"""The asking loop against the fault-injecting server, over the vendors' real SDKs.

Run:     pytest tests/distillation/test_asking.py
"""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from reasrm.apis.request_format import ApiProtocol
from reasrm.distillation.online_run import ask_online
from reasrm.distillation.run_statistics import StopReason
from reasrm.distillation.traces import PassTotals, traces
from reasrm.records.content_hash import canonical_json
from reasrm.records.ledger import Ledger
from reasrm.records.pair import PreferencePair
from reasrm.records.trace import TraceOutcome, TracePass
from tests.fake_vendor.oracle_on_loopback import EACH_VENDOR, LocalOracle, ask, oracle, questions, settings

PASSING: dict[str, float] = {
    "overloaded": 0.05,
    "server_error": 0.03,
    "reset": 0.03,
    "reset_billed": 0.03,
    "cut": 0.03,
    "bad_json": 0.03,
}
LASTING: dict[str, float] = {"refusal": 0.05, "truncated": 0.2, "empty": 0.05, "invalid": 0.05}


def output(who: Any, pairs: list[PreferencePair], ledger_file: Path) -> tuple[bytes, PassTotals]:
    """The bytes of the pass's output, and its totals."""
    totals = PassTotals(who.prices)
    with Ledger(ledger_file) as ledger:
        found = traces(questions(pairs), who.plan(), ledger, TracePass.FIRST, who.model, totals)
        return b"\n".join(canonical_json(trace.model_dump(mode="json")) for trace in found), totals


@EACH_VENDOR
def test_every_pair_is_answered_once_and_nothing_is_asked_again(
    vendor: ApiProtocol, server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    who = oracle(vendor)
    result = ask(server, who, pairs, tmp_path / "ledger.jsonl")
    account = server.request_log()
    assert result.stopped is None
    assert account["billed"] == account["distinct_billed"] == len(pairs)
    first, totals = output(who, pairs, tmp_path / "ledger.jsonl")
    totals.check(len(pairs))
    assert totals.outcomes[TraceOutcome.OK] == len(pairs)
    assert totals.usd == pytest.approx(account["usd"])

    again = ask(server, who, pairs, tmp_path / "ledger.jsonl")
    assert again.estimate.to_ask == 0
    assert server.request_log()["requests"] == account["requests"]
    assert output(who, pairs, tmp_path / "ledger.jsonl")[0] == first


@pytest.mark.slow
@EACH_VENDOR
def test_faults_lose_nothing_and_buy_again_only_what_was_lost(
    vendor: ApiProtocol, server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(faults=PASSING | LASTING, seed=3)
    who = oracle(vendor)
    result = ask(server, who, pairs, tmp_path / "ledger.jsonl")
    account = server.request_log()
    assert result.stopped is None
    _, totals = output(who, pairs, tmp_path / "ledger.jsonl")
    totals.check(len(pairs))
    assert totals.outcomes[TraceOutcome.GAVE_UP] == 0
    assert min(totals.outcomes[outcome] for outcome in TraceOutcome if outcome is not TraceOutcome.GAVE_UP) > 0
    assert account["billed_lost"] > 0
    assert account["billed_again"] == account["billed_lost"]
    assert account["rejected_sent_again"] == 0


def test_faults_and_order_of_rows_do_not_change_the_output(
    server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    who = oracle(ApiProtocol.ANTHROPIC)
    ask(server, who, pairs, tmp_path / "clean.jsonl")
    server.restart(faults=PASSING, seed=5)
    ask(server, who, list(reversed(pairs)), tmp_path / "faults.jsonl")
    assert output(who, pairs, tmp_path / "clean.jsonl")[0] == output(who, pairs, tmp_path / "faults.jsonl")[0]


def test_a_cut_reply_is_asked_for_again_with_twice_the_limit(
    server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    who = oracle(ApiProtocol.ANTHROPIC, max_tokens=40, truncated_retries=1)
    ask(server, who, pairs[:40], tmp_path / "ledger.jsonl")
    _, totals = output(who, pairs[:40], tmp_path / "ledger.jsonl")
    assert totals.outcomes[TraceOutcome.OK] > 0
    assert totals.replies > totals.asked
    assert totals.replies == server.request_log()["billed"]


@EACH_VENDOR
@pytest.mark.parametrize("how", ["credit_balance", "spend_limit"])
def test_an_empty_account_stops_the_run_and_a_full_one_resumes_it(
    how: str, vendor: ApiProtocol, server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(credit_usd=0.05, credit_stop=how, latency_seconds=0.02)
    who = oracle(vendor)
    stopped = ask(server, who, pairs, tmp_path / "ledger.jsonl")
    account = server.request_log()
    assert stopped.stopped is StopReason.NO_CREDIT
    assert account["after_credit_stop"] <= 16
    assert stopped.statistics["replies"] == account["billed"]
    server.restart()
    resumed = ask(server, who, pairs, tmp_path / "ledger.jsonl")
    assert resumed.stopped is None
    assert server.request_log()["billed"] == len(pairs) - account["billed"]


def test_a_budget_is_never_exceeded_and_resumed_runs_count(
    server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(latency_seconds=0.01)
    who = oracle(ApiProtocol.ANTHROPIC, max_tokens=200)  # one reply of this length must still fit at the end
    for _ in range(2):
        stopped = ask(server, who, pairs, tmp_path / "ledger.jsonl", settings(budget_usd=0.1))
        assert stopped.stopped is StopReason.BUDGET
    assert 0.095 < server.request_log()["usd"] <= 0.1


def test_a_key_that_is_refused_stops_at_once(
    server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "withdrawn")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        result = ask_online(
            "test", lambda: questions(pairs), oracle(ApiProtocol.ANTHROPIC), ledger, settings(), nullcontext
        )
    assert result.stopped is StopReason.NOT_ALLOWED
    assert server.request_log()["requests"] <= 16
    assert "withdrawn" not in (tmp_path / "ledger.jsonl").read_text()


def test_settings_that_the_vendor_calls_invalid_stop_the_run(
    server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(faults={"invalid": 1.0})
    result = ask(server, oracle(ApiProtocol.OPENAI), pairs, tmp_path / "ledger.jsonl")
    assert result.stopped is StopReason.ALL_INVALID
    assert server.request_log()["requests"] < 60


@pytest.mark.slow
def test_an_outage_costs_a_handful_of_requests_and_no_pair(
    server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(outages=[(0.0, 2.5)], latency_seconds=0.02)
    result = ask(server, oracle(ApiProtocol.ANTHROPIC), pairs, tmp_path / "ledger.jsonl")
    assert result.stopped is None
    assert result.statistics["outcomes"] == {"ok": len(pairs)}
    assert server.request_log()["in_outage"] <= 30


@pytest.mark.slow
def test_an_outage_without_end_stops_the_run_resumably(
    server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(outages=[(0.0, 1e9)])
    result = ask(server, oracle(ApiProtocol.OPENAI), pairs, tmp_path / "l.jsonl", settings(outage_minutes=0.02))
    assert result.stopped is StopReason.OUTAGE
    assert result.statistics["outcomes"] == {}


def test_requests_that_fail_every_time_are_given_up_and_asked_again_by_the_next_run(
    server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(faults={"bad_json": 1.0})
    who = oracle(ApiProtocol.ANTHROPIC)
    few = pairs[:5]
    ask(server, who, few, tmp_path / "ledger.jsonl", settings(attempts=2))
    _, totals = output(who, few, tmp_path / "ledger.jsonl")
    assert totals.outcomes[TraceOutcome.GAVE_UP] == len(few)
    server.restart()
    ask(server, who, few, tmp_path / "ledger.jsonl")
    assert output(who, few, tmp_path / "ledger.jsonl")[1].outcomes[TraceOutcome.OK] == len(few)
