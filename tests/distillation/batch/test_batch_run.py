"""Batch mode against the local server: nothing is bought twice, whatever is lost.

Run:     pytest tests/distillation/batch/test_batch_run.py
"""

from contextlib import nullcontext
from pathlib import Path

import pytest

from reasrm.apis.request_format import ApiProtocol
from reasrm.distillation.batch.batch_ledger import BatchLedger
from reasrm.distillation.batch.batch_run import ask_in_batches
from reasrm.distillation.cost_estimate import unanswered_keys
from reasrm.distillation.ledger_entries import LedgerState
from reasrm.distillation.run_statistics import StopReason
from reasrm.distillation.settings import AskingMode
from reasrm.records.ledger import Ledger
from reasrm.records.pair import PreferencePair
from reasrm.records.trace import TraceOutcome
from tests.fake_vendor.oracle_on_loopback import (
    EACH_VENDOR,
    PRICES,
    LocalOracle,
    ask_batches,
    forget_what_came_after,
    oracle,
    questions,
    settings,
)


@EACH_VENDOR
def test_batches_answer_every_pair_at_half_the_price(
    vendor: ApiProtocol, server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(batch_seconds=0.3)
    _, totals = ask_batches(server, oracle(vendor), pairs, tmp_path / "ledger.jsonl", batch_requests=70)
    account = server.request_log()
    assert account["batches_created"] == 3
    assert account["billed"] == account["distinct_billed"] == len(pairs)
    assert totals.outcomes[TraceOutcome.OK] == len(pairs)
    assert totals.usd == pytest.approx(account["usd"])


@EACH_VENDOR
def test_a_lost_reply_to_a_creation_buys_nothing_twice(
    vendor: ApiProtocol, server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(lost_batch_creates=1)
    _, totals = ask_batches(server, oracle(vendor), pairs, tmp_path / "ledger.jsonl")
    account = server.request_log()
    assert account["batches_created"] == 1
    assert account["billed"] == len(pairs)
    assert totals.outcomes[TraceOutcome.OK] == len(pairs)


@EACH_VENDOR
def test_errored_expired_and_missing_requests_go_into_the_next_batch(
    vendor: ApiProtocol, server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(
        batch_errored=0.1, batch_expired=0.1, batch_missing=0.1, faults={"invalid": 0.05, "truncated": 0.1}, seed=2
    )
    _, totals = ask_batches(server, oracle(vendor), pairs, tmp_path / "ledger.jsonl")
    account = server.request_log()
    totals.check(len(pairs))
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        rejected = sum(entry.get("outcome") == TraceOutcome.REJECTED for entry in ledger.entries())
    assert rejected == account["rejected"] >= totals.outcomes[TraceOutcome.REJECTED] > 0
    assert account["rejected_sent_again"] == 0
    assert totals.outcomes[TraceOutcome.GAVE_UP] == 0
    assert account["billed"] == account["distinct_billed"]


@EACH_VENDOR
def test_a_run_killed_after_the_creation_takes_the_batch_up_again(
    vendor: ApiProtocol, server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    file = tmp_path / "ledger.jsonl"
    who = oracle(vendor)
    ask_batches(server, who, pairs, file)
    forget_what_came_after(file, LedgerState.BATCH_INTENT)
    _, totals = ask_batches(server, who, pairs, file)
    account = server.request_log()
    assert account["batches_created"] == 1
    assert account["billed"] == len(pairs)
    assert totals.outcomes[TraceOutcome.OK] == len(pairs)


@EACH_VENDOR
def test_a_batch_that_was_never_created_is_created(
    vendor: ApiProtocol, server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    file = tmp_path / "ledger.jsonl"
    who = oracle(vendor)
    with Ledger(file) as ledger:
        keys = list(unanswered_keys(questions(pairs[:20]), who.plan(), ledger))
        BatchLedger(ledger).intend(vendor, keys, PRICES, [])
    _, totals = ask_batches(server, who, pairs[:20], file, poll_seconds=0.1)
    assert totals.outcomes[TraceOutcome.OK] == 20
    assert server.request_log()["batches_created"] == 1


def test_the_budget_holds_for_batches(server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path) -> None:
    result, _ = ask_batches(server, oracle(ApiProtocol.ANTHROPIC), pairs, tmp_path / "ledger.jsonl", budget_usd=0.1)
    assert result.stopped is StopReason.BUDGET
    assert 0.09 < server.request_log()["usd"] <= 0.1


def test_an_account_without_money_stops_the_run(
    server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "withdrawn")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        how = settings(mode=AskingMode.BATCH)
        result = ask_in_batches("test", lambda: questions(pairs), oracle(ApiProtocol.OPENAI), ledger, how, nullcontext)
    assert result.stopped is StopReason.NOT_ALLOWED


@EACH_VENDOR
def test_equal_pairs_are_one_request_of_a_batch_and_all_get_its_reply(
    vendor: ApiProtocol, server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    again = [*pairs[:20], *pairs[:5]]
    result, totals = ask_batches(server, oracle(vendor), again, tmp_path / "ledger.jsonl")
    assert totals.outcomes[TraceOutcome.OK] == sum(result.statistics["outcomes"].values()) == 25
    assert server.request_log()["billed"] == 20
