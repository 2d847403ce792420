"""95 % intervals, and which kind was used for which figure."""

import math
from collections.abc import Callable
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np

from reasrm.records.wilson_interval import wilson

NO_SPREAD = 1e-12
"""Bootstrap samples that lie closer together differ by rounding only."""


class Interval(StrEnum):
    """How an interval was computed."""

    WILSON = "wilson"
    """Score interval of one proportion of independent outcomes."""
    BOOTSTRAP = "bootstrap"
    """Percentiles of a bootstrap over groups, stratified."""
    WILSON_OF_GROUPS = "wilson_of_groups"
    """All groups are alike (all right, all wrong, or all half right), so a bootstrap has no spread: Wilson with
    n = groups."""
    WILSON_EFFECTIVE = "wilson_effective"
    """Wilson with the effective number of groups: as many yes-or-no groups as would spread a mean as little."""
    STUDENT = "student"
    """Student's t of the groups' values."""
    BCA = "bca"
    """Bias-corrected and accelerated bootstrap over groups (Efron 1987), for figures without bounds."""


class ScoreEstimate(NamedTuple):
    """A figure with what it rests on."""

    value: float
    n: int
    low: float
    high: float
    method: Interval

    def as_json(self, name: str = "score") -> dict[str, Any]:
        """`{score, n, ci95, interval}`, the value called `name`."""
        return {name: self.value, "n": self.n, "ci95": [self.low, self.high], "interval": self.method.value}


def share_estimate(
    value: float, *, units: int, groups: int, simple: bool, samples: Callable[[], np.ndarray]
) -> ScoreEstimate:
    """A figure in [0, 1] with its interval: Wilson for simple shares, else a bootstrap, else Wilson over groups.

    Args:
        value: the figure.
        units: how many units it counts.
        groups: how many groups they belong to: what a bootstrap draws.
        simple: whether it is a plain share of independent units, each right or wrong.
        samples: its values in bootstrap samples; asked for only if needed.
    """
    if simple:
        return ScoreEstimate(value, units, *wilson(value * units, units), Interval.WILSON)
    low, high = percentiles(samples())
    if high - low < NO_SPREAD:
        return ScoreEstimate(value, units, *wilson(value * groups, groups), Interval.WILSON_OF_GROUPS)
    return ScoreEstimate(value, units, low, high, Interval.BOOTSTRAP)


class Share(NamedTuple):
    """A share and what it is of."""

    value: float
    n: int


def difference_interval(samples: np.ndarray, first: Share, second: Share) -> tuple[float, float]:
    """The interval of a difference of shares: the bootstrap's, or Newcombe's where all groups are alike.

    Newcombe (1998), method 10: the two Wilson intervals, put together as if the shares were independent.
    """
    low, high = percentiles(samples)
    if high - low >= NO_SPREAD:
        return low, high
    gap = first.value - second.value
    (low1, high1), (low2, high2) = (wilson(one.value * one.n, one.n) for one in (first, second))
    down = math.hypot(first.value - low1, high2 - second.value)
    up = math.hypot(high1 - first.value, second.value - low2)
    return max(-1.0, gap - down), min(1.0, gap + up)


def percentiles(values: np.ndarray) -> tuple[float, float]:
    """The middle 95 % of bootstrap values; resamples in which the figure is undefined (NaN) are left out."""
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)
