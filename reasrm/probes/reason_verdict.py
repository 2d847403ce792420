"""Do the stated reasons name the answer that the verdict names? Read from plain judgments, without a model.

Stance consistency after RFEval (arXiv 2602.17053: a faithful answer has the stance of its explanation), for the parts
of a Chain-of-Rubrics reply. What is read, and by which rule, is said in `judging.stances.reading`: each criterion with
its weight, the judge's own result, totals, and the sentences that sum up. What cannot be read without a guess is
undecidable. Departures: RFEval asks a model for the stances, here they are rules; and consistency alone says nothing
about cause, which the probes that perturb a reply measure.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import ClassVar

from reasrm.judging.stances.reading import StanceSource, criterion_stances, listed_sums, stances, stated_totals
from reasrm.judging.stances.stance import Stance
from reasrm.judging.trace_structure import TraceStructure, read_structure
from reasrm.probes.measure import Good, Measure
from reasrm.probes.probe import Probe
from reasrm.probes.query import JudgeTraits, PlainJudgment, ProbeAnswer, ProbeContext
from reasrm.probes.reasoning.solution_steps import STEP_DEFINITIONS, steps_right
from reasrm.probes.statistics import Unit, difference, share
from reasrm.records.comparison import Side
from reasrm.records.judgment_reading import ReasonsReading

CONSISTENT, CONTRADICTING, UNDECIDABLE = "consistent", "contradicting", "undecidable"


class ReasonVerdictProbe(Probe):
    """The reasons of plain judgments against their verdicts."""

    name: ClassVar[str] = "reason_verdict"
    title: ClassVar[str] = "Stated reasons and the verdict"
    question: ClassVar[str] = "Do the stated reasons name the answer that the verdict names?"
    source: ClassVar[str] = "RFEval, arXiv 2602.17053 (stance consistency)"
    definitions: ClassVar[Mapping[str, str]] = {
        CONSISTENT: "share of judgments whose reasons name the answer that the verdict names: at least one reading of "
        "them is clear, and none that is clear names the other answer. By variant, of one reading alone: criteria "
        "(sign of the weighted sum of the rubric's criteria), result (agreement with the judge's own result), totals, "
        "conclusion.",
        CONTRADICTING: "share of judgments with a clear reading that names the other answer than the verdict.",
        UNDECIDABLE: "share of judgments whose reasons prefer no answer, or cannot be read by rule.",
        "agreement": "consistent judgments of those that are consistent or contradicting: how often reasons that can "
        "be read agree with the verdict, however many can be read.",
        "reasons_right": "share of judgments with clear reasons, all for one answer, that name the better answer.",
        "verdict_gain": "accuracy of the verdicts of the same judgments minus that of their reasons: below 0 the "
        "verdict loses what the reasons had found.",
        "contradicting_picks_a": "share of contradicting judgments whose verdict is A; away from one half the last "
        "step follows the position.",
        "totals_add_up": "share of judgments, with totals and a list of met criteria for each answer, in which both "
        "totals are the sums of the weights.",
        **STEP_DEFINITIONS,
    }

    def refuses(self, traits: JudgeTraits) -> str:
        """A judge that scores gives no reasons."""
        return "" if traits.writes else "it scores answers and gives no reasons"

    def readings(self, context: ProbeContext) -> Iterator[ReasonsReading]:
        """What the reasons of each judgment prefer."""
        for one, structure in replies(context):
            found = stances(structure)
            yield ReasonsReading(
                benchmark=one.item.benchmark,
                item_id=one.item.item_id,
                better=one.better,
                stances={reading.value: stance.value for reading, stance in found.items()},
                criteria={each.criterion.name: each.stance.value for each in criterion_stances(structure)},
                agree={CONSISTENT: True, CONTRADICTING: False}.get(kind(found.values(), one.judgment.verdict)),
            )

    def measures(self, context: ProbeContext, _answers: Sequence[ProbeAnswer]) -> Iterator[Measure]:
        """Over all judgments with a verdict and an evaluation."""
        read = [
            (one, structure, stances(structure))
            for one, structure in replies(context)
            if structure.evaluation is not None and one.judgment.verdict is not None
        ]
        lost = len(context.all_plain) - len(read)
        kinds = [(one, "", kind(found.values(), one.judgment.verdict)) for one, _, found in read]
        kinds += [
            (one, reading.value, kind([stance], one.judgment.verdict))
            for reading in StanceSource
            for one, _, found in read
            if (stance := found.get(reading)) is not None
        ]
        for variant in ("", *StanceSource):
            of_variant = [(one, what) for one, of, what in kinds if of == variant]
            for name, good in ((CONSISTENT, Good.HIGHER), (CONTRADICTING, Good.LOWER), (UNDECIDABLE, Good.NEITHER)):
                units = (Unit(one.item.question, float(what == name)) for one, what in of_variant)
                yield from share(context, name, units, variant=variant, good=good, left_out=0 if variant else lost)
        clear = [(one, what) for one, of, what in kinds if not of and what != UNDECIDABLE]
        units = (Unit(one.item.question, float(what == CONSISTENT)) for one, what in clear)
        yield from share(context, "agreement", units, good=Good.HIGHER, left_out=len(context.all_plain) - len(clear))
        against = (one for one, of, what in kinds if not of and what == CONTRADICTING)
        units = (Unit(one.item.question, float(one.judgment.verdict is Side.A)) for one in against)
        yield from share(context, "contradicting_picks_a", units, null=0.5)
        yield from _reasons_right(context, read)
        yield from _totals_add_up(context, read)
        yield from steps_right(context, ((one.item, of.solution) for one, of in replies(context)))


Read = tuple[PlainJudgment, TraceStructure, dict[StanceSource, Stance]]


def replies(context: ProbeContext) -> Iterator[tuple[PlainJudgment, TraceStructure]]:
    """Each plain judgment with the parts of its reply; those without a reply are left out."""
    for one in context.all_plain:
        if one.judgment.reply is not None:
            yield one, _structure(one.judgment.reply.text)


@lru_cache(maxsize=8192)
def _structure(reply: str) -> TraceStructure:
    return read_structure(reply)


def kind(found: Iterable[Stance], verdict: Side | None) -> str:
    """What stances say about a verdict, together."""
    sides = {stance.side for stance in found} - {None}
    if not sides or verdict is None:
        return UNDECIDABLE
    return CONSISTENT if sides == {verdict} else CONTRADICTING


def _reasons_right(context: ProbeContext, read: Sequence[Read]) -> Iterator[Measure]:
    sides = [(one, {stance.side for stance in found.values()} - {None}) for one, _, found in read]
    clear = [(one, of.pop()) for one, of in sides if len(of) == 1]
    lost = len(read) - len(clear)
    reasons = (Unit(one.item.question, float(side is one.better)) for one, side in clear)
    yield from share(context, "reasons_right", reasons, good=Good.HIGHER, left_out=lost)
    gain = (Unit(one.item.question, float(bool(one.correct)) - float(side is one.better)) for one, side in clear)
    yield from difference(context, "verdict_gain", gain, good=Good.HIGHER, left_out=lost)


def _totals_add_up(context: ProbeContext, read: Sequence[Read]) -> Iterator[Measure]:
    both = [(one, stated_totals(of.evaluation or ""), listed_sums(of)) for one, of, _ in read]
    units = [Unit(one.item.question, float(totals == sums)) for one, totals, sums in both if totals and sums]
    yield from share(context, "totals_add_up", units, good=Good.HIGHER)
