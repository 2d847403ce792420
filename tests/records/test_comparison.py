"""Pairs and the two orders in which they are shown."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reasrm.records.comparison import Side, hashed_side, show
from reasrm.records.pair import Message, PreferencePair, Role


def pair(chosen: str = "good", rejected: str = "bad", question: str = "q") -> PreferencePair:
    return PreferencePair(
        prompt=(Message(role=Role.USER, content=question),), chosen=chosen, rejected=rejected, source="test"
    )


@given(chosen=st.text(), rejected=st.text(), side=st.sampled_from(Side))
def test_swapping_twice_is_nothing_and_once_moves_text_and_label(chosen: str, rejected: str, side: Side) -> None:
    comparison = show(pair(chosen, rejected), side)
    assert comparison.swapped().swapped() == comparison
    for shown in (comparison, comparison.swapped()):
        assert (shown.response_a if shown.better is Side.A else shown.response_b) == chosen


def test_the_hashed_order_is_balanced_repeatable_and_depends_on_the_seed() -> None:
    pairs = [pair(question=f"question {number}") for number in range(2000)]
    sides = [hashed_side(item, seed=0) for item in pairs]
    assert sides == [hashed_side(item, seed=0) for item in pairs]
    assert 900 < Counter(sides)[Side.A] < 1100
    agree = sum(side is hashed_side(item, seed=1) for side, item in zip(sides, pairs, strict=True))
    assert 900 < agree < 1100


def test_the_id_is_the_hash_of_the_texts_alone() -> None:
    labelled = pair().model_copy(update={"labels": {"family": "x"}, "source": "other"})
    assert labelled.id == pair().id != pair(chosen="better").id


def test_an_id_that_is_not_the_hash_is_refused() -> None:
    with pytest.raises(ValidationError, match="is not the hash of the texts"):
        PreferencePair.model_validate(pair().model_dump() | {"chosen": "edited"})


def test_a_conversation_must_end_with_the_user() -> None:
    with pytest.raises(ValidationError, match="last turn must be the user's"):
        PreferencePair(prompt=(Message(role=Role.ASSISTANT, content="hello"),), chosen="a", rejected="b", source="test")
