"""Intervals, resampling and paired tests against known values and laws."""

import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap

from reasrm.records.wilson_interval import wilson
from reasrm.scoring.bootstrap import bootstrap_means, resampled
from reasrm.scoring.intervals import Interval, percentiles
from reasrm.scoring.judge_behaviour import question_mean
from reasrm.scoring.paired_differences import difference, holm, sign_test
from reasrm.scoring.tally import Tally


def test_wilson_is_the_known_interval() -> None:
    """8 of 10: Newcombe (1998), table I gives .4902 to .9433."""
    low, high = wilson(8, 10)
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)


@given(n=st.integers(1, 500), data=st.data())
@settings(deadline=None)
def test_wilson_lies_in_the_unit_interval_and_holds_the_share(n: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, n))
    low, high = wilson(right, n)
    assert 0 <= low <= right / n <= high <= 1
    mirrored = wilson(n - right, n)
    assert mirrored == (pytest.approx(1 - high), pytest.approx(1 - low))


def test_exact_mcnemar_by_hand() -> None:
    """One against nine discordant: 2 * (1 + 10) / 2**10."""
    test = sign_test(np.array([1] * 1 + [-1] * 9 + [0] * 5))
    assert (test.first_better, test.second_better) == (1, 9)
    assert test.p == pytest.approx(2 * 11 / 1024)
    assert sign_test(np.array([1, -1, 0]), np.array([1, 9, 5])) == test
    assert sign_test(np.zeros(2)).p == 1.0


def test_holm_by_hand() -> None:
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == {"a": pytest.approx(0.03), "b": 0.06, "c": pytest.approx(0.06)}
    assert holm({"a": 0.9, "b": 0.8})["a"] == 1.0


def test_a_difference_is_antisymmetric_and_paired() -> None:
    first = {str(n): float(n % 3 > 0) for n in range(60)}
    second = {str(n): float(n % 2) for n in range(60)}
    there, back = difference(first, second, 500, 0), difference(second, first, 500, 0)
    assert there.value == pytest.approx(-back.value)
    assert (there.test.first_better, there.test.second_better) == (back.test.second_better, back.test.first_better)
    assert difference(first, first, 500, 0)[:3] == (0.0, 0.0, 0.0)


def test_question_means_choose_their_interval() -> None:
    assert question_mean([1.0, 0.0, 1.0], 200, 0).method is Interval.WILSON
    assert question_mean([1.0, 0.5, 1.0], 200, 0).method is Interval.BOOTSTRAP
    assert question_mean([0.5, 0.5], 200, 0).method is Interval.WILSON_OF_GROUPS


def test_the_bootstrap_has_the_spread_of_theory() -> None:
    """Standard error of a share over 400 groups of one: sqrt(.7 * .3 / 400)."""
    tally = Tally()
    tally.groups["s"] = Counter({(("c", 1.0, 1),): 280, (("c", 0.0, 1),): 120})
    table = resampled(tally, 4000, 1)
    shares = table.sums[:, 0] / table.counts[:, 0]
    assert float(shares.mean()) == pytest.approx(0.7, abs=0.003)
    assert float(shares.std()) == pytest.approx(math.sqrt(0.7 * 0.3 / 400), rel=0.08)


def test_clusters_widen_the_interval_as_they_should() -> None:
    """Groups of nine equal outcomes have three times the standard error of as many independent ones."""
    clustered, independent = Tally(), Tally()
    clustered.groups["s"] = Counter({(("c", 9.0, 9),): 50, (("c", 0.0, 9),): 50})
    independent.groups["s"] = Counter({(("c", 1.0, 1),): 450, (("c", 0.0, 1),): 450})
    spread = []
    for tally in (clustered, independent):
        table = resampled(tally, 4000, 2)
        spread.append(float(np.std(table.sums[:, 0] / table.counts[:, 0])))
    assert spread[0] / spread[1] == pytest.approx(3, rel=0.1)


def test_strata_keep_their_sizes() -> None:
    tally = Tally()
    tally.groups["a"] = Counter({(("a", 1.0, 1),): 7})
    tally.groups["b"] = Counter({(("b", 0.0, 1),): 3, (("b", 1.0, 1),): 2})
    table = resampled(tally, 100, 0)
    assert set(table.counts[:, 0]) == {7.0}
    assert set(table.counts[:, 1]) == {5.0}


def test_the_bootstrap_agrees_with_scipys() -> None:
    """A second opinion: scipy resamples the clusters of one stratum as (sum, count) pairs, one by one."""
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 6, size=80)
    sums = rng.binomial(counts, 0.6)
    kinds = Counter(((("c", float(total), int(count)),) for total, count in zip(sums, counts, strict=True)))
    table = resampled(Tally(groups=defaultdict(Counter, s=kinds)), 4000, 0)
    low, high = percentiles(table.sums[:, 0] / table.counts[:, 0])

    def share(total: np.ndarray, count: np.ndarray, axis: int) -> np.ndarray:
        return np.asarray(total.sum(axis=axis) / count.sum(axis=axis))

    other = bootstrap((sums, counts), share, paired=True, n_resamples=4000, method="percentile", rng=1)
    assert (low, high) == (
        pytest.approx(other.confidence_interval.low, abs=0.008),
        pytest.approx(other.confidence_interval.high, abs=0.008),
    )


def test_the_bootstrap_of_question_means_agrees_with_scipys() -> None:
    values = np.random.default_rng(2).choice([0.0, 0.5, 1.0], size=120)
    low, high = percentiles(bootstrap_means(values, 4000, 0))
    other = bootstrap((values,), np.mean, n_resamples=4000, method="percentile", rng=1)
    assert (low, high) == (
        pytest.approx(other.confidence_interval.low, abs=0.01),
        pytest.approx(other.confidence_interval.high, abs=0.01),
    )
