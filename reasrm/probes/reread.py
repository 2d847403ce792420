"""Does the verdict follow from what was written? The same judge reads it again from its evaluation alone.

After stance consistency (RFEval, arXiv 2602.17053): an evaluation whose own author, shown nothing else, would name the
other answer does not argue for its verdict. The texts of both answers are blanked, the question stays: it says what the
evaluation is about and nothing about which answer is better. The judge's reply is made to begin with its own trace up
to `<answer>[[`, and the log-odds of A over B are its verdict now; nothing is written.

A judge that cannot be made to go on with a trace (a service, or one with a published prompt) is shown the evaluation
without its verdict instead and asked which answer it favours. That is another test, of other names: the judge may read
better than it decides. Departure: the paper lets a second model say for what a reasoning stands; here it is the same.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from pydantic import Field

from reasrm.probes.measure import Good, Measure
from reasrm.probes.probe import Probe
from reasrm.probes.query import RECORDED, Condition, JudgeTraits, ProbeAnswer, ProbeContext, ProbeItem, ProbeQuery
from reasrm.probes.reasoning.evaluation_template import EvaluationTemplate
from reasrm.probes.reasoning.stated_trace import StatedTrace, chosen_trace
from reasrm.probes.statistics import Unit, share
from reasrm.records.comparison import Side, show
from reasrm.records.pair import Message, Role

CONTINUED, PROMPTED = "continued", "prompted"
READINGS = {CONTINUED: "reread", PROMPTED: "prompted"}
"""What the names of the measures of each variant begin with."""
_OPENED_VERDICT = re.compile(r"(?:<\s{0,8}answer\s{0,8}>)?[\s\[\\*]*\Z", re.IGNORECASE)


class RereadProbe(Probe):
    """One forward pass, or one judgment, for each item."""

    name: ClassVar[str] = "reread"
    title: ClassVar[str] = "The verdict read again from the evaluation alone"
    question: ClassVar[str] = (
        "Does the verdict follow from what was written, when the same judge reads it again from its evaluation alone?"
    )
    source: ClassVar[str] = "stance consistency, RFEval, arXiv 2602.17053"
    definitions: ClassVar[Mapping[str, str]] = {
        "reread_consistent": "share of traces behind which the log-odds, with both answers blanked, name the verdict's "
        "side by at least `undecided` nats.",
        "reread_contradicting": "the same for the other side.",
        "reread_undecided": "share with log-odds smaller than `undecided`.",
        "prompted_consistent": "share of evaluations that the judge, asked about the evaluation alone, reads as "
        "favouring its verdict's side.",
        "prompted_contradicting": "the same for the other side.",
        "prompted_undecided": "share of which it names neither side.",
    }

    undecided: float = Field(gt=0)
    """Log-odds (nats) below this name no side."""
    blank: str
    """Stands for each answer's text where the trace is given back."""

    def refuses(self, traits: JudgeTraits) -> str:
        """A judge that does not write, or cannot be asked."""
        if not traits.writes:
            return "it writes no evaluation, only scores"
        return "there are only recorded replies: it cannot be asked" if traits == RECORDED else ""

    def most_queries(self, items: int, _traits: JudgeTraits) -> int:
        """One order of each item."""
        return items

    def queries(self, context: ProbeContext) -> Iterator[ProbeQuery]:
        """Each item's trace in one order, whether its verdict is right or not."""
        for item, trace in self._traces(context):
            if trace is None:
                continue
            shown = show(item.pair, trace.plain.better)
            if context.traits.margins:
                blanked = shown.model_copy(update={"response_a": self.blank, "response_b": self.blank})
                yield ProbeQuery(item, CONTINUED, blanked, Condition(begun=trace.begun, margin=True))
                continue
            evaluation = Message(role=Role.USER, content=_OPENED_VERDICT.sub("", trace.begun))
            alone = shown.model_copy(update={"prompt": (evaluation,), "response_a": "", "response_b": ""})
            yield ProbeQuery(item, PROMPTED, alone, Condition(template=EvaluationTemplate()))

    def measures(self, context: ProbeContext, answers: Sequence[ProbeAnswer]) -> Iterator[Measure]:
        """The three shares of the way in which the judge was asked."""
        traces = {(item.benchmark, item.item_id): trace for item, trace in self._traces(context)}
        variant = CONTINUED if context.traits.margins else PROMPTED
        read: list[tuple[str, bool | None]] = []
        for one in answers:
            trace = traces[one.query.item.benchmark, one.query.item.item_id]
            if trace is not None and (one.margin is not None or one.judgment is not None):
                side = self._side(one)
                read.append((one.query.item.question, None if side is None else side is trace.verdict))
        for name, stance in (("consistent", True), ("contradicting", False), ("undecided", None)):
            units = [Unit(question, float(found is stance)) for question, found in read]
            good = Good.HIGHER if stance else Good.LOWER
            left_out = len(context.items) - len(read)
            yield from share(context, f"{READINGS[variant]}_{name}", units, good=good, left_out=left_out)

    def _side(self, answer: ProbeAnswer) -> Side | None:
        if answer.judgment is not None:
            verdict = answer.judgment.verdict
            return None if verdict is None else Side(verdict)
        assert answer.margin is not None
        if abs(answer.margin) < self.undecided:
            return None
        return Side.A if answer.margin > 0 else Side.B

    def _traces(self, context: ProbeContext) -> list[tuple[ProbeItem, StatedTrace | None]]:
        return [(item, chosen_trace(context, item, place, right=False)) for place, item in enumerate(context.items)]
