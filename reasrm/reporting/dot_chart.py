"""A chart of figures as rows of a table: dots with intervals on one scale, drawn to any width.

The positions are percentages of the cell's width, so that the same SVG fits a phone and a wide screen without its text
or its dots being scaled; the figures stand beside it as text.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

CHANCE = 0.5
"""Accuracy without knowledge."""
STEPS = (1.0, 2.0, 2.5, 5.0)
"""Between lines, times a power of ten."""
MOST_GAPS = 4
"""Between lines: their figures have to fit a phone."""
MARGIN = 0.02
"""Room on both sides of the outermost interval, as a share."""


SHAPES = (
    "M-5 0A5 5 0 1 0 5 0A5 5 0 1 0-5 0Z",
    "M0-5.6L5.2 4H-5.2Z",
    "M0-6L6 0L0 6L-6 0Z",
    "M0 5.6L5.2-4H-5.2Z",
    "M-4.5-4.5H4.5V4.5H-4.5Z",
    "M-2-6H2V-2H6V2H2V6H-2V2H-6V-2H-2Z",
    "M-5-2.6L0-6L5-2.6V2.6L0 6L-5 2.6Z",
    "M-6-2.2H6V2.2H-6Z",
)
"""Outlines by series, in pixels around the dot's place: nothing is said by colour alone."""


@dataclass(frozen=True)
class ChartDot:
    """One figure with its interval; accuracies as shares."""

    series: int
    """Whose: colour and shape."""
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Scale:
    """The figures that a chart's width shows."""

    low: float
    high: float
    reference: float | None = CHANCE
    """What figures are held against, as a dotted line; None for nothing."""

    def place(self, figure: float) -> float:
        """Where a figure is, in percent of the width from the left, two digits."""
        return round(100 * (figure - self.low) / (self.high - self.low), 2)

    @property
    def ticks(self) -> tuple[float, ...]:
        """Figures with a line: at the smallest round step that leaves at most `MOST_GAPS` gaps."""
        power = 10.0 ** math.floor(math.log10((self.high - self.low) / MOST_GAPS))
        for step in (step * size for size in (power, 10 * power) for step in STEPS):
            first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
            if last - first <= MOST_GAPS:
                return tuple(round(at * step, 9) for at in range(first, last + 1))
        raise AssertionError("a step of ten times a quarter of the width leaves no more than one gap")

    @property
    def has_reference(self) -> bool:
        """Whether the dotted line is within the scale."""
        return self.reference is not None and self.low <= self.reference <= self.high


def scale_for(dots: Iterable[ChartDot], others: Sequence[float] = ()) -> Scale:
    """The scale of accuracies that shows all dots with their intervals, chance, and `others`."""
    values = [CHANCE, *others]
    for dot in dots:
        values += [dot.low, dot.high]
    return Scale(max(0.0, min(values) - MARGIN), min(1.0, max(values)) + MARGIN)


def scale_of(dots: Sequence[ChartDot], reference: float | None) -> Scale:
    """The scale of any figures that shows all dots with their intervals, and `reference`."""
    values = [bound for dot in dots for bound in (dot.low, dot.high, dot.value)]
    values += [] if reference is None else [reference]
    room = MARGIN * ((max(values) - min(values)) or 1.0)
    return Scale(min(values) - room, max(values) + room, reference)
