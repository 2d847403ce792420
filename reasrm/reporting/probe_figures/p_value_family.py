"""All tests of the page as one family: p values adjusted after Benjamini and Hochberg (1995)."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from scipy.stats import false_discovery_control

from reasrm.probes.measures_file import ProbeMeasures

FALSE_DISCOVERIES = 0.05
"""The share of false ones among the effects that the page calls shown, at most, on average."""


class TestedMeasure(NamedTuple):
    """Which measure of which model a test is about."""

    model: str
    probe: str
    measure: str
    variant: str


def adjusted_p(measures: Mapping[str, ProbeMeasures]) -> dict[TestedMeasure, float]:
    """The adjusted p of every measure of every model that has one."""
    tests = dict(_tests(measures))
    if not tests:
        return {}
    return dict(zip(tests, map(float, false_discovery_control(list(tests.values()), method="bh")), strict=True))


def _tests(measures: Mapping[str, ProbeMeasures]) -> Iterator[tuple[TestedMeasure, float]]:
    for model, found in measures.items():
        for probe, probed in found.probes.items():
            for one in probed.measures:
                if one.p is not None:
                    yield TestedMeasure(model, probe, one.name, one.variant), one.p
