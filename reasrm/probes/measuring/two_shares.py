"""Two shares whose questions may differ: their gap and their harmonic mean, over the questions of both."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import ndtri

from reasrm.probes.measure import Good, Measure
from reasrm.probes.measuring.question_means import LEVEL, POWER
from reasrm.probes.query import ProbeContext
from reasrm.probes.statistics import Unit, question_means
from reasrm.scoring.intervals import NO_SPREAD, Interval, Share, difference_interval, share_estimate

STANDARD_ERRORS = float(ndtri(1 - LEVEL / 2) + ndtri(POWER))
"""How many of them an effect is that would have been found."""


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

    A bootstrap over the questions of both, of which p is read off as the interval is; where it has no spread,
    Newcombe's interval and no test.
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
        p=_bootstrap_p(samples) if spread else None,
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
        (one, one_count), (other, other_count) = question_means(first), question_means(second)
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


def _harmonic(means: np.ndarray) -> np.ndarray:
    """Of pairs of shares; 0 where their sum is 0."""
    total: np.ndarray = means.sum(axis=-1)
    both = 2 * means.prod(axis=-1)
    means_of_pairs: np.ndarray = np.divide(both, total, out=np.zeros_like(total), where=total != 0)
    return means_of_pairs


def _bootstrap_p(samples: np.ndarray) -> float:
    """Two-sided p of 0: below 5 % where the middle 95 % of the samples leave it out."""
    known = samples[~np.isnan(samples)]
    beyond = min(np.count_nonzero(known <= 0), np.count_nonzero(known >= 0))
    return min(1.0, 2 * (beyond + 1) / (len(known) + 1))
