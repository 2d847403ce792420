"""Figures of two shares whose questions overlap: their harmonic mean, and how far apart they are.

A question may have units of one share only, so neither is a mean over questions of one value each, as those of
`statistics` are. Intervals are percentiles of a bootstrap over the questions of both, which keeps what the two have in
common; where samples do not vary, those of Wilson and Newcombe. The test is a permutation test, because samples of few
questions all lie on one side of 0 by chance.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import ndtri

from reasrm.probes.measure import Good, Measure
from reasrm.probes.measuring.question_means import FEWEST, FLIPS, LEVEL, POWER
from reasrm.probes.query import ProbeContext
from reasrm.probes.statistics import Unit, question_means
from reasrm.scoring.intervals import NO_SPREAD, Interval, Share, difference_interval, share_estimate
from reasrm.scoring.paired_differences import ROUNDING


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

    Interval and p say the same of 0: what is left of contradictions is settled against the effect, as in `statistics`.
    """
    two = _TwoShares.of(context, first, second)
    if two is None:
        return
    samples = two.samples[:, 0] - two.samples[:, 1]
    samples = samples[~np.isnan(samples)]
    shares = [Share(float(mean), n) for mean, n in zip(two.means, two.questions, strict=True)]
    low, high = difference_interval(samples, shares[0], shares[1])
    spread = bool(np.ptp(samples) >= NO_SPREAD)
    p = permutation_p(two.values, context.seed)
    if p >= LEVEL:
        low, high = min(low, 0.0), max(high, 0.0)
    elif low <= 0 <= high:
        p = LEVEL
    found = float((ndtri(1 - LEVEL / 2) + ndtri(POWER)) * samples.std()) if spread else np.inf
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
        p=p,
        detectable=found if found <= 1 and len(two.values) >= FEWEST else None,
        left_out=left_out,
    )


def permutation_p(values: np.ndarray, seed: int) -> float:
    """Two-sided p of two shares being equal, if each value could as well have belonged to the other one.

    A question of both has its two values exchanged or not; the values of questions of one share alone change places
    among these questions. `FLIPS` are drawn, equally large values together.

    Args:
        values: [Q, 2] of the questions in both shares; NaN where a question has none.
        seed: of what is drawn.
    """
    there = ~np.isnan(values)
    paired, alone, counts = values[there.all(axis=1)], values[~there.all(axis=1)], there.sum(axis=0)
    generator = np.random.default_rng(seed)
    sizes, often = np.unique(np.abs(paired[:, 0] - paired[:, 1]).round(9), return_counts=True)
    ahead = (2 * generator.binomial(often, 0.5, size=(FLIPS, len(sizes))) - often) @ sizes
    pool, many = np.unique(alone[~np.isnan(alone)].round(9), return_counts=True)
    first_alone = int(counts[0]) - len(paired)
    drawn = generator.multivariate_hypergeometric(many, first_alone, size=FLIPS) @ pool if len(pool) else 0.0
    both, rest = float(paired.sum()), float(many @ pool)
    first = (both + ahead) / 2 + drawn
    gaps = first / counts[0] - (both + rest - first) / counts[1]
    seen = abs(float(np.subtract(*np.nanmean(values, axis=0))))
    return (int(np.count_nonzero(np.abs(gaps) >= seen - ROUNDING)) + 1) / (FLIPS + 1)


@dataclass(frozen=True)
class _TwoShares:
    """Two shares and their bootstrap samples."""

    values: np.ndarray
    """[Q, 2] of the questions in both; NaN where a question has none."""
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
        return cls(
            values, np.nanmean(values, axis=0), samples, (len(one), len(other)), len(both), one_count + other_count
        )


def _harmonic(means: np.ndarray) -> np.ndarray:
    """Of pairs of shares; 0 where their sum is 0."""
    total: np.ndarray = means.sum(axis=-1)
    mean: np.ndarray = np.divide(2 * means.prod(axis=-1), total, out=np.zeros_like(total), where=total != 0)
    return mean
