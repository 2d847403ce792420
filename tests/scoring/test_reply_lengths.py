"""Longer replies against shorter ones within a part: the gap of two means, whatever the parts' difficulty."""

import random

import pytest

from reasrm.records.comparison import Side
from reasrm.scoring.judged_items import ItemFacts, JudgedItem
from reasrm.scoring.reply_lengths import length_gaps


def judged(part: str, question: int, tokens: int | None, right: bool) -> JudgedItem:
    item = ItemFacts("set", f"{part} {question}", f"{part} {question}", "p", "family", part, 0, {})
    verdict = Side.A if right else Side.B
    return JudgedItem(item, Side.A, 0, verdict, None, 10, tokens, False)


def test_the_gap_is_that_of_the_two_means_and_parts_are_weighed_by_their_replies() -> None:
    """A hard part with long replies only would look as if length harmed; within parts it does not count."""
    easy = [judged("easy", at, 5 + 2 * (at % 2), right=True) for at in range(60)]
    hard = [judged("hard", at, 50 + 10 * (at % 2), right=at % 2 == 1) for at in range(20)]
    found = {gap.part: gap for gap in length_gaps([*easy, *hard], resamples=500, seed=0)}
    assert list(found) == ["", "easy", "hard"]
    assert (found["easy"].value, found["hard"].value) == (pytest.approx(0.0), pytest.approx(1.0))
    assert found[""].value == pytest.approx(20 / 80)
    assert (found[""].n, found[""].questions, found["hard"].median_tokens) == (80, 80, 55)


def test_the_interval_holds_an_effect_that_is_there_and_zero_where_there_is_none() -> None:
    dice = random.Random(0)
    lengths = [dice.randrange(10, 100) for _ in range(400)]
    helped = [
        judged("part", at, tokens, dice.random() < 0.5 + 0.3 * (tokens > 55)) for at, tokens in enumerate(lengths)
    ]
    chance = [judged("part", at, tokens, dice.random() < 0.7) for at, tokens in enumerate(lengths)]
    gap, none = (length_gaps(some, resamples=500, seed=0)[0] for some in (helped, chance))
    assert 0 < gap.low < 0.3 < gap.high
    assert none.low < 0 < none.high


def test_judges_that_write_nothing_or_always_as_much_have_no_gap() -> None:
    assert length_gaps([judged("part", at, None, right=True) for at in range(4)], 50, 0) == []
    assert length_gaps([judged("part", at, 7, right=at > 1) for at in range(4)], 50, 0) == []
