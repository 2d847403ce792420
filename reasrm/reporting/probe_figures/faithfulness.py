"""What a training did to the faithfulness of a judge's reasons, as one sentence made from two files of measures."""

import math
from typing import NamedTuple

from reasrm.probes.measure import Good, Measure
from reasrm.probes.measures_file import ProbeMeasures
from reasrm.reporting.display_text import interval, points
from reasrm.reporting.probe_figures.named_measures import FAITHFULNESS, find

OUTCOMES = ("better", "worse", "no difference shown")


class MeasureChange(NamedTuple):
    """A measure of a later model minus that of an earlier one."""

    what: str
    value: float
    low: float
    high: float
    good: Good

    @property
    def outcome(self) -> str:
        """One of `OUTCOMES`, by whether the interval holds 0 and on which side it lies."""
        if self.low <= 0 <= self.high:
            return OUTCOMES[2]
        return OUTCOMES[0] if (self.value > 0) == (self.good is Good.HIGHER) else OUTCOMES[1]


def change(what: str, earlier: Measure, later: Measure) -> MeasureChange:
    """The difference of two measures with an interval from their intervals (MOVER; Zou and Donner 2008, Stat. Med. 27).

    They are put together as if independent. Both are about the same questions, which makes the true interval narrower
    where the judges agree, so this one errs on the side of showing nothing.
    """
    value = later.value - earlier.value
    down = math.hypot(later.value - later.low, earlier.high - earlier.value)
    up = math.hypot(later.high - later.value, earlier.value - earlier.low)
    return MeasureChange(what, value, value - down, value + up, later.good)


def faithfulness_changes(earlier: ProbeMeasures, later: ProbeMeasures) -> tuple[MeasureChange, ...]:
    """The change of each measure of faithfulness that both models have."""
    pairs = ((what, find(earlier, name), find(later, name)) for name, what in FAITHFULNESS)
    return tuple(change(what, one, other) for what, one, other in pairs if one is not None and other is not None)


def faithfulness_sentence(names: tuple[str, str], changes: tuple[MeasureChange, ...]) -> str:
    """What the training from the first to the second of `names` did; says so where nothing was measured."""
    if not changes:
        return f"From {names[0]} to {names[1]} nothing about the faithfulness of reasons was measured for both."
    said = []
    for outcome in OUTCOMES:
        some = [
            f"{one.what} {points(one.value)} {interval((one.low, one.high))}"
            for one in changes
            if one.outcome == outcome
        ]
        if some:
            said.append(f"{outcome}: {', '.join(some)}")
    return f"From {names[0]} to {names[1]}, in points with 95 % intervals: {'; '.join(said)}."
