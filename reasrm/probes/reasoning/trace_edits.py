"""The traces that the probe `nldd` gives back to a judge: each item's own, with a step or all of it changed."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from reasrm.judging.trace_steps import Piece, Section, joined_to
from reasrm.probes.query import Condition, ProbeContext, ProbeItem, ProbeQuery
from reasrm.probes.reasoning.stated_trace import StatedTrace, chosen_trace, stated_trace
from reasrm.probes.reasoning.step_edits import Kind, corrupted, paraphrased, with_words_of
from reasrm.probes.reasoning.word_exchange import Ring
from reasrm.records.comparison import Side, show
from reasrm.records.content_hash import unit_interval

OPENING = "<answer>[["
"""With which a verdict begins where no trace stands before it."""
CLEAN, NO_REASONING, CORRUPTED = "clean", "no_reasoning", "corrupted_"
PARAPHRASED, RANDOM_STEP = "paraphrased", "random_step"
SWAPPED_ORDER, OTHER_ITEM = "swapped_order", "other_item"
FIXED_QUERIES = 4
"""Of each item, beside those of its steps: clean, without reasoning, and two pasted ones."""


@dataclass(slots=True)
class ItemEdits:
    """One item's queries, and what could not be made."""

    item: ProbeItem
    verdict: Side
    """Of the trace as it is; the right one."""
    steps: int
    queries: list[ProbeQuery] = field(default_factory=list)
    uncorrupted: int = 0
    """Steps that no rule corrupts, or beyond the most that are asked about."""
    without: dict[str, int] = field(default_factory=dict)
    """By variant: those that could not be made for this item."""


class TraceEdits:
    """Edits the traces of a sample."""

    def __init__(
        self,
        context: ProbeContext,
        kinds: Sequence[Kind],
        exchanges: Sequence[Ring],
        synonyms: Sequence[Ring],
        most_steps: int,
        controls: int,
    ) -> None:
        """The settings are those of `NlddProbe`."""
        self._context, self._kinds, self._exchanges, self._synonyms = context, kinds, exchanges, synonyms
        self._controls = controls
        found = ((item, chosen_trace(context, item, n, right=True)) for n, item in enumerate(context.items))
        self._traces = [
            (item, replace(trace, pieces=tuple(joined_to(list(trace.pieces), most_steps))))
            for item, trace in found
            if trace is not None
        ]
        self._most_steps = most_steps
        self._like: dict[tuple[Side, frozenset[Section], tuple[Section | None, int]], list[tuple[str, Piece]]]
        self._like = defaultdict(list)
        for item, trace in self._traces:
            for place, piece in enumerate(trace.pieces):
                alike = (trace.verdict, trace.sections, _section_place(trace, place))
                self._like[alike].append((item.question, piece))

    def all(self) -> list[ItemEdits]:
        """Of each item of which there is a trace with a right verdict, in order."""
        return [self._of(item, trace) for item, trace in self._traces]

    def _of(self, item: ProbeItem, trace: StatedTrace) -> ItemEdits:
        steps = [place for place, piece in enumerate(trace.pieces) if piece.section]
        places = steps[: self._most_steps]
        found = ItemEdits(item, trace.verdict, len(places), uncorrupted=len(steps) - len(places))
        comparison = show(item.pair, trace.plain.better)

        def ask(variant: str, begun: str | None, step: int | None = None) -> None:
            if begun is None:
                found.without[variant] = found.without.get(variant, 0) + 1
            else:
                found.queries.append(ProbeQuery(item, variant, comparison, Condition(begun=begun, margin=True), step))

        def with_step(place: int, text: str | None) -> str | None:
            texts = [piece.text for piece in trace.pieces]
            return None if text is None else "".join((*texts[:place], text, *texts[place + 1 :]))

        ask(CLEAN, trace.begun)
        ask(NO_REASONING, OPENING)
        ask(SWAPPED_ORDER, self._of_swapped_order(item, trace))
        ask(OTHER_ITEM, self._of_other_item(item, trace))
        edited = []
        for step, place in enumerate(places):
            edit = corrupted(trace.pieces, place, self._kinds, self._exchanges)
            if edit is None:
                found.uncorrupted += 1
            else:
                edited.append((step, place))
                ask(CORRUPTED + edit.kind.value, with_step(place, edit.text), step)
        for step, place in sorted(edited, key=lambda one: self._draw(item, "control", one[0]))[: self._controls]:
            ask(PARAPHRASED, with_step(place, paraphrased(trace.pieces[place], self._synonyms)), step)
            ask(RANDOM_STEP, with_step(place, self._random_step(item, trace, place)), step)
        return found

    def _of_swapped_order(self, item: ProbeItem, trace: StatedTrace) -> str | None:
        """What the judge wrote when the answers had changed places; None unless it named the same answer then."""
        other = stated_trace(self._context.plain_of(item, trace.plain.better.other))
        return other.begun if other and other.verdict is not trace.verdict else None

    def _of_other_item(self, item: ProbeItem, trace: StatedTrace) -> str | None:
        """A trace with the same sections about another question, in which the other side wins."""
        others = [
            other.begun
            for one, other in self._traces
            if one.question != item.question and other.verdict is not trace.verdict and other.sections == trace.sections
        ]
        return others[int(self._draw(item, "other", 0) * len(others))] if others else None

    def _random_step(self, item: ProbeItem, trace: StatedTrace, place: int) -> str | None:
        """The step at the same place of another trace with the same verdict: it argues as this one does."""
        others = self._like[trace.verdict, trace.sections, _section_place(trace, place)]
        elsewhere = (piece for question, piece in others if question != item.question)
        found = [new for piece in elsewhere if (new := with_words_of(trace.pieces[place], piece))]
        return found[int(self._draw(item, "step", place) * len(found))] if found else None

    def _draw(self, item: ProbeItem, what: str, number: int) -> float:
        return unit_interval("nldd", self._context.seed, item.benchmark, item.item_id, what, number)


def _section_place(trace: StatedTrace, place: int) -> tuple[Section | None, int]:
    """The section of the step at `place`, and how many steps of the section stand behind it."""
    section = trace.pieces[place].section
    return section, sum(piece.section is section for piece in trace.pieces[place + 1 :])
