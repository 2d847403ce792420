"""Two judges on the same questions: differences with intervals, and the exact test of whether there is one."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from reasrm.scoring.bootstrap import bootstrap_means
from reasrm.scoring.intervals import Share, difference_interval

ROUNDING = 1e-9
"""Values that lie closer together are the same."""


class SignTest(NamedTuple):
    """Exact McNemar's test: only questions on which the two differ count, and chance would split them evenly."""

    first_better: int
    second_better: int
    p: float
    """Two-sided."""


def sign_test(deltas: np.ndarray, frequency: np.ndarray | None = None) -> SignTest:
    """Test whether one judge is better than the other on more questions than chance would give.

    With one 0/1 outcome per question this is exact McNemar. Where a question has several outcomes (orders, styles) they
    depend on each other; then the question counts once, for the judge that gains by it.

    Args:
        deltas: [K] what the first judge has more than the second, by question or kind of question.
        frequency: [K] how many questions of each kind there are; one if not given.
    """
    from scipy.special import bdtr

    number = np.ones(len(deltas), dtype=int) if frequency is None else frequency
    better, worse = int(number[deltas > ROUNDING].sum()), int(number[deltas < -ROUNDING].sum())
    p = min(1.0, 2 * float(bdtr(min(better, worse), better + worse, 0.5)))
    return SignTest(better, worse, p)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Holm's adjusted p values: what each must be compared with 0.05 when all are looked at together."""
    adjusted, largest = {}, 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda name: (p_values[name], name))):
        largest = max(largest, min(1.0, p_values[name] * (len(p_values) - rank)))
        adjusted[name] = largest
    return {name: adjusted[name] for name in p_values}


class PairedDifference(NamedTuple):
    """The first judge's accuracy minus the second's."""

    value: float
    low: float
    high: float
    n: int
    test: SignTest

    def as_json(self) -> dict[str, Any]:
        """As it stands in files."""
        return {
            "value": self.value,
            "n": self.n,
            "ci95": [self.low, self.high],
            "better": self.test.first_better,
            "worse": self.test.second_better,
            "p": self.test.p,
        }


def difference(first: Mapping[str, float], second: Mapping[str, float], resamples: int, seed: int) -> PairedDifference:
    """Compare two judges' values per question, over the questions that both have."""
    shared = sorted(first.keys() & second.keys())
    one, other = [first[key] for key in shared], [second[key] for key in shared]
    deltas = np.subtract(one, other)
    test = sign_test(deltas)
    low, high = paired_interval(
        bootstrap_means(deltas, resamples, seed),
        Share(float(np.mean(one)), len(shared)),
        Share(float(np.mean(other)), len(shared)),
        test,
    )
    return PairedDifference(float(deltas.mean()), low, high, len(shared), test)


def paired_interval(samples: np.ndarray, first: Share, second: Share, test: SignTest) -> tuple[float, float]:
    """The interval of a difference on the same questions; of no width only where the two agree on every one."""
    if test.first_better == test.second_better == 0:
        return 0.0, 0.0
    return difference_interval(samples, first, second)
