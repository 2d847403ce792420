"""The 95 % interval of a share (Wilson 1927, score interval): of scores, of dev accuracy, of curves on the page."""

import math

Z95 = 1.959963984540054
"""97.5 % point of the normal distribution."""


def wilson(right: float, n: int) -> tuple[float, float]:
    """The 95 % Wilson interval of the share `right / n`; `right` may be fractional (means over orders)."""
    share, z2 = right / n, Z95 * Z95
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # Rounding must not push the share itself out of its interval (all right, or none).
    return max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))
