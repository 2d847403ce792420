"""An oracle's service may answer anything, over real HTTP: every question is settled, or the run can go on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reasrm.apis.request_format import ApiProtocol
from reasrm.distillation.run_statistics import StopReason
from reasrm.distillation.traces import PassTotals, traces
from reasrm.records.ledger import Ledger
from reasrm.records.pair import PreferencePair
from reasrm.records.trace import TraceOutcome, TracePass
from tests.fake_vendor.oracle_on_loopback import LocalOracle, ask, oracle, questions
from tests.fake_vendor.oracle_on_loopback import settings as asking
from tests.fixtures.odd_service import TEXT, WHOLE, OddService, any_reply, json_bytes, odd_service

EACH = pytest.mark.parametrize("protocol", ApiProtocol)


@pytest.fixture
def service() -> Iterator[OddService]:
    with odd_service() as one:
        yield one


@pytest.fixture
def one_pair(pairs: list[PreferencePair]) -> list[PreferencePair]:
    return pairs[:1]


@pytest.mark.slow
@EACH
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_comes_is_settled_or_asked_again_by_the_next_run(
    service: OddService, one_pair: list[PreferencePair], tmp_path: Path, protocol: ApiProtocol, data: st.DataObject
) -> None:
    service.body = data.draw(any_reply(protocol))
    who, file = oracle(protocol, truncated_retries=0), tmp_path / "ledger.jsonl"
    file.unlink(missing_ok=True)
    result = ask(LocalOracle(service.url), who, one_pair, file, asking(attempts=1))
    totals, plan, asked = PassTotals(who.prices), who.plan(), list(questions(one_pair))
    with Ledger(file) as ledger:
        found = list(traces(asked, plan, ledger, TracePass.FIRST, who.model, totals, only_settled=True))
        asked_again = any(plan.progress(question.prompt, ledger).next for question in asked)
    assert asked_again or len(found) == 1
    if result.stopped is not None:
        assert result.detail
        assert asked_again
    elif asked_again:
        assert found[0].outcome is TraceOutcome.GAVE_UP
        assert found[0].detail


def test_a_run_without_any_reply_is_no_success(
    service: OddService, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    service.body, who, file = b"<html>Sorry</html>", oracle(ApiProtocol.OPENAI), tmp_path / "l.jsonl"
    result = ask(LocalOracle(service.url), who, pairs[:2], file, asking(attempts=1))
    assert result.stopped is StopReason.OUTAGE
    assert "no request has got a reply" in result.detail
    assert "<html>Sorry" in result.detail
    service.body = json_bytes(WHOLE[ApiProtocol.OPENAI])
    assert ask(LocalOracle(service.url), who, pairs[:2], file).statistics["outcomes"] == {"ok": 2}


@EACH
def test_what_ended_for_no_reason_is_read_as_a_judge_reads_it(
    service: OddService, pairs: list[PreferencePair], tmp_path: Path, protocol: ApiProtocol
) -> None:
    for place, end in enumerate((None, "eos_token", "whatever")):
        text = json_bytes(WHOLE[protocol]).decode()
        for word in ('"stop_reason": "end_turn"', '"finish_reason": "stop"', '"status": "completed"'):
            name = word.partition(":")[0]
            text = text.replace(word, f"{name}: " + ("null" if end is None else f'"{end}"'))
        service.body, who = text.encode(), oracle(protocol)
        result = ask(LocalOracle(service.url), who, pairs[:2], tmp_path / f"{place}.jsonl")
        assert result.statistics["outcomes"] == {"ok": 2}
        totals = PassTotals(who.prices)
        with Ledger(tmp_path / f"{place}.jsonl") as ledger:
            found = list(traces(questions(pairs[:2]), who.plan(), ledger, TracePass.FIRST, who.model, totals))
        assert {trace.text for trace in found} == {TEXT}
        assert {trace.detail for trace in found} == {
            "ended for the unknown reason whatever" if end == "whatever" else ""
        }


@EACH
@pytest.mark.parametrize(
    ("status", "reason", "retry_after"),
    [
        (429, StopReason.RATE_LIMITED, "1e9"),
        (429, StopReason.RATE_LIMITED, "9" * 400),
        (429, StopReason.RATE_LIMITED, "Fri, 31 Dec 9999 23:59:59 GMT"),
        (503, StopReason.OUTAGE, "601"),
        (529, StopReason.OUTAGE, "20m"),
    ],
)
def test_a_pause_beyond_outage_minutes_stops_the_run_resumably(
    service: OddService,
    pairs: list[PreferencePair],
    tmp_path: Path,
    protocol: ApiProtocol,
    status: int,
    reason: StopReason,
    retry_after: str,
) -> None:
    service.status, service.headers, service.body = (
        status,
        {"retry-after": retry_after},
        b'{"error": {"message": "slow"}}',
    )
    result = ask(LocalOracle(service.url), oracle(protocol), pairs[:1], tmp_path / "l.jsonl", asking(outage_minutes=10))
    assert (result.stopped, len(service.authorizations)) == (reason, 1)
    assert result.detail.startswith("the server asks for a pause of ")
    assert len(result.detail) < 80


def test_a_date_is_taken_by_the_servers_own_clock(
    service: OddService, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    retry_after = {"retry-after": "Thu, 01 Jan 2099 00:20:00 GMT", "date": "Thu, 01 Jan 2099 00:00:00 GMT"}
    service.status, service.headers, service.body = 429, retry_after, b"{}"
    result = ask(LocalOracle(service.url), oracle(ApiProtocol.OPENAI), pairs[:1], tmp_path / "l.jsonl")
    assert "a pause of 1200 s" in result.detail


@EACH
@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": None}, "12"])
def test_a_reply_without_a_readable_usage_is_bought_once_and_counts_the_most_it_may_cost(
    service: OddService, one_pair: list[PreferencePair], tmp_path: Path, protocol: ApiProtocol, usage: object
) -> None:
    service.body, who, file = json_bytes(WHOLE[protocol] | {"usage": usage}), oracle(protocol), tmp_path / "l.jsonl"
    assert ask(LocalOracle(service.url), who, one_pair, file).stopped is None
    assert ask(LocalOracle(service.url), who, one_pair, file).estimate.to_ask == 0
    totals = PassTotals(who.prices)
    with Ledger(file) as ledger:
        sent = next(entry["usd"] for entry in ledger.entries() if entry["state"] == "sent")
        found = list(traces(questions(one_pair), who.plan(), ledger, TracePass.FIRST, who.model, totals))
    assert (found[0].text, found[0].detail) == (TEXT, "it came without a readable usage")
    assert (totals.replies, totals.at_other_prices, len(service.authorizations)) == (1, 0, 1)
    assert totals.usd == sent > 0


def test_a_page_of_a_firewall_for_one_prompt_ends_no_run_and_for_all_prompts_settles_none(
    service: OddService, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    who, good = oracle(ApiProtocol.OPENAI), json_bytes(WHOLE[ApiProtocol.OPENAI])
    service.body, service.status = b"<html>Attention Required! | Cloudflare</html>", 403
    blocked = ask(LocalOracle(service.url), who, pairs[:2], tmp_path / "l.jsonl")
    assert blocked.stopped is StopReason.ALL_INVALID
    assert "Attention Required" in blocked.detail
    service.body, service.status = good, 200
    assert ask(LocalOracle(service.url), who, pairs[2:4], tmp_path / "l.jsonl").statistics["outcomes"] == {"ok": 2}
    service.body, service.status = b"<html>Attention Required! | Cloudflare</html>", 403
    again = ask(LocalOracle(service.url), who, pairs[:2], tmp_path / "l.jsonl")
    assert (again.stopped, again.statistics["outcomes"]) == (None, {"rejected": 2})
