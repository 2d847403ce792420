"""Two judges on the same questions: differences with intervals, and the exact test of whether there is one."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from stages.benchmarks.intervals import percentiles
from stages.benchmarks.question_means import bootstrap_means


class SignTest(NamedTuple):
    """Exact McNemar's test: only questions on which the two differ count, and chance would split them evenly."""

    first_better: int
    second_better: int
    p: float
    """Two-sided."""


def sign_test(first: Sequence[float], second: Sequence[float]) -> SignTest:
    """Test whether one judge is better than the other on more questions than chance would give.

    With one 0/1 outcome per question this is exact McNemar. Where a question has several outcomes (orders, styles) they
    depend on each other; then the question counts for the judge that has more of it right.
    """
    from scipy.special import bdtr

    better = sum(a > b for a, b in zip(first, second, strict=True))
    worse = sum(a < b for a, b in zip(first, second, strict=True))
    p = min(1.0, 2 * float(bdtr(min(better, worse), better + worse, 0.5)))
    return SignTest(better, worse, p)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Holm's adjusted p values: what each must be compared with 0.05 when all are looked at together."""
    adjusted, largest = {}, 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda name: (p_values[name], name))):
        largest = max(largest, min(1.0, p_values[name] * (len(p_values) - rank)))
        adjusted[name] = largest
    return {name: adjusted[name] for name in p_values}


class Difference(NamedTuple):
    """The first judge's accuracy minus the second's."""

    value: float
    low: float
    high: float
    n: int
    test: SignTest


def difference(first: Mapping[str, float], second: Mapping[str, float], resamples: int, seed: int) -> Difference:
    """Compare two judges' values per question, over the questions that both have."""
    shared = sorted(first.keys() & second.keys())
    one, other = [first[key] for key in shared], [second[key] for key in shared]
    deltas = np.subtract(one, other)
    low, high = percentiles(bootstrap_means(deltas, resamples, seed))
    return Difference(float(deltas.mean()), low, high, len(shared), sign_test(one, other))
