"""The world: what holds for every problem of it."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.miniature.slices import Family, Slice, slice_of
from reasrm.miniature.styles import Style
from reasrm.miniature.world import LONG_SHARE, Split, plain_answers, random_question, split_of, training_pairs
from reasrm.records.pair import Role
from tests.miniature.solved_from_text import worths


@given(st.integers(0, 10**6), st.sampled_from(list(Family)), st.sampled_from(list(Split)))
def test_a_question_is_asked_in_one_split_only(seed: int, family: Family, split: Split) -> None:
    question = random_question(family, split, random.Random(seed))
    assert split_of(question) is split
    found = slice_of(question)
    assert found is not None
    assert found.family is family


def test_the_splits_share_no_question() -> None:
    questions = {
        split: {
            turn.content for pair in training_pairs(split, 1500, 3) for turn in pair.prompt if turn.role is Role.USER
        }
        for split in Split
    }
    assert not questions[Split.TRAIN] & questions[Split.TEST]
    assert not questions[Split.TRAIN] & questions[Split.DEV]
    assert not questions[Split.DEV] & questions[Split.TEST]


def test_pairs_are_the_same_for_the_same_seed_and_all_different() -> None:
    pairs = training_pairs(Split.TRAIN, 500, 5)
    assert pairs == training_pairs(Split.TRAIN, 500, 5)
    assert pairs != training_pairs(Split.TRAIN, 500, 6)
    assert len({pair.id for pair in pairs}) == 500


def test_pairs_are_of_every_slice_half_of_the_reasoning_problems_long() -> None:
    slices = [pair.labels["slice"] for pair in training_pairs(Split.TRAIN, 3000, 5)]
    assert set(slices) == {one.value for one in Slice}
    lengths = [one.rsplit("-", 1)[1] for one in slices if one.endswith(("-short", "-long"))]
    assert abs(lengths.count("long") / len(lengths) - LONG_SHARE) < 0.05


@given(st.integers(0, 10**6), st.sampled_from(list(Family)))
def test_the_two_answers_differ_in_content(seed: int, family: Family) -> None:
    rng = random.Random(seed)
    better, worse = plain_answers(family, random_question(family, Split.TRAIN, rng), rng)
    assert better != worse


@pytest.mark.parametrize("split", list(Split))
def test_the_better_answer_is_better_by_the_words_of_the_question_alone(split: Split) -> None:
    for pair in training_pairs(split, 1500, 9):
        better, worse = worths(pair.question, pair.chosen), worths(pair.question, pair.rejected)
        assert all(one > other for one, other in zip(better, worse, strict=True)), pair


def test_richer_is_better_more_often_in_training_only() -> None:
    def richer_share(split: Split) -> float:
        ranks = [
            (Style[pair.labels["chosen_style"].upper()], Style[pair.labels["rejected_style"].upper()])
            for pair in training_pairs(split, 3000, 1)
        ]
        differing = [chosen > rejected for chosen, rejected in ranks if chosen != rejected]
        return sum(differing) / len(differing)

    assert 0.56 < richer_share(Split.TRAIN) < 0.64
    assert 0.46 < richer_share(Split.TEST) < 0.54


def test_text_from_outside_the_world_has_no_slice() -> None:
    for text in ("", "Write a poem.", "You face west.", "You face west. Step 1: jump. Which way do you face?"):
        assert slice_of(text) is None
