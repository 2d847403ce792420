"""A chart of accuracies as rows of a table: dots with intervals on one scale, drawn to any width.

The positions are percentages of the cell's width, so that the same SVG fits a phone and a wide screen without its text
or its dots being scaled; the figures stand beside it as text.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

CHANCE = 0.5
"""Accuracy without knowledge."""
TICK = 0.1
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
    """One accuracy with its interval, as shares."""

    series: int
    """Whose: colour and shape."""
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Scale:
    """The accuracies that a chart's width shows."""

    low: float
    high: float

    def place(self, share: float) -> float:
        """Where an accuracy is, in percent of the width from the left, two digits."""
        return round(100 * (share - self.low) / (self.high - self.low), 2)

    @property
    def ticks(self) -> tuple[float, ...]:
        """Accuracies with a line, at steps of one tenth; of two tenths where there are many."""
        first, last = math.ceil(self.low / TICK - 1e-9), math.floor(self.high / TICK + 1e-9)
        step = 1 if last - first <= 4 else 2
        return tuple(round(at * TICK, 1) for at in range(first, last + 1) if (10 - at) % step == 0)

    @property
    def has_chance(self) -> bool:
        """Whether the line of chance is within the scale."""
        return self.low <= CHANCE <= self.high


def scale_for(dots: Iterable[ChartDot], others: Sequence[float] = ()) -> Scale:
    """The scale that shows all dots with their intervals, chance, and `others`."""
    values = [CHANCE, *others]
    for dot in dots:
        values += [dot.low, dot.high]
    return Scale(max(0.0, min(values) - MARGIN), min(1.0, max(values)) + MARGIN)
