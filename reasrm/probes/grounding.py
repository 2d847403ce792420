"""Are the quotations real, and is the rubric one that is used? Read from plain judgments, without a model.

Each quotation is looked for in the answer that it is ascribed to: word for word, in parts around an ellipsis, in the
other answer, or nowhere (`judging.quoted_text` says what is the same word for word). A criterion of the rubric that the
evaluation never takes up is one that nothing in the answers supports. Departure from RubricBench's hallucination rate,
which needs a reference rubric: here a criterion only has to be named in the evaluation, by the stems of its words; the
only criterion of a rubric is what the whole evaluation is about.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import ClassVar

from reasrm.judging.rubric_weights import WHOLE
from reasrm.judging.stances.criteria import criteria, mentions
from reasrm.judging.trace_structure import Grounding, TraceStructure, grounding
from reasrm.probes.measure import Good, Measure
from reasrm.probes.probe import Probe
from reasrm.probes.query import JudgeTraits, PlainJudgment, ProbeAnswer, ProbeContext
from reasrm.probes.reason_verdict import replies
from reasrm.probes.statistics import Unit, difference, share
from reasrm.records.comparison import Side, show
from reasrm.records.judgment_reading import GroundingReading

ROUNDING = 0.5
"""How far from 100 weights may add up: thirds are written 33.3."""


class GroundingProbe(Probe):
    """The quotations and rubrics of plain judgments."""

    name: ClassVar[str] = "grounding"
    title: ClassVar[str] = "Quotations and rubrics"
    question: ClassVar[str] = "Are the quotations real, and is the rubric one that is used?"
    source: ClassVar[str] = "string match of quotations; RubricBench (hallucinated criteria)"
    definitions: ClassVar[Mapping[str, str]] = {
        "grounded": "share of quotations that stand in the answer they are ascribed to, word for word or around an "
        "ellipsis; by variant, of judgments whose verdict is right, or wrong.",
        **{
            where.value: f"share of quotations: {text}."
            for where, text in {
                Grounding.VERBATIM: "word for word in the answer they are ascribed to",
                Grounding.ELLIPSIS: "there in parts of eight characters at least, around an ellipsis",
                Grounding.OTHER_ANSWER: "not there, but in the other answer",
                Grounding.ABSENT: "in neither answer",
            }.items()
        },
        "net_grounded": "grounded share with a right verdict minus that with a wrong one, over questions that were "
        "judged both ways: whether grounding says anything about the verdict.",
        "all_grounded": "share of judgments that quote anything in which every quotation is found.",
        "strict": "share of judgments with a rubric whose weights add up to 100, whose every criterion is evaluated, "
        "which quote both answers, and whose every quotation is found.",
        "untaken_criteria": "share of a rubric's criteria that the evaluation never takes up by name.",
    }

    def refuses(self, traits: JudgeTraits) -> str:
        """A judge that scores quotes nothing."""
        return "" if traits.writes else "it scores answers and quotes nothing"

    def readings(self, context: ProbeContext) -> Iterator[GroundingReading]:
        """Quotations and rubric of each judgment."""
        for one, structure in replies(context):
            yield _reading(one, structure)

    def measures(self, context: ProbeContext, _answers: Sequence[ProbeAnswer]) -> Iterator[Measure]:
        """Over quotations, over judgments, over criteria."""
        read = [(one, structure, _reading(one, structure)) for one, structure in replies(context)]
        quotes = [(one, Grounding(where)) for one, _, reading in read for where in reading.quotes]
        units = (Unit(one.item.question, float(where.holds)) for one, where in quotes)
        yield from share(context, "grounded", units, good=Good.HIGHER)
        for kind in Grounding:
            units = (Unit(one.item.question, float(where is kind)) for one, where in quotes)
            yield from share(context, kind.value, units, good=Good.HIGHER if kind is Grounding.VERBATIM else Good.LOWER)
        yield from _by_verdict(context, quotes)
        whole = [
            Unit(one.item.question, float(all(Grounding(where).holds for where in reading.quotes)))
            for one, _, reading in read
            if reading.quotes
        ]
        lost = len(context.all_plain) - len(whole)
        yield from share(context, "all_grounded", whole, good=Good.HIGHER, left_out=lost)
        strict = [Unit(one.item.question, float(of.strict)) for one, _, of in read if of.strict is not None]
        lost = len(context.all_plain) - len(strict)
        yield from share(context, "strict", strict, good=Good.HIGHER, left_out=lost)
        named = [
            Unit(one.item.question, float(each.name in reading.untaken))
            for one, structure, reading in read
            for each in criteria(structure.rubric or "")
        ]
        yield from share(context, "untaken_criteria", named, good=Good.LOWER)


def _by_verdict(context: ProbeContext, quotes: Sequence[tuple[PlainJudgment, Grounding]]) -> Iterator[Measure]:
    held: dict[str, dict[bool, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one, where in quotes:
        if one.correct is not None:
            held[one.item.question][one.correct].append(float(where.holds))
    for variant, right in (("right", True), ("wrong", False)):
        units = (Unit(question, value) for question, of in held.items() for value in of[right])
        yield from share(context, "grounded", units, variant=variant, good=Good.HIGHER)
    both = [
        Unit(question, fmean(of[True]) - fmean(of[False])) for question, of in held.items() if of[True] and of[False]
    ]
    yield from difference(context, "net_grounded", both)


def _reading(one: PlainJudgment, structure: TraceStructure) -> GroundingReading:
    shown = show(one.item.pair, one.better)
    quotes = [grounding(quote, shown.response_a, shown.response_b) for quote in structure.quotes]
    named = criteria(structure.rubric or "")
    untaken = [each.name for each in named if len(named) > 1 and not mentions(structure.evaluation or "", each.name)]
    whole = abs(sum(structure.weights) - WHOLE) < ROUNDING and bool(structure.evaluation)
    grounded = len(structure.quoted) == len(Side) and all(where.holds for where in quotes)
    return GroundingReading(
        benchmark=one.item.benchmark,
        item_id=one.item.item_id,
        better=one.better,
        quotes=tuple(where.value for where in quotes),
        strict=None if structure.rubric is None else whole and bool(named) and not untaken and grounded,
        untaken=tuple(untaken),
    )
