"""Measures as text: shares in percent, differences in points with their sign, anything else in its own unit."""

from reasrm.probes.measure import Measure
from reasrm.reporting.display_text import percent, points


def is_share(measure: Measure) -> bool:
    """Whether it is a share or a difference of shares, whose unit is one hundredth."""
    return not measure.unit


def number_text(measure: Measure, number: float) -> str:
    """A number in the measure's unit, without the unit's name."""
    if not is_share(measure):
        return f"{number:.3g}"
    return points(number) if measure.null == 0 else percent(number)


def value_text(measure: Measure) -> str:
    """The figure."""
    return number_text(measure, measure.value)


def interval_of(measure: Measure) -> str:
    """Its 95 % interval."""
    return f"[{number_text(measure, measure.low)}, {number_text(measure, measure.high)}]"


def unit_text(measure: Measure) -> str:
    """The unit in which the figure is shown."""
    return measure.unit or ("points" if measure.null == 0 else "percent")


def in_words(name: str) -> str:
    """A name of the code as readers see it."""
    return name.replace("_", " ")
