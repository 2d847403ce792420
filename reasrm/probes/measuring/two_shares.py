"""Figures of two shares whose questions overlap: their harmonic mean, and how far apart they are.

A question may have units of one share only, so neither is a mean over questions of one value each, as those of
`statistics` are. Intervals are percentiles of a bootstrap over the questions of both, which keeps what the two have in
common; where samples do not vary, those of Wilson and Newcombe.
"""

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


def harmonic_mean(
    context: ProbeContext, name: str, first: Iterable[Unit], second: Iterable[Unit], *, good: Good = Good.NEITHER
) -> Iterator[Measure]:
    """The harmonic mean of two shares as a measure: 0 where both are 0, nothing where either has no unit."""
    two = _TwoShares.of(context, first, second)
    if two is None:
        return
    smaller = min(two.questions)
    value = float(_harmonic(two.means))
    found = share_estimate(value, units=smaller, groups=smaller, simple=False, samples=lambda: _harmonic(two.samples))
    yield Measure(
        name=name,
        value=value,
        low=found.low,
        high=found.high,
        interval=found.method,
        units=two.units,
        questions=two.all_questions,
        good=good,
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
    """The first share minus the second as a measure whose null is 0; nothing where either has no unit.

    p is the share of bootstrap samples on the rarer side of 0, twice; never below what so many samples can show, and at
    least 5 % where the interval holds 0.
    """
    two = _TwoShares.of(context, first, second)
    if two is None:
        return
    samples = two.samples[:, 0] - two.samples[:, 1]
    samples = samples[~np.isnan(samples)]
    shares = [Share(float(mean), n) for mean, n in zip(two.means, two.questions, strict=True)]
    low, high = difference_interval(samples, shares[0], shares[1])
    spread = bool(np.ptp(samples) >= NO_SPREAD)
    rarer = min(int((samples <= 0).sum()), int((samples >= 0).sum()))
    p = min(1.0, 2 * (rarer + 1) / (len(samples) + 1))
    found = float((ndtri(1 - LEVEL / 2) + ndtri(POWER)) * samples.std())  # of shares at most 1 apart
    yield Measure(
        name=name,
        variant=variant,
        value=shares[0].value - shares[1].value,
        low=low,
        high=high,
        interval=Interval.BOOTSTRAP if spread else Interval.WILSON_OF_GROUPS,
        units=two.units,
        questions=two.all_questions,
        null=0.0,
        p=max(p, LEVEL) if low <= 0 <= high else p,
        detectable=found if spread and found <= 1 else None,
        left_out=left_out,
    )


@dataclass(frozen=True)
class _TwoShares:
    """Two shares and their bootstrap samples."""

    means: np.ndarray
    """[2] over questions."""
    samples: np.ndarray
    """[B, 2] in samples of the questions of both; NaN where a sample has no question of a share."""
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
        different, frequency = np.unique(np.where(there, values, -1.0), axis=0, return_counts=True)
        generator = np.random.default_rng(context.seed)
        drawn = generator.multinomial(len(both), frequency / len(both), context.resamples)
        counts, sums = drawn @ (different >= 0), drawn @ np.where(different >= 0, different, 0.0)
        samples = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
        return cls(np.nanmean(values, axis=0), samples, (len(one), len(other)), len(both), one_count + other_count)


def _harmonic(means: np.ndarray) -> np.ndarray:
    """Of pairs of shares; 0 where their sum is 0."""
    total: np.ndarray = means.sum(axis=-1)
    mean: np.ndarray = np.divide(2 * means.prod(axis=-1), total, out=np.zeros_like(total), where=total != 0)
    return mean
