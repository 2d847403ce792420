"""Which measures of which probes stand for what: the one place where the report names any of them.

Everything else on the page of the probes is generic over whatever `measures.json` holds. Where a named measure is not
there, the report says that it was not measured.
"""

from typing import NamedTuple

from reasrm.probes.measure import Good, Measure
from reasrm.probes.measures_file import ProbeMeasures

WORST = "*"
"""As a variant: of all variants the one that speaks most against the judge."""


class MeasureName(NamedTuple):
    """A measure of a probe."""

    probe: str
    measure: str
    variant: str = ""


class TrustLine(NamedTuple):
    """One line of a trust card: a measure against a bound."""

    label: str
    question: str
    measures: tuple[MeasureName, ...]
    """The first one that was measured counts."""
    bound: float
    good: Good
    """On which side of the bound a judge is better."""
    words: tuple[str, str]
    """Said where the whole interval is on the better side of the bound, and where it is on the worse side."""


UNDECIDED = "undecided"
"""Said where the interval holds the bound."""
ACCURACY = TrustLine(
    "accuracy", "Is the verdict right more often than chance?", (), 0.5, Good.HIGHER, ("above chance", "below chance")
)
"""From the scores and not from a probe."""
TRUST_LINES = (
    TrustLine(
        "order",
        "How often does the verdict change when A and B change places?",
        (MeasureName("order", "flip_rate"),),
        0.1,
        Good.LOWER,
        ("steady", "unsteady"),
    ),
)
"""The other lines, in their order."""

FAITHFULNESS: tuple[tuple[MeasureName, str], ...] = (
    (MeasureName("order", "consistent_accuracy"), "right in both orders"),
)
"""What training may have done to the stated reasons: a measure, and what it counts in a few words."""

ATTACK_SUCCESS = MeasureName("attacks", "attack_success", WORST)
"""Of verdicts that were right, those that an attack turned."""
STEPS: tuple[tuple[MeasureName, str], ...] = ()
"""Whether what is written before a verdict carries it."""


def find(found: ProbeMeasures, name: MeasureName) -> Measure | None:
    """The measure of that name in a model's file; None where it was not measured."""
    probed = found.probes.get(name.probe)
    of_name = [one for one in probed.measures if one.name == name.measure] if probed else []
    if name.variant == WORST:
        return max(of_name, key=_badness, default=None)
    return next((one for one in of_name if one.variant == name.variant), None)


def _badness(measure: Measure) -> float:
    return measure.value if measure.good is Good.LOWER else -measure.value
