"""Figures of trainings with several seeds, all judged on the same questions, and what their intervals cover.

A figure's mean over seeds would be another one with other questions and with other trainings. Both are sampled here and
crossed, as readers and cases are in a study of several readers: every seed meets every question. So the variance of the
mean is taken as the sum of two:

- over questions, by a bootstrap in which a drawn question counts for all seeds (their mean is resampled, so what the
  seeds share is kept);
- over seeds, by the sample variance of the seeds' own figures, divided by their number.

What depends on seed and question together is in both, so the sum is a little too large and never too small (it is
Cameron, Gelbach & Miller's two-way cluster variance (2011) without the term that is subtracted). Each of the two enters
the interval with the t quantile of its own degrees of freedom: half = sqrt(t_questions^2 v_questions + t_seeds^2
v_seeds), which holds the truth in 95 % of studies or more whatever the two variances are (Banerjee, Sankhya 22, 1960).
Satterthwaite's degrees of freedom of the sum give narrower intervals, which with two or three seeds that differ much
miss in 8 to 13 of 100 studies: by chance the seeds lie close together, and it then takes the questions for all there
is. From one seed nothing can be said of other trainings; then the interval says so by covering questions alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from reasrm.scoring.intervals import NO_SPREAD, percentiles

LEVEL = 0.05
"""What an interval may miss, and what p is compared with."""
LEAST_P = 1e-12
"""No p is given as less."""
HALF_WIDTH = 1.959964
"""Of a 95 % interval, in standard errors of a normal distribution."""
COVERS_BOTH = "other questions and other trainings"
COVERS_QUESTIONS = "other questions, not other trainings: there is one seed"


@dataclass(frozen=True)
class SeededFigure:
    """One figure of trainings that differ in their seed alone, S of them."""

    values: np.ndarray
    """[S]"""
    samples: np.ndarray
    """[S, B] in bootstrap samples of questions, the same for every seed."""
    questions: int
    """What was drawn, groups that depend on each other."""

    def minus(self, other: "SeededFigure") -> "SeededFigure":
        """The paired difference: seed by seed, on the same questions."""
        return SeededFigure(
            self.values - other.values, self.samples - other.samples, min(self.questions, other.questions)
        )


def mean_figure(figures: Sequence[SeededFigure], questions: int) -> SeededFigure:
    """The mean of figures of the same draws, which are of so many `questions` together."""
    values, samples = (np.mean([getattr(one, part) for one in figures], axis=0) for part in ("values", "samples"))
    return SeededFigure(values, samples, questions)


class SeedEstimate(NamedTuple):
    """A mean over seeds with its uncertainty."""

    value: float
    low: float
    high: float
    low_questions: float
    """The interval over other questions alone, for these very trainings."""
    high_questions: float
    seeds: tuple[float, ...]
    """Each seed's own figure."""
    spread: float | None
    """Standard deviation over seeds; None of one."""
    p: float
    """Two-sided, of the mean being zero: the least level at which the interval, made at that level, leaves zero out."""
    questions: int

    def as_json(self) -> dict[str, Any]:
        """`{value, ci95, ci95_questions, seeds, spread, questions}`."""
        return {
            "value": self.value,
            "ci95": [self.low, self.high],
            "ci95_questions": [self.low_questions, self.high_questions],
            "seeds": list(self.seeds),
            "spread": self.spread,
            "questions": self.questions,
        }


def seed_estimate(
    figure: SeededFigure, without_spread: Callable[[], tuple[float, float]], bounds: tuple[float, float]
) -> SeedEstimate:
    """The mean over seeds with its intervals.

    Args:
        figure: the figure by seed.
        without_spread: the interval over questions where all questions are alike, so that a bootstrap has no spread.
        bounds: the least and the greatest value that the figure can have.
    """
    seeds, mean = len(figure.values), float(figure.values.mean())
    drawn = figure.samples.mean(axis=0)
    low, high = percentiles(drawn)
    of_questions = float(np.nanvar(drawn))
    if high - low < NO_SPREAD:
        low, high = without_spread()
        of_questions = ((high - low) / (2 * HALF_WIDTH)) ** 2
    of_seeds = float(figure.values.var(ddof=1)) / seeds if seeds > 1 else 0.0
    parts = [(of_questions, figure.questions - 1), *([(of_seeds, seeds - 1)] if seeds > 1 else [])]
    wide_low, wide_high = low, high
    if seeds > 1:
        half = _half_width(parts, LEVEL)
        wide_low, wide_high = max(bounds[0], mean - half), min(bounds[1], mean + half)
    return SeedEstimate(
        value=mean,
        low=wide_low,
        high=wide_high,
        low_questions=low,
        high_questions=high,
        seeds=tuple(float(value) for value in figure.values),
        spread=float(figure.values.std(ddof=1)) if seeds > 1 else None,
        p=_p_value(mean, parts),
        questions=figure.questions,
    )


def _half_width(parts: Sequence[tuple[float, int]], level: float) -> float:
    """Banerjee's half-width from independent variances with their degrees of freedom."""
    from scipy.special import stdtrit

    quantile = 1 - level / 2
    return float(sum(float(stdtrit(max(freedom, 1), quantile)) ** 2 * variance for variance, freedom in parts) ** 0.5)


def _p_value(mean: float, parts: Sequence[tuple[float, int]]) -> float:
    from scipy.optimize import brentq

    if sum(variance for variance, _ in parts) <= 0:
        return 1.0 if abs(mean) < NO_SPREAD else 0.0
    if _half_width(parts, LEAST_P) <= abs(mean):
        return LEAST_P
    # At level 1 the interval has no width; on the way down it grows until it reaches zero.
    found = brentq(lambda exponent: _half_width(parts, 10**exponent) - abs(mean), np.log10(LEAST_P), 0.0)
    return float(10**found)
