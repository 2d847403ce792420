"""What may have been billed without an answer, over all runs of a ledger; and what a run looks up before it asks.

Run:     pytest tests/oracle/test_unseen_bills.py
"""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.apis.error_classification import ErrorKind
from reasrm.apis.request_format import ApiProtocol
from reasrm.distillation.ledger_state import LedgerState
from reasrm.distillation.possibly_billed import maybe_billed_unseen
from reasrm.distillation.request_plan import before_asking, look_ahead
from reasrm.records.content_hash import content_hash
from reasrm.records.ledger import FINAL, Ledger
from reasrm.records.pair import PreferencePair
from tests.fake_vendor.oracle_on_loopback import cases, oracle

KEYS = [content_hash(number) for number in range(4)]
ENDS = [*ErrorKind, None]
"""How an attempt ended: a error_kind, or (None) a reply."""


SET_ASIDE = {"usd": 0.25}
"""What each attempt may cost."""


def write(ledger: Ledger, key: str, end: ErrorKind | None) -> None:
    """One attempt that came to an end."""
    ledger.append(key, LedgerState.SENT, SET_ASIDE)
    if end is None:
        ledger.append(key, FINAL, {})
    else:
        ledger.append(key, LedgerState.FAILED, {"trouble": end.value, "detail": ""})


@pytest.mark.slow
@given(st.lists(st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(ENDS)), max_size=6), max_size=4), st.data())
def test_every_run_that_was_killed_adds_what_it_had_in_flight(
    tmp_path_factory: pytest.TempPathFactory, runs: list[list[tuple[str, ErrorKind | None]]], data: st.DataObject
) -> None:
    lost = 0
    path = tmp_path_factory.mktemp("ledgers") / "ledger.jsonl"
    for attempts in runs:
        with Ledger(path) as ledger:
            for key, end in attempts:
                write(ledger, key, end)
                lost += end is not None and end.maybe_billed
            in_flight = data.draw(st.sets(st.sampled_from(KEYS)))
            for key in in_flight:
                ledger.append(key, LedgerState.SENT, SET_ASIDE)
            lost += len(in_flight)
    with Ledger(path) as ledger:
        assert maybe_billed_unseen(ledger.entries()) == (lost, 0.25 * lost)


def test_a_request_lost_at_a_kill_still_counts_when_a_batch_answers_it(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        for key in KEYS[:2]:
            ledger.append(key, LedgerState.SENT, SET_ASIDE)
        ledger.append(content_hash("batch"), LedgerState.BATCH_INTENT, {"keys": [KEYS[0]]})
        ledger.append(KEYS[0], FINAL, {})
        assert maybe_billed_unseen(ledger.entries()) == (2, 0.5)


def test_a_batch_that_was_given_up_counts_with_what_was_set_aside_for_it(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        batch = content_hash("batch")
        ledger.append(batch, LedgerState.BATCH_INTENT, {"keys": KEYS, "usd": 1.0})
        assert maybe_billed_unseen(ledger.entries()) == (0, 0.0)
        ledger.append(batch, LedgerState.BATCH_DONE, {"unread": 3})
        assert maybe_billed_unseen(ledger.entries()) == (3, 0.75)


def test_a_ledger_that_noted_no_price_counts_the_attempt_alone(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        ledger.append(KEYS[0], LedgerState.SENT, {})
        assert maybe_billed_unseen(ledger.entries()) == (1, 0.0)


def test_an_empty_ledger_gives_the_same_counts_without_a_look_at_the_prompts(
    pairs: list[PreferencePair], tmp_path: Path
) -> None:
    who = oracle(ApiProtocol.ANTHROPIC)
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        quick = before_asking(cases(pairs), who.plan(), ledger, who.estimates())
        full = look_ahead(cases(pairs), who.plan(), ledger, who.estimates())
    assert (quick.questions, quick.answered, quick.to_ask) == (full.questions, full.answered, full.to_ask)
    assert quick.to_ask == len(pairs)
    assert full.prompt_characters_to_ask > 0
