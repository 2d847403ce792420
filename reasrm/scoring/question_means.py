"""Means in which every question counts once, and differences of two such means."""

from collections.abc import Mapping, Sequence

import numpy as np

from reasrm.scoring.intervals import Estimate, Size, share_estimate


def question_mean(values: Sequence[float], resamples: int, seed: int) -> Estimate:
    """The mean of one value in [0, 1] per question: Wilson if all are 0 or 1, else a bootstrap over questions."""
    n = len(values)
    size = Size(n, n, simple=all(value in (0.0, 1.0) for value in values))
    return share_estimate(
        float(np.mean(values)), size, lambda: bootstrap_means(np.asarray(values, dtype=float), resamples, seed)
    )


def bootstrap_means(values: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """[B] means of samples drawn with replacement; equal values are drawn together, which is the same and faster."""
    different, frequency = np.unique(values, return_counts=True)
    drawn = _draws(frequency, resamples, seed)
    means: np.ndarray = drawn @ different / len(values)
    return means


def bootstrap_gaps(first: Mapping[str, float], second: Mapping[str, float], resamples: int, seed: int) -> np.ndarray:
    """[B] mean of `first` minus mean of `second` in samples of questions, of which some may be in one of them only.

    A question that is in both is drawn for both, so what the two share is kept.
    """
    missing = -1.0
    pairs = [(first.get(key, missing), second.get(key, missing)) for key in sorted(first.keys() | second.keys())]
    different, frequency = np.unique(np.asarray(pairs), axis=0, return_counts=True)
    drawn = _draws(frequency, resamples, seed)
    there = different != missing
    sums, counts = drawn @ np.where(there, different, 0.0), drawn @ there
    # A sample without a question of one kind has no gap; percentiles leave it out.
    means = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    gaps: np.ndarray = means[:, 0] - means[:, 1]
    return gaps


def _draws(frequency: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """[B, K] how often each kind of question is drawn."""
    questions = int(frequency.sum())
    return np.random.default_rng(seed).multinomial(questions, frequency / questions, size=resamples)
