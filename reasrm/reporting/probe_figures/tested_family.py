"""All tests of the page as one family: the measures of every model, and what changed between two models."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from reasrm.probes.families import ModelDifference, adjusted
from reasrm.probes.measures_file import ProbeMeasures

FALSE_DISCOVERIES = 0.05
"""The share of false ones among the effects that the page calls shown, at most, on average."""
CHANGE = "change"
"""In place of a model: the later model of `side_by_side` minus the earlier one."""


class MeasureKey(NamedTuple):
    """Which measure of which model a test is about."""

    model: str
    probe: str
    measure: str
    variant: str


def adjusted_p(measures: Mapping[str, ProbeMeasures], changes: Sequence[ModelDifference]) -> dict[MeasureKey, float]:
    """The adjusted p of every measure of every model that has a null, and of `changes`."""
    tests = dict(_tests(measures))
    for one in changes:
        if one.measure.p is not None:
            tests[MeasureKey(CHANGE, one.probe, one.measure.name, one.measure.variant)] = one.measure.p
    return adjusted(tests)


def _tests(measures: Mapping[str, ProbeMeasures]) -> Iterator[tuple[MeasureKey, float]]:
    for model, found in measures.items():
        for probe, probed in found.probes.items():
            for one in probed.measures:
                if one.p is not None:
                    yield MeasureKey(model, probe, one.name, one.variant), one.p
