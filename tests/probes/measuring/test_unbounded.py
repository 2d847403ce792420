"""Averages without bounds and places on curves: what their intervals say, and nothing where nothing can be said."""

import numpy as np
import pytest

from reasrm.probes.measuring.unbounded import average, of_curve
from reasrm.probes.query import RECORDED, ProbeContext
from reasrm.probes.statistics import Unit
from reasrm.scoring.intervals import Interval

CONTEXT = ProbeContext([], {}, RECORDED, 1000, 0)


def units(values: list[float]) -> list[Unit]:
    return [Unit(f"question {place}", value) for place, value in enumerate(values)]


def test_the_interval_of_a_skewed_average_leans_as_it_is_skewed_and_counts_questions_not_steps() -> None:
    """A Student interval is symmetric and would hold 0 here; one question's many steps are one value."""
    values = [1.0] * 40 + [5.0] * 10 + [400.0]
    (found,) = average(CONTEXT, "nldd", [*units(values), *units([1.0] * 30)], scale=100.0, left_out=3)
    assert found.value == pytest.approx(np.mean(values))
    assert found.high - found.value > 2 * (found.value - found.low) > 0
    assert (found.units, found.questions, found.interval, found.left_out) == (81, 51, Interval.BCA, 3)
    assert found.p is not None
    assert found.p < 0.05
    assert found.low > 0


def test_questions_that_are_all_alike_and_single_ones() -> None:
    (flat,) = average(CONTEXT, "nldd", units([0.0] * 20), scale=100.0)
    assert (flat.value, flat.low, flat.high, flat.p) == (0, 0, 0, 1)
    assert flat.detectable is not None
    assert 20 < flat.detectable < 60  # what would move six of twenty questions by the whole scale
    (few,) = average(CONTEXT, "nldd", units([50.0, 50.0]), scale=100.0)
    assert (few.low, few.high) == (0, 50)  # two questions refute nothing
    assert not list(average(CONTEXT, "nldd", units([50.0]), scale=100.0))


def test_a_place_on_a_curve_is_as_sure_as_the_curve() -> None:
    def peak(curves: np.ndarray) -> np.ndarray:
        return np.where(np.isnan(curves).any(axis=1), np.nan, curves.argmax(axis=1) / curves.shape[1])

    noise = np.random.default_rng(1).normal(size=(40, 4))
    counts = np.ones((40, 4))
    (sure,) = of_curve(CONTEXT, "peak", noise + np.asarray([0, 0, 5, 0]), counts, peak)
    assert (sure.value, sure.low, sure.high, sure.units) == (0.5, 0.5, 0.5, 160)
    (unsure,) = of_curve(CONTEXT, "peak", 3 * noise, counts, peak)
    assert unsure.high > unsure.low
    gap = counts * [1, 0, 1, 1]
    assert list(of_curve(CONTEXT, "peak", noise * gap, gap, peak)) == []
