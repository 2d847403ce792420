"""Measures as text: shares in percent, differences in points with their sign, anything else in its own unit."""

import math

from reasrm.probes.measure import Measure
from reasrm.reporting.display_text import percent, points

MOST_DECIMALS = 6
"""Behind the point."""


def is_share(measure: Measure) -> bool:
    """Whether it is a share or a difference of shares, whose unit is one hundredth."""
    return not measure.unit


def number_text(measure: Measure, number: float) -> str:
    """A number in the measure's unit, without the unit's name."""
    if not is_share(measure):
        return _three_digits(number)
    return points(number) if measure.null == 0 else percent(number)


def _three_digits(number: float) -> str:
    """Three digits that count, all of those before the point, and no power of ten."""
    if not math.isfinite(number):
        return str(number)
    before = 0 if number == 0 else math.floor(math.log10(abs(number))) + 1
    decimals = min(max(3 - before, 0), MOST_DECIMALS)
    text = f"{round(number, decimals) + 0.0:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text


def value_text(measure: Measure) -> str:
    """The figure."""
    return number_text(measure, measure.value)


def interval_of(measure: Measure) -> str:
    """Its 95 % interval."""
    return f"[{number_text(measure, measure.low)}, {number_text(measure, measure.high)}]"


def unit_text(measure: Measure) -> str:
    """The unit in which the figure is shown."""
    return measure.unit or ("points" if measure.null == 0 else "percent")


def with_unit(measure: Measure) -> str:
    """The figure with its unit behind it."""
    return f"{value_text(measure)} {'%' if unit_text(measure) == 'percent' else unit_text(measure)}"


def in_words(name: str) -> str:
    """A name of the code as readers see it."""
    return name.replace("_", " ")
