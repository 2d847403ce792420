"""The interface of every probe: perturb items, have them judged, measure.

A probe of one's own is one file with one class, and a line in `registry.py`. Its fields are its settings, which stand
in params.yaml (`probe.suite.<name>`). What a probe asks depends on items, plain judgments and settings alone, so a run
that was interrupted asks the same again and finds the replies in the ledger.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from reasrm.probes.measure import Measure
from reasrm.probes.query import JudgeTraits, ProbeAnswer, ProbeContext, ProbeQuery


class Probe(BaseModel, ABC):
    """One question about a judge."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ClassVar[str]
    """As in params.yaml and on the command line."""
    title: ClassVar[str]
    """For readers."""
    question: ClassVar[str] = ""
    """What it asks about a judge, in one sentence for readers."""
    source: ClassVar[str]
    """Where the definition comes from: paper and section."""
    definitions: ClassVar[Mapping[str, str]]
    """What each of its measures is, by `Measure.name`, in a sentence or two; with every departure from `source`."""

    def refuses(self, _traits: JudgeTraits) -> str:
        """Why such a judge cannot be probed at all; empty if it can."""
        return ""

    def most_queries(self, _items: int, _traits: JudgeTraits) -> int:
        """How many queries there are at most for so many items: what a run may cost, known before it begins."""
        return 0

    def queries(self, _context: ProbeContext) -> Iterator[ProbeQuery]:
        """What the judge is asked; nothing for a probe that reads plain judgments alone."""
        yield from ()

    def readings(self, _context: ProbeContext) -> Iterator[BaseModel]:
        """What is read out of each plain judgment, kept beside the judgments; nothing for a probe that only asks."""
        yield from ()

    @abstractmethod
    def measures(self, context: ProbeContext, answers: Sequence[ProbeAnswer]) -> Iterator[Measure]:
        """What the answers come to. Measures without a single unit are left out."""
