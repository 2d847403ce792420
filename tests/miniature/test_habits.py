"""The base's habits: as often as stated, right when it works, by layout or position when it does not."""

import random

import pytest
from pydantic import ValidationError

from reasrm.judging.chain_of_rubrics import PromptVariant, instruction
from reasrm.miniature.habits import Habits
from reasrm.miniature.pretraining_documents import world_documents
from reasrm.miniature.slices import Family, Slice
from reasrm.miniature.styles import Style
from reasrm.miniature.traces import layout_analysis
from reasrm.miniature.world import Split, make_pair, split_of
from reasrm.records.comparison import Comparison, Side, show
from tests.fixtures.world import HABITS, documents

ASKED = (PromptVariant.FULL, PromptVariant.RUBRICS, PromptVariant.PLAIN)


def by_layout(text: str) -> bool:
    """Whether an analysis speaks of layout."""
    return any(f" is {style.label}." in text for style in Style)


def shown(family: Family, rng: random.Random) -> Comparison:
    return show(make_pair(family, Split.TRAIN, rng, 0.5), rng.choice(list(Side)))


@pytest.mark.parametrize("variant", ASKED)
def test_each_slice_is_worked_out_as_often_as_stated(variant: PromptVariant) -> None:
    rng = random.Random(3)
    worked: dict[str, list[bool]] = {}
    for family in (Family.DIAL, Family.BOXES, Family.SAFE):
        for _ in range(1500):
            pair = make_pair(family, Split.TRAIN, rng, 0.5)
            text, _ = HABITS.judge(show(pair, Side.A), variant, rng)
            worked.setdefault(pair.labels["slice"], []).append(not by_layout(text))
    for found, marks in worked.items():
        assert sum(marks) / len(marks) == pytest.approx(HABITS.works[variant][Slice(found)], abs=0.06)


def test_who_never_works_goes_by_layout_and_takes_the_first_of_equals() -> None:
    never = HABITS.model_copy(
        update={"works": {v: dict.fromkeys(Slice, 0.0) for v in ASKED}, "stock_rubric": 0.0, "answer_only_right": 0.0}
    )
    rng = random.Random(5)
    for _ in range(300):
        comparison = shown(rng.choice(list(Family)), rng)
        text, verdict = never.judge(comparison, rng.choice((*ASKED, PromptVariant.ANSWER_ONLY)), rng)
        richer = layout_analysis(comparison.response_a, comparison.response_b).preferred
        assert verdict is (richer or Side.A)
        assert not text or by_layout(text)


def test_who_always_works_is_always_right() -> None:
    always = HABITS.model_copy(
        update={"works": {v: dict.fromkeys(Slice, 1.0) for v in ASKED}, "answer_only_right": 1.0}
    )
    rng = random.Random(6)
    for _ in range(300):
        comparison = shown(rng.choice(list(Family)), rng)
        assert always.judge(comparison, rng.choice((*ASKED, PromptVariant.ANSWER_ONLY)), rng)[1] is comparison.better


def test_a_slice_without_a_share_is_refused_by_name() -> None:
    values = HABITS.model_dump(mode="json")
    del values["works"]["plain"]["chat-guide"]
    with pytest.raises(ValidationError, match=r"works\.plain.*chat-guide"):
        Habits.model_validate(values)


def test_a_base_has_a_habit_in_the_finer_form_where_shares_are_given() -> None:
    values = HABITS.model_dump(mode="json")
    finer = Habits.model_validate(values | {"works": values["works"] | {"full_categories": values["works"]["full"]}})
    asked = instruction(PromptVariant.FULL_CATEGORIES)
    for habits, expected in ((HABITS, False), (finer, True)):
        written = world_documents(400, habits, 0)
        assert any(document.prompt[0].content == asked for document in written) is expected
    with pytest.raises(ValidationError, match=r"works\.full_categories.*safe"):
        Habits.model_validate(values | {"works": values["works"] | {"full_categories": {"dial-long": 0.5}}})


def test_documents_are_the_same_for_the_same_seed_and_never_of_another_split() -> None:
    assert documents(300, 1) == documents(300, 1) != documents(300, 2)
    questions = {
        line
        for document in documents(300, 1)
        for turn in document.prompt
        for line in turn.content.split("\n")
        if line.startswith(("A dial", "You face", "A ball", "How do I", "Write a")) and line.endswith(("?", "fact."))
    }
    asked = {line for line in questions if not line.startswith("You face") or "Step" in line}
    assert len(asked) > 200
    assert {split_of(line) for line in asked} == {Split.TRAIN}
