"""95 % intervals, and which kind was used for which figure."""

import math
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np

Z95 = 1.959963984540054
"""97.5 % point of the normal distribution."""


class Interval(StrEnum):
    """How an interval was computed."""

    WILSON = "wilson"
    """Score interval of one proportion of independent outcomes."""
    BOOTSTRAP = "bootstrap"
    """Percentiles of a bootstrap over groups, stratified."""
    WILSON_OF_GROUPS = "wilson_of_groups"
    """All groups are alike (all right, or all wrong), so a bootstrap has no spread: Wilson with n = groups."""


class Estimate(NamedTuple):
    """A figure with what it rests on."""

    value: float
    n: int
    low: float
    high: float
    method: Interval

    def as_json(self) -> dict[str, Any]:
        """`{score, n, ci95, interval}`."""
        return {"score": self.value, "n": self.n, "ci95": [self.low, self.high], "interval": self.method.value}


def wilson(right: float, n: int) -> tuple[float, float]:
    """The 95 % Wilson interval of the share `right / n`; `right` may be fractional (means over orders)."""
    share, z2 = right / n, Z95 * Z95
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # Rounding must not push the share itself out of its interval (all right, or none).
    return max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))


def percentiles(values: np.ndarray) -> tuple[float, float]:
    """The middle 95 % of bootstrap values; resamples in which the figure is undefined (NaN) are left out."""
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)
