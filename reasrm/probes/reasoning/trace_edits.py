"""The traces that the probe `nldd` gives back to a judge: each item's own, with a step or all of it changed."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from reasrm.probes.query import Condition, ProbeContext, ProbeItem, ProbeQuery
from reasrm.probes.reasoning.stated_trace import StatedTrace, chosen_trace, stated_trace
from reasrm.probes.reasoning.step_edits import Kind, corrupted, paraphrased
from reasrm.probes.reasoning.trace_pool import TracePool
from reasrm.probes.reasoning.word_exchange import Ring
from reasrm.records.comparison import Side, show

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
        self._most_steps, self._controls = most_steps, controls
        self._pool = TracePool(context, most_steps)

    def all(self) -> list[ItemEdits]:
        """Of each item of which there is a trace with a right verdict, in order."""
        items = self._context.items
        found = ((item, chosen_trace(self._context, item, place, right=True)) for place, item in enumerate(items))
        return [self._of(item, trace.with_steps(self._most_steps)) for item, trace in found if trace is not None]

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
        ask(OTHER_ITEM, self._pool.reasoning(item, trace, trace.verdict.other))
        edited = []
        for step, place in enumerate(places):
            edit = corrupted(trace.pieces, place, self._kinds, self._exchanges)
            if edit is None:
                found.uncorrupted += 1
            else:
                edited.append((step, place))
                ask(CORRUPTED + edit.kind.value, with_step(place, edit.text), step)
        for step, place in sorted(edited, key=lambda one: self._pool.draw(item, "control", one[0]))[: self._controls]:
            ask(PARAPHRASED, with_step(place, paraphrased(trace.pieces[place], self._synonyms)), step)
            ask(RANDOM_STEP, with_step(place, self._pool.step(item, trace, place)), step)
        return found

    def _of_swapped_order(self, item: ProbeItem, trace: StatedTrace) -> str | None:
        """What the judge wrote when the answers had changed places; None unless it named the same answer then."""
        other = stated_trace(self._context.plain_of(item, trace.plain.better.other))
        return other.begun if other and other.verdict is not trace.verdict else None
