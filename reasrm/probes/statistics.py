"""Shares and differences with intervals over questions, their tests, and how small an effect they could have shown.

All units of a question (orders, variants, quotations) depend on each other, so the question counts once, by the mean of
its units, and questions are what varies.

The intervals are closed formulas, because percentiles of a bootstrap were too narrow where it matters here: of 10 to 30
questions, or where few questions differ, they held the truth in 83 to 92 % of simulated samples, these in 92 to 100 %.
A share of yes-or-no questions has Wilson's interval; any other share Wilson's with the effective number of questions
(Dean and Pagano 2015, doi 10.1093/jssam/smv024); a difference Student's.

The tests are about the mean, as the intervals are: the exact binomial test for yes-or-no questions, else the sign-flip
permutation test, which is the exact sign test (McNemar's) where all differences are equally large. A sign test would
count a question that moves by a tenth like one that moves by one, and could contradict the interval beside it. What is
left of contradictions is settled against the effect: the interval is widened to the null that the test does not reject,
p is raised to 5 % where the interval holds the null.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy.special import betaincinv, ndtri, stdtrit
from scipy.stats import binomtest, permutation_test

from reasrm.probes.measure import Good, Measure
from reasrm.probes.query import ProbeContext
from reasrm.records.wilson_interval import wilson
from reasrm.scoring.intervals import NO_SPREAD, Interval
from reasrm.scoring.paired_differences import ROUNDING, sign_test

LEVEL, POWER = 0.05, 0.8
"""Of the tests: two-sided level, and the power at which an effect counts as one that would have been found."""
FLIPS = 9_999
"""Sign flips drawn where they are not all counted: the smallest p is then 2 in 10,000."""
FEWEST = 6
"""Questions that must all point the same way before an exact test says 5 %: two times one half to the sixth."""


class Unit(NamedTuple):
    """One thing that a figure counts."""

    question: str
    """`ProbeItem.question`."""
    value: float
    """In [0, 1]; of a difference in [-1, 1]."""


class Spread(NamedTuple):
    """An interval and how it was computed."""

    low: float
    high: float
    method: Interval


def share(
    context: ProbeContext,
    name: str,
    units: Iterable[Unit],
    *,
    variant: str = "",
    good: Good = Good.NEITHER,
    null: float | None = None,
    left_out: int = 0,
) -> Iterator[Measure]:
    """The mean of values in [0, 1] as a measure, tested if there is a `null`; nothing without a unit.

    Raises:
        ValueError: a value is none (NaN) or outside of [0, 1].
    """
    means, count = question_means(units)
    if not count:
        return
    values = np.asarray(list(means.values()))
    _require_within(name, values, 0.0, 1.0)
    about: dict[str, Any] = {"name": name, "variant": variant, "good": good, "left_out": left_out, "units": count}
    spread = share_spread(values)
    if null is None:
        yield _measure(values, spread, by_question=means, **about)
        return
    p = share_p(values, null, context.seed)
    found = detectable(values - null, max(null, 1 - null))
    yield _measure(values, spread, null=null, p=p, detectable=found, by_question=means, **about)


def difference(
    context: ProbeContext,
    name: str,
    units: Iterable[Unit],
    *,
    variant: str = "",
    good: Good = Good.NEITHER,
    left_out: int = 0,
) -> Iterator[Measure]:
    """The mean of paired differences in [-1, 1] as a measure whose null is 0; nothing without a unit.

    Raises:
        ValueError: a value is none (NaN) or outside of [-1, 1].
    """
    means, count = question_means(units)
    if not count:
        return
    about: dict[str, Any] = {"name": name, "variant": variant, "good": good, "left_out": left_out, "units": count}
    yield mean_difference(means, 1.0, context.seed, **about)


def mean_difference(by_question: Mapping[str, float], most: float, seed: int, **about: Any) -> Measure:
    """The mean of differences of at most `most`, one per question, with its interval and its test against 0."""
    values = np.asarray(list(by_question.values()))
    _require_within(about["name"], values, -most, most)
    tested: dict[str, Any] = {"null": 0.0, "p": sign_flip_p(values, seed), "detectable": detectable(values, most)}
    return _measure(values, difference_spread(values, most), by_question=by_question, **tested, **about)


def question_means(units: Iterable[Unit]) -> tuple[dict[str, float], int]:
    """The mean of each question, in the order in which they come, and how many units there are."""
    found: dict[str, list[float]] = defaultdict(list)
    for unit in units:
        found[unit.question].append(float(unit.value))
    means = {question: sum(values) / len(values) for question, values in found.items()}
    return means, sum(map(len, found.values()))


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
        return float(binomtest(round(values.sum()), len(values), null).pvalue)
    return sign_flip_p(values - null, seed)


def sign_flip_p(differences: np.ndarray, seed: int) -> float:
    """Two-sided p of the mean being 0, if each difference could as well have had the other sign.

    Differences of 0 have no sign and count nowhere. Equally large ones: the exact sign test. Up to 13 others: all flips
    are counted; more: `FLIPS` of them are drawn.
    """
    moved = differences[np.abs(differences) > ROUNDING]
    if len(moved) < 2 or np.ptp(np.abs(moved)) < ROUNDING:
        return sign_test(moved).p
    found = permutation_test(
        (moved,), np.mean, permutation_type="samples", n_resamples=FLIPS, vectorized=True, batch=256,
        rng=np.random.default_rng(seed),
    )  # fmt: skip
    return float(found.pvalue)


def detectable(differences: np.ndarray, most: float) -> float | None:
    """The minimum detectable effect: the mean that the test would have found at `LEVEL` with the power `POWER`.

    The usual (t of level + t of power) standard errors, of differences that vary around 0 as these do; but at least
    what makes `FEWEST` questions move with that power, because fewer convince no exact test. That bound is what counts
    where nothing moved: no difference in so many questions does not mean that there is none.

    Returns:
        None where even an effect of `most` would not have been found.
    """
    number = len(differences)
    if number < FEWEST:
        return None
    moved = np.abs(differences[np.abs(differences) > ROUNDING])
    size = float(moved.mean()) if len(moved) else most
    fewest = size * float(betaincinv(FEWEST, number - FEWEST + 1, POWER))
    quantiles = stdtrit(number - 1, [1 - LEVEL / 2, POWER]).sum()
    found = max(fewest, float(quantiles * np.sqrt(np.mean(differences**2) / (number - 1))))
    return found if found <= most else None


def _measure(
    values: np.ndarray, spread: Spread, *, null: float | None = None, p: float | None = None, **about: Any
) -> Measure:
    """The mean of `values`; interval and p say the same of `null`."""
    low, high, method = spread
    if null is not None and p is not None:
        if p >= LEVEL:
            low, high = min(low, null), max(high, null)
        elif low <= null <= high:
            p = LEVEL
    fixed = {"value": float(values.mean()), "low": low, "high": high, "interval": method, "questions": len(values)}
    return Measure.model_validate({**fixed, "null": null, "p": p, **about})


def _require_within(name: str, values: np.ndarray, least: float, most: float) -> None:
    """NaN is outside, too."""
    if not ((values >= least - ROUNDING) & (values <= most + ROUNDING)).all():
        odd = values[~((values >= least) & (values <= most))][0]
        raise ValueError(f"the measure {name} has the value {odd}, outside of [{least:g}, {most:g}]")
