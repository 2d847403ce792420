"""Intervals and tests of a mean over questions, and how small an effect a test could have found.

The intervals are closed formulas, because percentiles of a bootstrap were too narrow where it matters here: of 10 to 30
questions, or where few questions differ, they held the truth in 83 to 92 % of simulated samples, these in 92 to 100 %.
A share of yes-or-no questions has Wilson's interval; any other share Wilson's with the effective number of questions
(Dean and Pagano 2015, doi 10.1093/jssam/smv024); a difference Student's.

The tests are about the mean, as the intervals are: the exact binomial test for yes-or-no questions, else the sign-flip
permutation test, which is the exact sign test (McNemar's) where all differences are equally large. A sign test of
differences of all sizes would count a question that moves by a tenth like one that moves by one, and could contradict
the interval beside it.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.special import betaincinv, ndtri, stdtrit

from reasrm.records.wilson_interval import wilson
from reasrm.scoring.intervals import NO_SPREAD, Interval
from reasrm.scoring.paired_differences import ROUNDING, sign_test

LEVEL, POWER = 0.05, 0.8
"""Of the tests: two-sided level, and the power at which an effect counts as one that would have been found."""
FLIPS = 9_999
"""Sign flips drawn where the exact sign test does not do: the smallest p is then 1 in 10,000."""
FEWEST = 6
"""Questions that must all point the same way before an exact test says 5 %: two times one half to the sixth."""


class Spread(NamedTuple):
    """An interval and how it was computed."""

    low: float
    high: float
    method: Interval


def share_spread(values: np.ndarray) -> Spread:
    """The 95 % interval of a mean of values in [0, 1], one per question.

    Values that are all alike, and neither 0 nor 1, say nothing of how they vary: Wilson's of as many yes-or-no
    questions, than which no values in [0, 1] vary more.
    """
    mean, number = float(values.mean()), len(values)
    if np.isin(values, (0.0, 1.0)).all():
        return Spread(*wilson(mean * number, number), Interval.WILSON)
    if np.ptp(values) < NO_SPREAD:
        return Spread(*wilson(mean * number, number), Interval.WILSON_OF_GROUPS)
    narrower = float(ndtri(1 - LEVEL / 2) / stdtrit(number - 1, 1 - LEVEL / 2)) ** 2
    effective = max(1, int(mean * (1 - mean) / float(values.var(ddof=1)) * number * narrower))
    return Spread(*wilson(mean * effective, effective), Interval.WILSON_EFFECTIVE)


def difference_spread(values: np.ndarray, most: float) -> Spread:
    """The 95 % interval of a mean of differences of at most `most`, one per question.

    Where all are alike it is as wide as Wilson's of as many yes-or-no questions that are all alike.
    """
    mean, number = float(values.mean()), len(values)
    if np.ptp(values) < NO_SPREAD:
        half, method = most * (1 - wilson(number, number)[0]), Interval.WILSON_OF_GROUPS
    else:
        error = float(values.std(ddof=1)) / np.sqrt(number)
        half, method = float(stdtrit(number - 1, 1 - LEVEL / 2)) * error, Interval.STUDENT
    return Spread(max(-most, mean - half), min(most, mean + half), method)


def share_p(values: np.ndarray, null: float, seed: int) -> float:
    """Two-sided p of a mean of values in [0, 1] being `null`."""
    if np.isin(values, (0.0, 1.0)).all():
        from scipy.stats import binomtest

        return float(binomtest(round(values.sum()), len(values), null).pvalue)
    return sign_flip_p(values - null, seed)


def sign_flip_p(differences: np.ndarray, seed: int) -> float:
    """Two-sided p of the mean being 0, if each difference could as well have had the other sign.

    Differences of 0 have no sign and count nowhere. Equally large ones: the exact sign test. Else `FLIPS` flips are
    drawn, equally large differences together; `scipy.stats.permutation_test` draws each by itself, which takes fifty
    times as long.
    """
    moved = differences[np.abs(differences) > ROUNDING]
    if len(moved) < 2 or np.ptp(np.abs(moved)) < ROUNDING:
        return sign_test(moved).p
    sizes, counts = np.unique(np.abs(moved).round(9), return_counts=True)
    positive = np.random.default_rng(seed).binomial(counts, 0.5, size=(FLIPS, len(sizes)))
    sums = (2 * positive - counts) @ sizes
    as_far = int(np.count_nonzero(np.abs(sums) >= abs(moved.sum()) - len(moved) * ROUNDING))
    return (as_far + 1) / (FLIPS + 1)


def detectable(differences: np.ndarray, most: float) -> float | None:
    """The minimum detectable effect: the mean that the test would have found at `LEVEL` with the power `POWER`.

    The usual (t of level + t of power) standard errors, of differences that vary around 0 as these do; but at least
    what makes `FEWEST` questions move with that power, because fewer convince no exact test. That bound is what counts
    where nothing moved: no difference in so many questions does not mean that there is none.

    Returns:
        None where even an effect of `most` would not have been found, or nothing moved and there is no `most` (inf).
    """
    number = len(differences)
    if number < FEWEST:
        return None
    moved = np.abs(differences[np.abs(differences) > ROUNDING])
    size = float(moved.mean()) if len(moved) else most
    fewest = size * float(betaincinv(FEWEST, number - FEWEST + 1, POWER))
    quantiles = stdtrit(number - 1, [1 - LEVEL / 2, POWER]).sum()
    found = max(fewest, float(quantiles * np.sqrt(np.mean(differences**2) / (number - 1))))
    return found if found <= most and math.isfinite(found) else None
