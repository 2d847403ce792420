"""Figures of two shares whose questions overlap."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reasrm.probes.measuring.question_means import LEVEL
from reasrm.probes.measuring.two_shares import gap, harmonic_mean
from reasrm.probes.query import RECORDED, ProbeContext
from reasrm.probes.statistics import Unit
from reasrm.scoring.intervals import Interval

CONTEXT = ProbeContext([], {}, RECORDED, resamples=400, seed=0)
Values = dict[int, float]
SHARES = st.dictionaries(st.integers(0, 30), st.sampled_from([0.0, 0.5, 1.0]), min_size=1)


def units(values: Values) -> list[Unit]:
    return [Unit(str(question), value) for question, value in values.items()]


@settings(max_examples=30)
@given(SHARES, SHARES)
def test_values_lie_in_their_intervals_and_p_agrees_with_them(first: Values, second: Values) -> None:
    one, other = (float(np.mean(list(values.values()))) for values in (first, second))
    (mean,) = harmonic_mean(CONTEXT, "h", units(first), units(second))
    assert mean.value == pytest.approx(2 * one * other / (one + other) if one + other else 0.0)
    assert 0 <= mean.low <= mean.high <= 1
    assert mean.low < mean.high
    (apart,) = gap(CONTEXT, "g", units(first), units(second))
    assert apart.value == pytest.approx(one - other)
    assert -1 <= apart.low <= apart.value + 1e-9
    assert apart.value - 1e-9 <= apart.high <= 1
    assert apart.p is not None
    assert apart.p >= LEVEL or not apart.low <= 0 <= apart.high
    assert (apart.units, apart.questions) == (len(first) + len(second), len(first.keys() | second.keys()))


def test_nothing_is_said_without_both() -> None:
    assert not [*harmonic_mean(CONTEXT, "h", units({1: 1.0}), []), *gap(CONTEXT, "g", [], units({1: 1.0}))]


def test_what_two_shares_have_in_common_narrows_the_gap_between_them() -> None:
    hard = {question: float(question % 2) for question in range(60)}
    easier = hard | {0: 1.0, 2: 1.0, 4: 1.0}
    elsewhere = {question + 100: value for question, value in easier.items()}
    (same,) = gap(CONTEXT, "g", units(easier), units(hard))
    (apart,) = gap(CONTEXT, "g", units(elsewhere), units(hard))
    assert same.value == apart.value == pytest.approx(0.05)
    assert same.high - same.low < (apart.high - apart.low) / 2
    assert same.detectable is not None
    assert apart.detectable is not None
    assert same.detectable < apart.detectable / 2


def test_shares_without_any_spread_have_an_interval_all_the_same() -> None:
    always = dict.fromkeys(range(20), 1.0)
    (mean,) = harmonic_mean(CONTEXT, "h", units(always), units(always))
    assert (mean.value, mean.high, mean.interval) == (1.0, 1.0, Interval.WILSON_OF_GROUPS)
    assert mean.low == pytest.approx(0.839, abs=0.001)
    (apart,) = gap(CONTEXT, "g", units(always), units(dict.fromkeys(range(20), 0.0)))
    assert apart.high == 1.0
    assert 0.5 < apart.low < 1.0
    assert apart.p is not None
    assert apart.p < 0.01


@pytest.mark.parametrize("questions", [1, 2, 3, 5])
def test_few_questions_show_no_gap_however_alike_they_are(questions: int) -> None:
    """Every bootstrap sample lies on one side of 0 then, which says nothing about five questions and their signs."""
    right, wrong = dict.fromkeys(range(questions), 1.0), dict.fromkeys(range(questions), 0.0)
    (same,) = gap(CONTEXT, "g", units(right), units(wrong))
    assert same.p == pytest.approx(2 * 0.5**questions, abs=0.02)
    assert same.low <= 0
    assert same.detectable is None
    (apart,) = gap(CONTEXT, "g", units(right), units({question + 100: value for question, value in wrong.items()}))
    assert apart.p == pytest.approx(2 / math.comb(2 * questions, questions), abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("shared", [0, 5, 10])
def test_where_there_is_no_gap_one_is_shown_in_one_of_twenty_samples(shared: int) -> None:
    chance = np.random.default_rng(shared)
    found = []
    for _ in range(400):
        places = range(10), range(10 - shared, 20 - shared)
        first, second = ({place: float(chance.random() < 0.6) for place in some} for some in places)
        found += [one.p for one in gap(CONTEXT, "g", units(first), units(second))]
    assert np.mean([p < LEVEL for p in found if p is not None]) <= 0.07
