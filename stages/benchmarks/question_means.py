"""Means in which every question counts once, and their paired differences."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from stages.benchmarks.intervals import Interval, percentiles, wilson


class QuestionMean(NamedTuple):
    """A mean over questions with its interval."""

    value: float
    n: int
    """Questions."""
    low: float
    high: float
    method: Interval

    def as_json(self) -> dict[str, Any]:
        """`{accuracy, n, ci95, interval}`."""
        return {"accuracy": self.value, "n": self.n, "ci95": [self.low, self.high], "interval": self.method.value}


def question_mean(values: Sequence[float], resamples: int, seed: int) -> QuestionMean:
    """The mean of one value in [0, 1] per question: Wilson if all are 0 or 1, else a bootstrap over questions."""
    n, mean = len(values), float(np.mean(values))
    if all(value in (0.0, 1.0) for value in values):
        return QuestionMean(mean, n, *wilson(sum(values), n), Interval.WILSON)
    low, high = percentiles(bootstrap_means(np.asarray(values), resamples, seed))
    if high - low < 1e-12:
        return QuestionMean(mean, n, *wilson(mean * n, n), Interval.WILSON_OF_GROUPS)
    return QuestionMean(mean, n, low, high, Interval.BOOTSTRAP)


def bootstrap_means(values: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """[B] means of samples drawn with replacement; equal values are drawn together, which is the same and faster."""
    different, frequency = np.unique(values, return_counts=True)
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(len(values), frequency / len(values), size=resamples)
    means: np.ndarray = drawn @ different / len(values)
    return means
