"""What vendors say against batches and their rows: a run stops resumably and closes nothing that could still be had.

Run:     pytest tests/distillation/batch/test_batch_faults.py
"""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from reasrm.apis.batches.api import BatchApiError
from reasrm.apis.error_classification import ErrorKind
from reasrm.apis.request_format import ApiProtocol
from reasrm.distillation.batch.polling import Polling
from reasrm.distillation.run_statistics import RunStopped, StopReason
from reasrm.records.ledger import FINAL, Ledger
from reasrm.records.pair import PreferencePair
from reasrm.records.trace import TraceOutcome
from tests.fake_vendor.oracle_on_loopback import LocalOracle, ask_batches, oracle, settings

pytestmark = pytest.mark.slow

BOTH = pytest.mark.parametrize("vendor", [ApiProtocol.ANTHROPIC, ApiProtocol.OPENAI])
"""The third API differs in its bodies alone; `test_batch_run.py` asks all three."""


PAIRS = 60


@pytest.fixture
def some(pairs: list[PreferencePair]) -> list[PreferencePair]:
    return pairs[:PAIRS]


def outcomes(file: Path) -> list[str]:
    """How each settled request of a ledger result."""
    with Ledger(file) as ledger:
        return [entry["outcome"] for entry in ledger.entries() if entry["state"] == FINAL]


def goes_on(server: LocalOracle, vendor: ApiProtocol, pairs: list[PreferencePair], file: Path) -> None:
    """Once the fault is mended, the same command gets every reply that is missing, and no other."""
    kept = len(outcomes(file))
    server.restart()
    _, totals = ask_batches(server, oracle(vendor), pairs, file)
    assert totals.outcomes[TraceOutcome.OK] == len(pairs)
    assert server.request_log()["billed"] == len(pairs) - kept


@pytest.mark.parametrize(
    ("vendor", "how"),
    [
        (ApiProtocol.ANTHROPIC, "credit_balance"),
        (ApiProtocol.ANTHROPIC, "spend_limit"),
        (ApiProtocol.OPENAI, "credit_balance"),
        (ApiProtocol.OPENAI_RESPONSES, "credit_balance"),
    ],
)
def test_money_that_runs_out_within_a_batch_closes_nothing(
    vendor: ApiProtocol, how: str, server: LocalOracle, some: list[PreferencePair], tmp_path: Path
) -> None:
    file = tmp_path / "ledger.jsonl"
    server.restart(credit_usd=0.02, credit_stop=how)
    result, _ = ask_batches(server, oracle(vendor), some, file)
    assert result.stopped is StopReason.NO_CREDIT
    assert 0 < len(outcomes(file)) == server.request_log()["billed"] < PAIRS
    assert set(outcomes(file)) == {"ok"}
    goes_on(server, vendor, some, file)


@pytest.mark.parametrize(
    ("vendor", "kind", "reason"),
    [
        (ApiProtocol.ANTHROPIC, "billing_error", StopReason.NO_CREDIT),
        (ApiProtocol.ANTHROPIC, "authentication_error", StopReason.NOT_ALLOWED),
        (ApiProtocol.ANTHROPIC, "permission_error", StopReason.NOT_ALLOWED),
        (ApiProtocol.OPENAI, "insufficient_quota", StopReason.NO_CREDIT),
        (ApiProtocol.OPENAI, "invalid_api_key", StopReason.NOT_ALLOWED),
        (ApiProtocol.OPENAI_RESPONSES, "model_not_found", StopReason.NOT_ALLOWED),
    ],
)
def test_a_row_that_stops_the_run_hides_no_other(
    vendor: ApiProtocol, kind: str, reason: StopReason, server: LocalOracle, some: list[PreferencePair], tmp_path: Path
) -> None:
    file = tmp_path / "ledger.jsonl"
    server.restart(batch_row_errors={kind: 0.1})
    result, _ = ask_batches(server, oracle(vendor), some, file)
    assert result.stopped is reason
    assert kind in result.detail
    assert outcomes(file) == ["ok"] * server.request_log()["billed"]
    assert len(outcomes(file)) > 40
    goes_on(server, vendor, some, file)


def test_a_batch_that_is_invalid_throughout_closes_nothing(
    server: LocalOracle, some: list[PreferencePair], tmp_path: Path
) -> None:
    file = tmp_path / "ledger.jsonl"
    server.restart(faults={"invalid": 1.0})
    result, _ = ask_batches(server, oracle(ApiProtocol.OPENAI), some, file)
    assert result.stopped is StopReason.ALL_INVALID
    assert "the request is invalid" in result.detail
    assert outcomes(file) == []
    goes_on(server, ApiProtocol.OPENAI, some, file)


def test_money_that_runs_out_with_an_unknown_message_closes_nothing(
    server: LocalOracle, some: list[PreferencePair], tmp_path: Path
) -> None:
    file = tmp_path / "ledger.jsonl"
    server.restart(credit_usd=0.02, credit_stop="unforeseen")
    result, _ = ask_batches(server, oracle(ApiProtocol.ANTHROPIC), some, file)
    assert result.stopped is StopReason.ALL_INVALID
    assert set(outcomes(file)) == {"ok"}
    goes_on(server, ApiProtocol.ANTHROPIC, some, file)


def test_many_refusals_are_confirmed_once_they_are_seen_again(
    server: LocalOracle, some: list[PreferencePair], tmp_path: Path
) -> None:
    file = tmp_path / "ledger.jsonl"
    server.restart(faults={"invalid": 0.4})
    result, _ = ask_batches(server, oracle(ApiProtocol.OPENAI), some, file)
    assert result.stopped is StopReason.ALL_INVALID
    assert set(outcomes(file)) == {"ok"}
    result, totals = ask_batches(server, oracle(ApiProtocol.OPENAI), some, file)
    assert result.stopped is None
    assert totals.outcomes[TraceOutcome.REJECTED] == server.request_log()["rejected"] / 2 > 12
    assert totals.outcomes.total() == PAIRS


def test_a_cut_reply_stands_if_the_model_takes_no_higher_limit(
    server: LocalOracle, some: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(faults={"truncated": 0.5}, largest_token_limit=400)
    result, totals = ask_batches(server, oracle(ApiProtocol.ANTHROPIC), some, tmp_path / "ledger.jsonl")
    assert result.stopped is None
    cut, whole = totals.outcomes[TraceOutcome.TRUNCATED], totals.outcomes[TraceOutcome.OK]
    assert 10 < cut == PAIRS - whole
    assert result.statistics["outcomes"] == {"ok": whole, "truncated": cut}
    account = server.request_log()
    assert account["billed"] == PAIRS
    assert account["rejected"] == cut


def test_a_full_queue_is_waited_for(server: LocalOracle, some: list[PreferencePair], tmp_path: Path) -> None:
    server.restart(batch_queue_requests=30, batch_seconds=0.6)
    _, totals = ask_batches(server, oracle(ApiProtocol.OPENAI), some, tmp_path / "ledger.jsonl", batch_requests=30)
    assert totals.outcomes[TraceOutcome.OK] == PAIRS
    assert server.request_log()["billed"] == PAIRS


@pytest.mark.parametrize(
    ("settings", "reason", "said"),
    [
        ({"batch_queue_requests": 30}, StopReason.QUEUE_FULL, "Enqueued token limit reached"),
        ({"batch_failure": "billing_hard_limit_reached"}, StopReason.NO_CREDIT, "billing_hard_limit_reached"),
        ({"batch_failure": "invalid_json_line"}, StopReason.ALL_INVALID, "invalid_json_line"),
    ],
)
def test_a_batch_that_fails_as_a_whole_says_why(
    settings: dict[str, Any],
    reason: StopReason,
    said: str,
    server: LocalOracle,
    some: list[PreferencePair],
    tmp_path: Path,
) -> None:
    file = tmp_path / "ledger.jsonl"
    server.restart(**settings)
    result, _ = ask_batches(server, oracle(ApiProtocol.OPENAI), some, file)
    assert result.stopped is reason
    assert said in result.detail
    assert server.request_log()["batches_created"] == 1
    assert outcomes(file) == []
    goes_on(server, ApiProtocol.OPENAI, some, file)


def test_creations_that_never_succeed_stop_the_run(
    server: LocalOracle, some: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(refused_batch_creates=1000)
    file = tmp_path / "ledger.jsonl"
    result, _ = ask_batches(server, oracle(ApiProtocol.OPENAI), some, file, poll_seconds=0.1, outage_minutes=0.02)
    assert result.stopped is StopReason.OUTAGE
    assert result.detail == "overloaded"
    goes_on(server, ApiProtocol.OPENAI, some, file)


def test_a_batch_api_that_asks_for_a_pause_of_a_day_is_not_waited_for() -> None:
    polling = Polling(settings(), lambda doing, is_new: None)
    for error_kind, reason in (
        (ErrorKind.OVERLOADED, StopReason.OUTAGE),
        (ErrorKind.RATE_LIMITED, StopReason.RATE_LIMITED),
    ):
        with pytest.raises(RunStopped, match="asks for a pause of 86400 s: come back tomorrow") as caught:
            asyncio.run(polling.wait_after(BatchApiError(error_kind, "come back tomorrow", 86_400)))
        assert caught.value.reason is reason


def test_an_account_without_money_takes_in_the_batches_that_are_paid_for(
    server: LocalOracle, some: list[PreferencePair], tmp_path: Path
) -> None:
    file = tmp_path / "ledger.jsonl"
    server.restart(credit_usd=0.01)
    result, _ = ask_batches(server, oracle(ApiProtocol.ANTHROPIC), some, file, batch_requests=30)
    assert result.stopped is StopReason.NO_CREDIT
    assert server.request_log()["batches_created"] == 1
    assert len(outcomes(file)) == server.request_log()["billed"] > 0


@BOTH
def test_results_that_are_gone_are_asked_again_and_said(
    vendor: ApiProtocol,
    server: LocalOracle,
    some: list[PreferencePair],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server.restart(archived_batches=1)
    result, totals = ask_batches(server, oracle(vendor), some, tmp_path / "ledger.jsonl")
    assert totals.outcomes[TraceOutcome.OK] == PAIRS
    assert result.possibly_billed == PAIRS
    assert "60 requests are asked again, and may have been billed" in capsys.readouterr().err
    again, _ = ask_batches(server, oracle(vendor), some, tmp_path / "ledger.jsonl")
    assert again.possibly_billed == PAIRS
    assert server.request_log()["batches_created"] == 2


def test_a_batch_run_without_any_reply_is_no_success(
    server: LocalOracle, some: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(batch_expired=1.0)
    result, _ = ask_batches(
        server, oracle(ApiProtocol.OPENAI), some, tmp_path / "l.jsonl", attempts=1, poll_seconds=0.1
    )
    assert result.stopped is StopReason.OUTAGE
    assert "no request has got a reply" in result.detail
