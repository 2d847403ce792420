"""What a row says beside its format is in the pair, or the row is refused: no part of a question is lost."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.datasets.other_fields import SYSTEM_FIELDS, require_agreeing_scores
from reasrm.datasets.preference_rows import preference_pair
from reasrm.datasets.row_fields import Refusal, RowRefusedError
from tests.datasets.test_preference_formats import ASKED, BAD, GOOD, OURS, ROWS, TEXTS, A, B, Q

SYSTEM = "Answer as a pirate."


@pytest.mark.parametrize("field", SYSTEM_FIELDS)
@pytest.mark.parametrize(("name", "row"), ROWS, ids=[f"{n}-{name}" for n, (name, _) in enumerate(ROWS)])
def test_every_format_keeps_the_system_prompt_of_a_field(name: str, row: dict[str, Any], field: str) -> None:
    pair = preference_pair(row | {field: SYSTEM}, "s")
    assert [(turn.role.value, turn.content) for turn in pair.prompt] == [("system", SYSTEM), ("user", ASKED)], name
    assert (pair.chosen, pair.rejected) == (GOOD, BAD)


@pytest.mark.parametrize("nothing", [None, "", " ", float("nan")])
def test_an_empty_system_prompt_is_none(nothing: object) -> None:
    assert preference_pair({"system": nothing, "question": ASKED, **TEXTS}, "s").id == OURS.id


def test_two_system_prompts_that_differ_refuse_the_row() -> None:
    row = {"system": SYSTEM, "prompt": [{"role": "system", "content": f"{SYSTEM}\n"}, Q], **TEXTS}
    assert len(preference_pair(row, "s").prompt) == 2
    with pytest.raises(RowRefusedError, match="`system_prompt` is not the system turn"):
        preference_pair(row | {"system_prompt": "Be brief."}, "s")


LOST = [
    {"prompt": "Summarise it.", "context": "A long article.", **TEXTS},
    {"prompt": "Summarise it.", "article": "A long article.", **TEXTS},
    {"instruction": "Translate it.", "input": "Bonjour", "chosen_response": GOOD, "rejected_response": BAD},
    {"prompt": ASKED, "history": [["hello", "hi"]], **TEXTS},
    {"prompt": ASKED, "history": [["planet", "is"]], **TEXTS},  # words of the question, but turns of their own
    {"prompt": ASKED, "history": [["hello", "hi"]], "response_1": GOOD, "response_2": BAD, "preference_strength": 1},
    {"prompt": ASKED, "conversation": [{"input": "hello", "output": "hi"}], **TEXTS},
    {"input": ASKED, "output_1": GOOD, "output_2": BAD, "label": 1, "messages": [{"role": "user", "content": "hello"}]},
    {"prompt": ASKED, "initial_reason_steps": "Step 1: look.", **TEXTS},
]


@pytest.mark.parametrize("row", LOST, ids=range(len(LOST)))
def test_a_part_of_the_question_that_would_be_lost_refuses_the_row(row: dict[str, Any]) -> None:
    with pytest.raises(RowRefusedError, match="is not read, and what it says is not in the question") as refused:
        preference_pair(row, "s")
    assert refused.value.reason is Refusal.WRONG_SHAPE


IN_IT = [
    {"prompt": ASKED, "query": f" {ASKED.upper()}", **TEXTS},
    {"prompt": f"Read this.\n{ASKED}", "context": ASKED, **TEXTS},
    {"prompt": ASKED, "chosen": [Q, A], "rejected": [Q, B], "conversation": [{"input": ASKED, "output": "?"}]},
    {"prompt": ASKED, "history": [], "context": "", "input": None, **TEXTS},
    {"prompt": ASKED, "initial_reason_steps": "Jup", "full_chosen": GOOD, "full_rejected": BAD},
]


@pytest.mark.parametrize("row", IN_IT, ids=range(len(IN_IT)))
def test_what_is_in_the_pair_already_does_not_refuse_it(row: dict[str, Any]) -> None:
    assert preference_pair(row, "s").chosen == GOOD


@pytest.mark.parametrize("field", ["problem", "post", "user", "Prompt", "inputs"])
@pytest.mark.parametrize("value", ["What is 2 + 2?", ["What is 2 + 2?"], [{"role": "user", "content": "2 + 2?"}]])
def test_a_prompt_under_an_unknown_name_is_not_looked_for_in_the_answers(field: str, value: object) -> None:
    row = {field: value, "chosen": "The answer is 4.", "rejected": "The answer is 5."}
    with pytest.raises(RowRefusedError) as refused:
        preference_pair(row, "s")
    assert refused.value.reason is Refusal.UNKNOWN_FORMAT


def test_what_is_about_the_row_does_not_hide_an_implicit_prompt() -> None:
    about = {"id": 7, "source": "two words", "chosen_model": "a b", "score": 0.5, "uuid": "x-1", "meta": {"a": ["b c"]}}
    assert preference_pair({"chosen": f"{ASKED} {GOOD}", "rejected": f"{ASKED} {BAD}"} | about, "s").id == OURS.id


@pytest.mark.parametrize("field", ["tools", "functions", "documents", "images"])
def test_what_cannot_be_shown_refuses_the_row_unless_there_is_none(field: str) -> None:
    row = {"prompt": [Q], "chosen": [A], "rejected": [B]}
    for empty in (None, [], "", "[]", "null", float("nan")):
        assert preference_pair(row | {field: empty}, "s").id == OURS.id
    for given_too in ([{"name": "f"}], '[{"name": "f"}]'):
        with pytest.raises(RowRefusedError) as refused:
            preference_pair(row | {field: given_too}, "s")
        assert refused.value.reason is Refusal.NO_TEXT


def test_the_part_of_a_data_set_is_a_label_in_every_format() -> None:
    for name, row in ROWS[:6] + ROWS[20:]:
        pair = preference_pair(row | {"source": "evol"}, "s")
        assert pair.labels.get("part") == "evol" or pair.source == "evol", name


@given(
    high=st.floats(-1e9, 1e9), low=st.floats(-1e9, 1e9), as_text=st.booleans(),
    name=st.sampled_from(["score_{}", "{}_score", "{}-rating", "{}_avg_rating", "{}_rm_score", "reward_{}"]),
)  # fmt: skip
def test_scores_decide_whether_the_preference_stands(high: float, low: float, as_text: bool, name: str) -> None:
    scores = {name.format("chosen"): high, name.format("rejected"): low}
    row = {field: repr(value) if as_text else value for field, value in scores.items()}
    refused = None
    try:
        require_agreeing_scores(row)
    except RowRefusedError as error:
        refused = error.reason
    assert refused is (None if high > low else Refusal.TIE if high == low else Refusal.CONTRADICTORY)


def test_numbers_that_are_no_scores_of_worth_say_nothing() -> None:
    row = {"chosen_toxicity_score": 0, "rejected_toxicity_score": 9, "chosen_tokens": 1, "rejected_tokens": 1}
    require_agreeing_scores(row | {"chosen_score_std": 0.5, "rejected_score_std": 0.5, "chosen_score": "N/A"})
