"""Dialogues written as text: what is a mark, and what only looks like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.datasets.dialogue_text import hh_dialogue, hh_prompt, shared_text
from reasrm.datasets.preference_formats import preference_pair
from reasrm.datasets.row_fields import Refusal, RowRefusedError

LINE = st.text(st.characters(codec="utf-8", exclude_characters="\n:"), min_size=1, max_size=20).map(str.strip)
MARKS = {"user": "Human", "assistant": "Assistant"}


@given(turns=st.lists(LINE, min_size=2, max_size=6))
def test_a_dialogue_comes_back_as_its_turns(turns: list[str]) -> None:
    roles = ["user", "assistant"] * 3
    written = "".join(f"\n\n{MARKS[role]}: {said}" for role, said in zip(roles, turns, strict=False))
    found = hh_dialogue(written, "chosen")
    assert [(turn.role.value, turn.content) for turn in found] == list(zip(roles, turns, strict=False))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("He said: Human: no.", None),  # a mark stands after an empty line
        ("A list:\n\n1. Human rights", None),
        ("Yes.\nHuman: really?", None),
        ("", None),  # the stage sets empty answers aside
        ("I go on.\n\nHuman: and you ask", Refusal.WRONG_SHAPE),  # whose turn that is, nobody can say
        ("One.\n\nAssistant: Two.", Refusal.WRONG_SHAPE),
    ],
)
def test_marks_inside_an_answer(answer: str, reason: Refusal | None) -> None:
    row = {"chosen": f"\n\nHuman: q\n\nAssistant: {answer}", "rejected": "\n\nHuman: q\n\nAssistant: b"}
    if reason is None:
        assert preference_pair(row, "s").chosen == answer
        return
    with pytest.raises(RowRefusedError) as refused:
        preference_pair(row, "s")
    assert refused.value.reason is reason


def test_several_turns_of_one_side_in_a_row_are_kept() -> None:
    before = "\n\nHuman: q\n\nAssistant: one moment\n\nAssistant: here\n\nHuman: thanks\n\nAssistant: "
    pair = preference_pair({"chosen": f"{before}a", "rejected": f"{before}b"}, "s")
    assert [turn.role.value for turn in pair.prompt] == ["user", "assistant", "assistant", "user"]


@pytest.mark.parametrize("text", ["\n\nAssistant: a", "hello\n\nHuman: q\n\nAssistant: a", "", "Human"])
def test_a_dialogue_begins_with_the_human(text: str) -> None:
    with pytest.raises(RowRefusedError):
        hh_dialogue(text, "chosen")


def test_a_question_about_such_dialogues_is_no_dialogue() -> None:
    text = "Human: is this a mark?"
    assert [turn.content for turn in hh_prompt(text, "prompt")] == [text]


def test_a_shared_beginning_ends_at_a_word() -> None:
    assert shared_text("The sky is blue.", "The sky is green.") == ("The sky is", "blue.", "green.")
    assert shared_text("It is black", "It is blue") == ("It is", "black", "blue")
    assert shared_text("Why?\nSo", "Why?\nBut so") == ("Why?", "So", "But so")


@given(prompt=LINE, chosen=LINE, rejected=LINE)
def test_nothing_of_two_texts_is_lost(prompt: str, chosen: str, rejected: str) -> None:
    texts = [f"{prompt} {answer}" for answer in (chosen, rejected)]
    try:
        found = shared_text(*texts)
    except RowRefusedError:
        return
    for text, answer in zip(texts, found[1:], strict=True):
        assert (found[0] + answer).split() == text.split() or "".join((found[0] + answer).split()) == "".join(
            text.split()
        )
