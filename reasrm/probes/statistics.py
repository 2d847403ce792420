"""Shares and differences with intervals over questions, their tests, and how small an effect they could have shown.

All units of a question (orders, variants, quotations) depend on each other, so the question counts once, by the mean of
its units, and questions are what is drawn.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from scipy.special import ndtri

from reasrm.probes.measure import Good, Measure
from reasrm.probes.query import ProbeContext
from reasrm.records.wilson_interval import wilson
from reasrm.scoring.bootstrap import bootstrap_means
from reasrm.scoring.intervals import NO_SPREAD, Interval, Share, difference_interval, percentiles, share_estimate
from reasrm.scoring.paired_differences import sign_test

LEVEL, POWER = 0.05, 0.8
"""Of the tests: two-sided level, and the power at which an effect counts as one that would have been found."""
STANDARD_ERRORS = float(ndtri(1 - LEVEL / 2) + ndtri(POWER))
"""How many of them such an effect is."""


class Unit(NamedTuple):
    """One thing that a figure counts."""

    question: str
    """`ProbeItem.question`."""
    value: float
    """In [0, 1]; of a difference in [-1, 1]."""


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
    """The mean of values in [0, 1] as a measure; nothing without a unit.

    Wilson where every question is 0 or 1, else a bootstrap over questions. With a `null` the test is the exact sign
    test over questions.
    """
    values, count = _by_question(units)
    if not count:
        return
    found = share_estimate(
        float(values.mean()),
        units=len(values),
        groups=len(values),
        simple=bool(np.isin(values, (0.0, 1.0)).all()),
        samples=lambda: bootstrap_means(values, context.resamples, context.seed),
    )
    yield Measure(
        name=name,
        variant=variant,
        value=found.value,
        low=found.low,
        high=found.high,
        interval=found.method,
        units=count,
        questions=len(values),
        good=good,
        null=null,
        p=None if null is None else sign_test(values - null).p,
        detectable=None if null is None else detectable(values),
        left_out=left_out,
    )


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

    A bootstrap over questions. Where all questions have the same difference, which a bootstrap would give no width, it
    is as wide as Wilson's interval of as many questions that are all alike.
    """
    values, count = _by_question(units)
    if not count:
        return
    low, high = percentiles(bootstrap_means(values, context.resamples, context.seed))
    method = Interval.BOOTSTRAP
    if high - low < NO_SPREAD:
        width = 1 - wilson(len(values), len(values))[0]
        low, high = max(-1.0, values[0] - width), min(1.0, values[0] + width)
        method = Interval.WILSON_OF_GROUPS
    yield Measure(
        name=name,
        variant=variant,
        value=float(values.mean()),
        low=low,
        high=high,
        interval=method,
        units=count,
        questions=len(values),
        good=good,
        null=0.0,
        p=sign_test(values).p,
        detectable=detectable(values),
        left_out=left_out,
    )


def gap(
    context: ProbeContext,
    name: str,
    first: Iterable[Unit],
    second: Iterable[Unit],
    *,
    variant: str = "",
    left_out: int = 0,
) -> Iterator[Measure]:
    """The first share minus the second, of different units whose questions may be the same; nothing without either.

    A bootstrap over the questions of both; Newcombe's interval where it has no spread. No test: the sign test needs
    pairs.
    """
    two = _TwoShares.of(context, first, second)
    if two is None:
        return
    value = float(two.means[0] - two.means[1])
    shares = [Share(float(mean), n) for mean, n in zip(two.means, two.questions, strict=True)]
    samples = two.samples[:, 0] - two.samples[:, 1]
    low, high = difference_interval(samples, shares[0], shares[1])
    spread = np.nanmax(samples) - np.nanmin(samples) >= NO_SPREAD
    yield Measure(
        name=name,
        variant=variant,
        value=value,
        low=low,
        high=high,
        interval=Interval.BOOTSTRAP if spread else Interval.WILSON_OF_GROUPS,
        units=two.units,
        questions=two.all_questions,
        null=0.0,
        detectable=STANDARD_ERRORS * float(np.nanstd(samples)) if spread else None,
        left_out=left_out,
    )


def harmonic_mean(
    context: ProbeContext, name: str, first: Iterable[Unit], second: Iterable[Unit], *, good: Good = Good.NEITHER
) -> Iterator[Measure]:
    """The harmonic mean of two shares; nothing where either has no unit, 0 where both are 0.

    A bootstrap over the questions of both. Where it has no spread, Wilson's interval of as many questions as the
    smaller share has.
    """
    two = _TwoShares.of(context, first, second)
    if two is None:
        return
    smaller = min(two.questions)
    value = float(_harmonic(two.means))
    found = share_estimate(value, units=smaller, groups=smaller, simple=False, samples=lambda: _harmonic(two.samples))
    yield Measure(
        name=name,
        value=found.value,
        low=found.low,
        high=found.high,
        interval=found.method,
        units=two.units,
        questions=two.all_questions,
        good=good,
    )


@dataclass(frozen=True)
class _TwoShares:
    """Two shares of questions, of which some may have units of one share only."""

    means: np.ndarray
    """[2] over questions."""
    samples: np.ndarray
    """[B, 2] the means in bootstrap samples of the questions of both; NaN where one has no question of a share."""
    questions: tuple[int, int]
    all_questions: int
    units: int

    @classmethod
    def of(cls, context: ProbeContext, first: Iterable[Unit], second: Iterable[Unit]) -> Self | None:
        """None where a share has no unit."""
        (one, one_count), (other, other_count) = _means_by_question(first), _means_by_question(second)
        if not one_count or not other_count:
            return None
        both = sorted(one.keys() | other.keys())
        values = np.asarray([(one.get(key, np.nan), other.get(key, np.nan)) for key in both])
        there = ~np.isnan(values)
        generator = np.random.default_rng(context.seed)
        drawn = generator.multinomial(len(both), np.full(len(both), 1 / len(both)), context.resamples)
        counts = drawn @ there
        sums = drawn @ np.where(there, values, 0.0)
        samples = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
        means = np.nanmean(values, axis=0)
        return cls(means, samples, (len(one), len(other)), len(both), one_count + other_count)


def detectable(values: np.ndarray) -> float:
    """The minimum detectable effect of a mean over questions: (z of level + z of power) standard errors."""
    if len(values) < 2:
        return 1.0
    error = float(values.std(ddof=1)) / np.sqrt(len(values))
    return float(STANDARD_ERRORS * error)


def _harmonic(means: np.ndarray) -> np.ndarray:
    """Of pairs of shares; 0 where their sum is 0."""
    total: np.ndarray = means.sum(axis=-1)
    both = 2 * means.prod(axis=-1)
    means_of_pairs: np.ndarray = np.divide(both, total, out=np.zeros_like(total), where=total != 0)
    return means_of_pairs


def _by_question(units: Iterable[Unit]) -> tuple[np.ndarray, int]:
    """The mean of each question, in the order of the questions, and how many units there are."""
    means, count = _means_by_question(units)
    return np.asarray(list(means.values()), dtype=float), count


def _means_by_question(units: Iterable[Unit]) -> tuple[dict[str, float], int]:
    found: dict[str, list[float]] = defaultdict(list)
    for unit in units:
        found[unit.question].append(unit.value)
    return {key: sum(values) / len(values) for key, values in found.items()}, sum(map(len, found.values()))
