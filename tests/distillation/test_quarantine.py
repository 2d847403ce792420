"""What is refused, limited or equal: nothing is settled for good by an account's error, nothing is asked for ever.

Run:     pytest tests/distillation/test_quarantine.py
"""

from pathlib import Path

import pytest

from reasrm.apis.api_reply import AttemptResult, Usage
from reasrm.apis.error_classification import ErrorKind
from reasrm.apis.request_format import ApiProtocol
from reasrm.distillation.ledger_entries import LedgerState, failed_entry
from reasrm.distillation.quarantine import (
    CONFIRMED_AT_THE_END,
    MOST_REORDERING_SECONDS,
    SUSPICIOUS_ROW,
    SUSPICIOUS_ROW_OF_ANY_MESSAGE,
    Quarantine,
    RefusedRequest,
)
from reasrm.distillation.questions import CoalescedRequests
from reasrm.distillation.run_lifecycle import RunResult
from reasrm.distillation.run_statistics import StopReason
from reasrm.distillation.traces import PassTotals, traces
from reasrm.records.content_hash import content_hash
from reasrm.records.ledger import FINAL, Ledger
from reasrm.records.pair import PreferencePair
from reasrm.records.trace import OracleTrace, TraceOutcome, TracePass
from tests.fake_vendor.oracle_on_loopback import LocalOracle, ask, oracle, questions, settings

BOTH = pytest.mark.parametrize(
    "vendor", [ApiProtocol.ANTHROPIC, pytest.param(ApiProtocol.OPENAI, marks=pytest.mark.slow)]
)
"""OpenAI's two APIs share account, limits and errors."""


def outcomes(result: RunResult) -> dict[str, int]:
    """What the pairs of a run came to."""
    return dict(result.statistics["outcomes"])


def written(
    pairs: list[PreferencePair], ledger_file: Path, vendor: ApiProtocol = ApiProtocol.ANTHROPIC
) -> list[OracleTrace]:
    """The pass's output."""
    who = oracle(vendor)
    with Ledger(ledger_file) as ledger:
        return list(traces(questions(pairs), who.plan(), ledger, TracePass.FIRST, who.model, PassTotals(who.prices)))


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("how", ["usage_limit", "unforeseen"])
def test_a_spent_limit_settles_no_pair_whatever_its_message(
    how: str, vendor: ApiProtocol, server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(credit_usd=0.05, credit_stop=how, latency_seconds=0.01)
    stopped = ask(server, oracle(vendor), pairs, tmp_path / "ledger.jsonl")
    assert stopped.stopped is (StopReason.ALL_INVALID if how == "unforeseen" else StopReason.NO_CREDIT)
    assert set(outcomes(stopped)) == {"ok"}
    assert server.request_log()["after_credit_stop"] <= SUSPICIOUS_ROW + 16
    if how == "unforeseen":
        assert "The moon is in the wrong house" in stopped.detail
        again = ask(server, oracle(vendor), pairs, tmp_path / "ledger.jsonl")
        assert again.stopped is StopReason.ALL_INVALID
        assert outcomes(again) == {}
    server.restart()
    resumed = ask(server, oracle(vendor), pairs, tmp_path / "ledger.jsonl")
    assert resumed.stopped is None
    assert outcomes(resumed) == {"ok": len(pairs) - outcomes(stopped)["ok"]}


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("count", [1, 200])
def test_what_a_wrong_gateway_refuses_is_asked_again(
    count: int, vendor: ApiProtocol, server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(faults={"invalid": 1.0})
    for _ in range(3):
        stopped = ask(server, oracle(vendor), pairs[:count], tmp_path / "ledger.jsonl")
        assert stopped.stopped is StopReason.ALL_INVALID
        assert "the request is invalid" in stopped.detail
        assert outcomes(stopped) == {}
    server.restart()
    resumed = ask(server, oracle(vendor), pairs[:count], tmp_path / "ledger.jsonl")
    assert outcomes(resumed) == {"ok": count}


@pytest.mark.slow
@BOTH
def test_requests_that_fit_no_minute_are_rejected_and_hold_nobody_up(
    vendor: ApiProtocol, server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(faults={"too_large": 0.1}, seed=1)
    result = ask(server, oracle(vendor), pairs, tmp_path / "ledger.jsonl")
    assert result.stopped is None
    assert outcomes(result)["rejected"] > 5
    assert server.request_log()["rejected_sent_again"] == 0
    assert result.statistics["seconds"] < 4


@pytest.mark.slow
@pytest.mark.parametrize("date", ["0", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_limit_that_never_lets_anything_in_stops_the_run_without_a_storm(
    date: str, server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    odd = {"retry-after": date, "retry-after-ms": ""}
    server.restart(requests_per_minute=0.01, limit_headers=False, odd_headers=odd)
    result = ask(server, oracle(ApiProtocol.OPENAI), pairs, tmp_path / "ledger.jsonl", settings(outage_minutes=0.02))
    assert result.stopped is StopReason.RATE_LIMITED
    assert "over the rate limit" in result.detail
    assert outcomes(result) == {"ok": 1}
    assert server.request_log()["requests"] <= 24


def test_a_server_that_asks_for_a_pause_of_a_day_stops_the_run(
    server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(requests_per_minute=0.01, limit_headers=False, odd_headers={"retry-after": "86400"})
    result = ask(server, oracle(ApiProtocol.ANTHROPIC), pairs, tmp_path / "ledger.jsonl")
    assert result.stopped is StopReason.RATE_LIMITED
    assert "pause of 86400 s: over the rate limit" in result.detail
    assert outcomes(result) == {"ok": 1}


@pytest.mark.slow
def test_requests_that_alone_are_limited_are_given_up(
    server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(faults={"limited": 0.02}, seed=1, latency_seconds=0.05)
    result = ask(server, oracle(ApiProtocol.ANTHROPIC), pairs, tmp_path / "ledger.jsonl", settings(attempts=2))
    assert result.stopped is None
    assert outcomes(result)["gave_up"] >= 1
    assert outcomes(result)["gave_up"] + outcomes(result)["ok"] == len(pairs)
    assert result.statistics["errors"]["rate_limited"] == 2 * outcomes(result)["gave_up"]


@BOTH
def test_equal_questions_are_bought_once_and_all_their_pairs_get_the_reply(
    vendor: ApiProtocol, server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(latency_seconds=0.05, faults={"truncated": 0.2, "invalid": 0.05, "bad_json": 0.05}, seed=3)
    relabelled = [pair.model_copy(update={"source": f"{pair.source}/again"}) for pair in pairs[:60]]
    rows = [row for both in zip(pairs[:60], relabelled, strict=True) for row in both] + pairs[:60]
    result = ask(server, oracle(vendor), rows, tmp_path / "ledger.jsonl")
    account = server.request_log()
    assert result.stopped is None
    assert account["billed_again"] == account["billed_lost"]
    assert account["rejected_sent_again"] == 0
    assert sum(outcomes(result).values()) == len(rows)
    found = written(rows, tmp_path / "ledger.jsonl", vendor)
    assert len(found) == len(rows)
    assert found[0].text == found[1].text == found[120].text
    assert outcomes(result) == {
        str(outcome): count for outcome in TraceOutcome if (count := sum(t.outcome is outcome for t in found))
    }


@pytest.mark.slow
def test_equal_questions_share_a_reply_that_was_given_up_too(
    server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(faults={"server_error": 1.0})
    result = ask(server, oracle(ApiProtocol.OPENAI), pairs[:3] * 5, tmp_path / "ledger.jsonl", settings(attempts=2))
    assert outcomes(result) == {"gave_up": 15}
    assert server.request_log()["requests"] == 6


@pytest.mark.slow
def test_a_limit_above_the_models_leaves_the_cut_reply(
    server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(largest_token_limit=40)
    who = oracle(ApiProtocol.ANTHROPIC, max_tokens=40, truncated_retries=1)
    result = ask(server, who, pairs[:40], tmp_path / "ledger.jsonl")
    assert result.stopped is None
    assert outcomes(result)["truncated"] > 20
    assert "rejected" not in outcomes(result)
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        totals = PassTotals(who.prices)
        found = list(traces(questions(pairs[:40]), who.plan(), ledger, TracePass.FIRST, who.model, totals))
    assert {str(outcome): count for outcome, count in totals.outcomes.items() if count} == outcomes(result)
    assert all(trace.text for trace in found)
    before = server.request_log()["requests"]
    assert ask(server, who, pairs[:40], tmp_path / "ledger.jsonl").estimate.to_ask == 0
    assert server.request_log()["requests"] == before


@pytest.mark.slow
def test_a_cut_reply_of_an_earlier_run_stands_if_the_higher_limit_is_refused(
    server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    file, few = tmp_path / "ledger.jsonl", pairs[:30]
    assert ask(server, oracle(ApiProtocol.OPENAI, max_tokens=40, truncated_retries=0), few, file).stopped is None
    server.restart(largest_token_limit=40)
    result = ask(server, oracle(ApiProtocol.OPENAI, max_tokens=40, truncated_retries=1), few, file)
    assert result.stopped is None
    assert set(outcomes(result)) == {"truncated"}


def refused(number: int, detail: str = "no", sent_at: float = 0.0) -> RefusedRequest:
    return RefusedRequest(content_hash(number), detail, number, sent_at, sent_at + 0.2, CoalescedRequests())


def test_a_refusal_is_confirmed_when_something_sent_after_it_came_back_is_accepted() -> None:
    quarantine = Quarantine(list)
    for number in range(5):
        quarantine.hold(refused(number, sent_at=float(number)))
    assert quarantine.accepted(5, 0.1) == []
    assert [held.sent_at for held in quarantine.accepted(6, 2.3)] == [0, 1, 2]
    assert quarantine.accepted(7, 3.1) == []
    assert [held.sent_at for held in quarantine.held] == [3, 4]


def test_a_refusal_that_came_late_is_confirmed_when_something_sent_much_later_is_accepted() -> None:
    quarantine = Quarantine(list)
    quarantine.hold(RefusedRequest("", "no", 0, sent_at=0.0, came_at=60.0, coalesced=CoalescedRequests()))
    assert quarantine.accepted(1, MOST_REORDERING_SECONDS) == []
    assert len(quarantine.accepted(2, MOST_REORDERING_SECONDS + 0.1)) == 1


def test_many_refusals_in_a_row_are_suspicious_if_their_message_is_the_same() -> None:
    alike, unlike, mixed = Quarantine(list), Quarantine(list), Quarantine(list)
    for number in range(1, SUSPICIOUS_ROW_OF_ANY_MESSAGE + 1):
        alike.hold(refused(number))
        unlike.hold(refused(number, detail=f"{number} tokens are too many"))
        assert alike.is_suspicious(()) == (number >= SUSPICIOUS_ROW)
        assert unlike.is_suspicious(()) == (number == SUSPICIOUS_ROW_OF_ANY_MESSAGE)
        if number % (SUSPICIOUS_ROW // 2) == 0:
            assert mixed.accepted(number, 0.0) == []
        else:
            mixed.hold(refused(number))
            assert not mixed.is_suspicious(())


def test_a_slow_reply_to_an_earlier_request_does_not_hide_that_all_later_ones_are_refused() -> None:
    quarantine = Quarantine(list)
    for number in range(100, 100 + SUSPICIOUS_ROW):
        quarantine.hold(refused(number))
        assert quarantine.is_suspicious([1]) == (number == 99 + SUSPICIOUS_ROW)
        quarantine.accepted(number - 99, 0.0)


def test_refusals_between_requests_that_take_longer_are_not_suspicious() -> None:
    """Refusals come back at once, replies after half a minute: none is back yet, but they may all be accepted."""
    quarantine = Quarantine(list)
    for number in range(0, 10 * SUSPICIOUS_ROW, 2):
        quarantine.hold(refused(number))
        assert not quarantine.is_suspicious(range(1, number + 10, 2))


def test_what_two_runs_saw_refused_is_confirmed_if_the_oracle_ever_answered(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        for number in (0, 1, 0):
            invalid = AttemptResult(error_kind=ErrorKind.INVALID, detail="no")
            ledger.append(content_hash(number), LedgerState.FAILED, failed_entry(invalid))
        for usage, confirmed in ((Usage(), []), (Usage(1, 1), [0])):
            ledger.append(content_hash("other"), FINAL, {"usage": usage.as_entry()})
            quarantine = Quarantine(ledger.entries)
            quarantine.hold(refused(0))
            quarantine.hold(refused(1))
            assert [held.key for held in quarantine.end()] == [content_hash(number) for number in confirmed]
            assert len(quarantine.held) == 2 - len(confirmed)


def test_the_last_requests_of_a_good_run_are_confirmed_if_they_are_few() -> None:
    for count in (CONFIRMED_AT_THE_END, CONFIRMED_AT_THE_END + 1):
        quarantine = Quarantine(list)
        quarantine.accepted(100, 0.0)
        for number in range(count):
            quarantine.hold(refused(number, sent_at=1.0))
        assert len(quarantine.end()) == (count if count <= CONFIRMED_AT_THE_END else 0)
