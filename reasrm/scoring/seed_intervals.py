"""Figures of trainings with several seeds, all judged on the same questions, and what their intervals cover.

A figure's mean over seeds would be another one with other questions and with other trainings. Both are sampled here and
crossed, as readers and cases are in a study of several readers: every seed meets every question. So the variance of the
mean is taken as the sum of two:

- over questions, by a bootstrap in which a drawn question counts for all seeds (their mean is resampled, so what the
  seeds share is kept);
- over seeds, by the sample variance of the seeds' own figures, divided by their number.

What depends on seed and question together is in both, so the sum is a little too large and never too small (it is
Cameron, Gelbach & Miller's two-way cluster variance (2011) without the term that is subtracted). Degrees of freedom are
Satterthwaite's (1946): with three seeds that differ much the interval is that of three numbers, and wide; where they
agree it is that of the questions. From one seed nothing can be said of other trainings; then the interval says so by
covering questions alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from reasrm.scoring.intervals import NO_SPREAD, percentiles

TWO_SIDED = 0.975
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


def mean_figure(figures: Sequence[SeededFigure]) -> SeededFigure:
    """The mean of figures on different questions, whose samples were drawn independently."""
    values, samples = (np.mean([getattr(one, part) for one in figures], axis=0) for part in ("values", "samples"))
    return SeededFigure(values, samples, sum(one.questions for one in figures))


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
    """Two-sided, of the mean being zero, by the same variance and degrees of freedom as the interval."""
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
    variance = of_questions + of_seeds
    freedom = _freedom(of_questions, figure.questions, of_seeds, seeds)
    wide_low, wide_high = low, high
    if seeds > 1:
        half = _t_quantile(freedom) * variance**0.5
        wide_low, wide_high = max(bounds[0], mean - half), min(bounds[1], mean + half)
    return SeedEstimate(
        value=mean,
        low=wide_low,
        high=wide_high,
        low_questions=low,
        high_questions=high,
        seeds=tuple(float(value) for value in figure.values),
        spread=float(figure.values.std(ddof=1)) if seeds > 1 else None,
        p=_p_value(mean, variance, freedom),
        questions=figure.questions,
    )


def _freedom(of_questions: float, questions: int, of_seeds: float, seeds: int) -> float:
    """Satterthwaite's degrees of freedom of the sum of two variances."""
    parts = [(of_questions, questions - 1), (of_seeds, seeds - 1)]
    weight = sum(variance**2 / free for variance, free in parts if free > 0)
    return (of_questions + of_seeds) ** 2 / weight if weight > 0 else float("inf")


def _t_quantile(freedom: float) -> float:
    from scipy.special import stdtrit

    return HALF_WIDTH if np.isinf(freedom) else float(stdtrit(freedom, TWO_SIDED))


def _p_value(mean: float, variance: float, freedom: float) -> float:
    from scipy.special import ndtr, stdtr

    if variance <= 0:
        return 1.0 if abs(mean) < NO_SPREAD else 0.0
    statistic = -abs(mean) / variance**0.5
    return float(2 * (ndtr(statistic) if np.isinf(freedom) else stdtr(freedom, statistic)))
