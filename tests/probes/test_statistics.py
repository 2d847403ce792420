"""Figures of probes: questions are what counts, an interval and its p never contradict each other, odd samples too."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from reasrm.probes.measure import Measure
from reasrm.probes.measuring.question_means import LEVEL, detectable, sign_flip_p
from reasrm.probes.query import RECORDED, ProbeContext
from reasrm.probes.statistics import Unit, difference, share
from reasrm.records.wilson_interval import wilson
from reasrm.scoring.intervals import Interval

CONTEXT = ProbeContext(items=(), plain={}, traits=RECORDED, resamples=100, seed=0)


def share_of(values: list[float], null: float | None = None) -> Measure:
    (found,) = share(CONTEXT, "rate", (Unit(str(place), value) for place, value in enumerate(values)), null=null)
    return found


def difference_of(values: list[float]) -> Measure:
    (found,) = difference(CONTEXT, "gap", (Unit(str(place), value) for place, value in enumerate(values)))
    return found


def test_a_question_counts_once_however_many_units_it_has() -> None:
    once = [Unit("a", 1.0), Unit("b", 0.0), Unit("c", 0.5)]
    (found,) = share(CONTEXT, "rate", once)
    (repeated,) = share(CONTEXT, "rate", [*once, *[Unit("a", 1.0)] * 50])
    assert (repeated.value, repeated.low, repeated.high) == (found.value, found.low, found.high)
    assert (found.units, repeated.units, repeated.questions) == (3, 53, 3)
    assert found.by_question == {"a": 1.0, "b": 0.0, "c": 0.5}
    assert "by_question" not in found.model_dump()
    assert not list(share(CONTEXT, "rate", []))


@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=60), st.sampled_from([None, 0.5]))
def test_a_share_of_yes_or_no_questions_has_wilsons_interval_and_the_binomial_test(
    values: list[float], null: float | None
) -> None:
    found = share_of(values, null)
    low, high = wilson(sum(values), len(values))
    assert found.interval is Interval.WILSON
    assert (found.low, found.high) <= (low, found.high)
    assert found.high >= high
    if null is None:
        assert (found.low, found.high, found.p, found.detectable) == (low, high, None, None)
    else:
        assert found.p == pytest.approx(binomtest(round(sum(values)), len(values), null).pvalue)


@given(st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=25))
def test_interval_and_p_never_contradict_each_other(values: list[float]) -> None:
    found = difference_of(values)
    assert found.p is not None
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert (found.p >= LEVEL) == (found.low <= 0 <= found.high)
    as_share = share_of([(one + 1) / 2 for one in values], null=0.5)
    assert as_share.p is not None
    assert 0 <= as_share.low <= as_share.value <= as_share.high <= 1
    assert (as_share.p >= LEVEL) == (as_share.low <= 0.5 <= as_share.high)


def test_the_test_is_about_the_mean_as_the_interval_is() -> None:
    """Nine small gains and three large losses: a sign test would call it a gain."""
    values = np.asarray([0.1] * 12 + [-0.5] * 2)
    assert sign_flip_p(values, 0) == pytest.approx(0.93, abs=0.1)
    assert sign_flip_p(np.asarray([1.0] * 6 + [0.0] * 100), 0) == pytest.approx(2 * 0.5**6)
    assert sign_flip_p(np.zeros(5), 0) == 1.0


@pytest.mark.parametrize("values", [[0.5], [0.5] * 8, [0.0], [1.0] * 8])
def test_questions_that_are_all_alike_have_the_width_of_as_many_yes_or_no_questions(values: list[float]) -> None:
    found = share_of(values)
    assert (found.low, found.high) == pytest.approx(wilson(sum(values), len(values)))
    gap = difference_of([0.0] * len(values))
    assert gap.high == -gap.low == pytest.approx(1 - wilson(len(values), len(values))[0])
    assert gap.p == 1.0


def test_no_difference_in_few_questions_is_not_called_none() -> None:
    """Six of 120 must move, and all the same way, before the exact test says 5 %."""
    assert difference_of([0.0] * 5).detectable is None
    assert difference_of([0.0] * 120).detectable == pytest.approx(0.066, abs=0.002)
    assert share_of([0.0, 1.0] * 60, null=0.5).detectable == pytest.approx(1.4 / math.sqrt(120), rel=0.02)
    assert detectable(np.asarray([1.0, -1.0] * 3), 0.1) is None


@pytest.mark.parametrize(("values", "odd"), [([0.5, math.nan], "nan"), ([1.5], "1.5"), ([-0.5, 0.5], "-0.5")])
def test_a_value_that_is_no_share_is_a_defect_that_is_told(values: list[float], odd: str) -> None:
    with pytest.raises(ValueError, match=rf"the measure rate has the value {odd}, outside of \[0, 1\]"):
        share_of(values)
