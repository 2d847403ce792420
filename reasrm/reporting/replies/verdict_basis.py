"""What a reply rests its verdict on, as far as its structure shows: a worked solution, or which criteria.

No judge is asked and no text is understood: the tags say whether something was solved, the rubric which criteria have
weight, and the question's own words whether it named them.
"""

from enum import StrEnum
from typing import NamedTuple

from reasrm.judging.trace_structure import read_structure
from reasrm.records.harmless_text import one_line
from reasrm.reporting.replies.reply_statistics import criterion_shares

CRITERIA_CHARACTERS = 60
"""Longer lists of criteria are cut."""


class BasisKind(StrEnum):
    """What kind of grounds a reply gives."""

    SOLUTION = "worked solution"
    REQUEST = "the question's criteria"
    OWN = "own criteria"
    FREE = "free comparison"
    NOTHING = "verdict alone"

    @property
    def is_worked_out(self) -> bool:
        """Whether it shows that the question was worked out or read."""
        return self in (BasisKind.SOLUTION, BasisKind.REQUEST)


class VerdictBasis(NamedTuple):
    """The grounds of one verdict."""

    kind: BasisKind
    criteria: str = ""
    """Those of its own, in words."""

    @property
    def label(self) -> str:
        """For readers."""
        return f"{self.kind.value}: {self.criteria}" if self.criteria else self.kind.value


def verdict_basis(reply: str, question: str) -> VerdictBasis:
    """What `reply` rests its verdict on.

    A rubric is the question's own where the question names each criterion, the weightier the earlier: then it was read
    there. Criteria in any other order, or that the question does not name, are the judge's own.
    """
    structure = read_structure(reply)
    if structure.solution:
        return VerdictBasis(BasisKind.SOLUTION)
    criteria = list(criterion_shares(structure.rubric or ""))
    if not criteria:
        free = structure.evaluation or structure.rubric or structure.justification
        return VerdictBasis(BasisKind.FREE if free else BasisKind.NOTHING)
    places = [question.casefold().find(criterion) for criterion in criteria]
    if -1 not in places and places == sorted(places):
        return VerdictBasis(BasisKind.REQUEST)
    return VerdictBasis(BasisKind.OWN, one_line(", ".join(criteria), CRITERIA_CHARACTERS))
