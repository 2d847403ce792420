"""Batch mode against the local server: nothing is bought twice, whatever is lost.

Run:     pytest tests/oracle/test_batch_session.py
"""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from oracle_on_loopback import LocalOracle, cases, oracle, settings

from stages.oracle.attempt import Vendor
from stages.oracle.batch_ledger import BatchLedger
from stages.oracle.batch_session import ask_in_batches
from stages.oracle.gate import StopReason
from stages.oracle.session import Ended
from stages.oracle.settings import Mode
from stages.oracle.traces import PassTotals, traces
from stages.records.ledger import Ledger
from stages.records.pair import PreferencePair
from stages.records.trace import TraceOutcome, TracePass

BOTH = pytest.mark.parametrize("vendor", list(Vendor))


def ask(server: LocalOracle, who: Any, pairs: list[PreferencePair], file: Path, **how: Any) -> tuple[Ended, PassTotals]:
    """One batch run, and the totals of its output if it is whole."""
    with Ledger(file) as ledger:
        how = {"mode": Mode.BATCH} | how
        ended = ask_in_batches("test", lambda: cases(pairs), who, ledger, settings(**how), server.endpoint)
        totals = PassTotals(who.prices)
        if ended.stopped is None:
            list(traces(cases(pairs), who.plan(), ledger, TracePass.FIRST, who.model, totals))
    return ended, totals


@BOTH
def test_batches_answer_every_pair_at_half_the_price(
    vendor: Vendor, server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(batch_seconds=0.3)
    _, totals = ask(server, oracle(vendor), pairs, tmp_path / "ledger.jsonl", batch_requests=70)
    books = server.accounts()
    assert books["batches_created"] == 3
    assert books["billed"] == books["distinct_billed"] == len(pairs)
    assert totals.outcomes[TraceOutcome.OK] == len(pairs)
    assert totals.usd == pytest.approx(books["usd"])


@BOTH
def test_a_lost_reply_to_a_creation_buys_nothing_twice(
    vendor: Vendor, server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(lost_batch_creates=1)
    _, totals = ask(server, oracle(vendor), pairs, tmp_path / "ledger.jsonl")
    books = server.accounts()
    assert books["batches_created"] == 1
    assert books["billed"] == len(pairs)
    assert totals.outcomes[TraceOutcome.OK] == len(pairs)


@BOTH
def test_errored_expired_and_missing_requests_go_into_the_next_batch(
    vendor: Vendor, server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    server.restart(
        batch_errored=0.1, batch_expired=0.1, batch_missing=0.1, faults={"invalid": 0.05, "truncated": 0.1}, seed=2
    )
    _, totals = ask(server, oracle(vendor), pairs, tmp_path / "ledger.jsonl")
    books = server.accounts()
    totals.check(len(pairs))
    assert totals.outcomes[TraceOutcome.REJECTED] == books["rejected"] > 0
    assert books["rejected_sent_again"] == 0
    assert totals.outcomes[TraceOutcome.GAVE_UP] == 0
    assert books["billed"] == books["distinct_billed"]


@BOTH
def test_a_run_killed_after_the_creation_takes_the_batch_up_again(
    vendor: Vendor, server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    file = tmp_path / "ledger.jsonl"
    who = oracle(vendor)
    ask(server, who, pairs, file)
    lines = file.read_bytes().splitlines(keepends=True)
    intent_only = [line for line in lines if b"batch_intent" in line]
    file.write_bytes(b"".join(intent_only))
    _, totals = ask(server, who, pairs, file)
    books = server.accounts()
    assert books["batches_created"] == 1
    assert books["billed"] == len(pairs)
    assert totals.outcomes[TraceOutcome.OK] == len(pairs)


def test_a_batch_that_was_never_created_is_created(
    server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path
) -> None:
    file = tmp_path / "ledger.jsonl"
    with Ledger(file) as ledger:
        BatchLedger(ledger).intend(["ab" * 20], [])
    _, totals = ask(server, oracle(Vendor.OPENAI), pairs[:20], file)
    assert totals.outcomes[TraceOutcome.OK] == 20


def test_the_budget_holds_for_batches(server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path) -> None:
    ended, _ = ask(server, oracle(Vendor.ANTHROPIC), pairs, tmp_path / "ledger.jsonl", budget_usd=0.1)
    assert ended.stopped is StopReason.BUDGET
    assert 0.09 < server.accounts()["usd"] <= 0.1


def test_an_account_without_money_stops_the_run(
    server: LocalOracle, pairs: list[PreferencePair], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "withdrawn")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        how = settings(mode=Mode.BATCH)
        ended = ask_in_batches("test", lambda: cases(pairs), oracle(Vendor.OPENAI), ledger, how, nullcontext)
    assert ended.stopped is StopReason.NOT_ALLOWED
