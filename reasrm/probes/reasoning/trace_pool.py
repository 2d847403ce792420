"""Traces to borrow from: what the judge wrote about other items, with a right verdict, in both orders."""

from collections import defaultdict

from reasrm.judging.trace_steps import Piece, Section
from reasrm.probes.query import ProbeContext, ProbeItem
from reasrm.probes.reasoning.stated_trace import StatedTrace, stated_trace
from reasrm.probes.reasoning.step_edits import with_words_of
from reasrm.records.comparison import Side
from reasrm.records.content_hash import unit_interval

Likeness = tuple[Side, frozenset[Section]]
"""Verdict and sections of a trace."""


class TracePool:
    """The right traces of a sample; what is borrowed for an item is drawn by hash and about another question."""

    def __init__(self, context: ProbeContext, most_steps: int) -> None:
        """Steps are joined as in the traces that are edited."""
        self._seed = context.seed
        self._whole: dict[Likeness, list[tuple[str, str]]] = defaultdict(list)
        self._steps: dict[tuple[Likeness, Section | None, int], list[tuple[str, Piece]]] = defaultdict(list)
        for item in context.items:
            for side in Side:
                trace = stated_trace(context.plain_of(item, side))
                if trace is not None and trace.plain.correct:
                    self._add(item.question, trace.with_steps(most_steps))

    def reasoning(self, item: ProbeItem, trace: StatedTrace, verdict: Side) -> str | None:
        """The beginning of a reply with the same sections as `trace` that ends with `verdict`."""
        others = self._whole.get((verdict, trace.sections), [])
        found = [begun for question, begun in others if question != item.question]
        return found[int(self.draw(item, "other", 0) * len(found))] if found else None

    def step(self, item: ProbeItem, trace: StatedTrace, place: int) -> str | None:
        """The step of `trace` at `place` in the words of the one that stands there in a trace of the same verdict.

        So it is about something else, and argues for the same side. Places are counted from the end of the section.
        """
        own = trace.pieces[place]
        others = self._steps.get(((trace.verdict, trace.sections), *_section_place(trace, place)), [])
        elsewhere = (piece for question, piece in others if question != item.question)
        found = [new for piece in elsewhere if (new := with_words_of(own, piece))]
        return found[int(self.draw(item, "step", place) * len(found))] if found else None

    def draw(self, item: ProbeItem, what: str, number: int) -> float:
        """A number in [0, 1) for one choice about an item."""
        return unit_interval("nldd", self._seed, item.benchmark, item.item_id, what, number)

    def _add(self, question: str, trace: StatedTrace) -> None:
        likeness = (trace.verdict, trace.sections)
        self._whole[likeness].append((question, trace.begun))
        for place, piece in enumerate(trace.pieces):
            if piece.section is not None:
                self._steps[likeness, *_section_place(trace, place)].append((question, piece))


def _section_place(trace: StatedTrace, place: int) -> tuple[Section | None, int]:
    """The section of the step at `place`, and how many steps of the section stand behind it."""
    section = trace.pieces[place].section
    return section, sum(piece.section is section for piece in trace.pieces[place + 1 :])
