"""What may have been billed without an answer, over all runs of a ledger; and what a run looks up before it asks.

Run:     pytest tests/distillation/test_ledger_entries.py
"""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.apis.api_reply import AttemptResult
from reasrm.apis.error_classification import ErrorKind
from reasrm.apis.request_format import ApiProtocol
from reasrm.distillation.cost_estimate import estimate_before_run, estimate_cost
from reasrm.distillation.ledger_entries import EarlierRuns, LedgerState, failed_entry, possibly_billed
from reasrm.distillation.spend_budget import TokenEstimates
from reasrm.records.content_hash import content_hash
from reasrm.records.ledger import FINAL, Ledger
from reasrm.records.pair import PreferencePair
from tests.fake_vendor.oracle_on_loopback import oracle, questions

KEYS = [content_hash(number) for number in range(4)]
ENDS = [*ErrorKind, None]
"""How an attempt result: an error kind, or (None) a reply."""


SET_ASIDE = {"usd": 0.25}
"""What each attempt may cost."""


def write(ledger: Ledger, key: str, end: ErrorKind | None) -> None:
    """One attempt that came to an end."""
    ledger.append(key, LedgerState.SENT, SET_ASIDE)
    if end is None:
        ledger.append(key, FINAL, {})
    else:
        ledger.append(key, LedgerState.FAILED, failed_entry(AttemptResult(error_kind=end)))


def test_a_ledger_of_an_older_version_is_read(tmp_path: Path) -> None:
    """It calls the kind of error `trouble`; new entries call it `error_kind`."""
    older = {"trouble": ErrorKind.TIMEOUT.value, "detail": ""}
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        for key, entry in ((KEYS[0], older), (KEYS[1], failed_entry(AttemptResult(error_kind=ErrorKind.TIMEOUT)))):
            ledger.append(key, LedgerState.SENT, SET_ASIDE)
            ledger.append(key, LedgerState.FAILED, entry)
        assert possibly_billed(ledger.entries()) == (2, 0.5)
        for entry in (older | {"trouble": "invalid"}, failed_entry(AttemptResult(error_kind=ErrorKind.INVALID))):
            ledger.append(KEYS[2], LedgerState.FAILED, entry)
        assert EarlierRuns.read(ledger.entries(), [KEYS[2]]).refused == {KEYS[2]}
        assert EarlierRuns.read(ledger.entries(), [KEYS[2], KEYS[2]]).refused == set()


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
        assert possibly_billed(ledger.entries()) == (lost, 0.25 * lost)


def test_a_request_lost_at_a_kill_still_counts_when_a_batch_answers_it(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        for key in KEYS[:2]:
            ledger.append(key, LedgerState.SENT, SET_ASIDE)
        ledger.append(content_hash("batch"), LedgerState.BATCH_INTENT, {"keys": [KEYS[0]]})
        ledger.append(KEYS[0], FINAL, {})
        assert possibly_billed(ledger.entries()) == (2, 0.5)


def test_a_batch_that_was_given_up_counts_with_what_was_set_aside_for_it(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        batch = content_hash("batch")
        ledger.append(batch, LedgerState.BATCH_INTENT, {"keys": KEYS, "usd": 1.0})
        assert possibly_billed(ledger.entries()) == (0, 0.0)
        ledger.append(batch, LedgerState.BATCH_DONE, {"unread": 3})
        assert possibly_billed(ledger.entries()) == (3, 0.75)


def test_a_ledger_that_noted_no_price_counts_the_attempt_alone(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        ledger.append(KEYS[0], LedgerState.SENT, {})
        assert possibly_billed(ledger.entries()) == (1, 0.0)


def test_an_empty_ledger_gives_the_same_counts_without_a_look_at_the_prompts(
    pairs: list[PreferencePair], tmp_path: Path
) -> None:
    who = oracle(ApiProtocol.ANTHROPIC)
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        quick = estimate_before_run(questions(pairs), who.plan(), ledger, TokenEstimates(who.max_tokens))
        full = estimate_cost(questions(pairs), who.plan(), ledger, TokenEstimates(who.max_tokens))
    assert (quick.questions, quick.answered, quick.to_ask) == (full.questions, full.answered, full.to_ask)
    assert quick.to_ask == len(pairs)
    assert full.prompt_characters_to_ask > 0
