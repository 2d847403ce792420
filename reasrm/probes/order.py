"""Does the verdict follow the answer when A and B change places, and how much of that is chance?

Order consistency after J1 (arXiv 2505.10320, section 2.2): consistent accuracy is the share judged rightly in both
orders, a flip is a verdict that names another answer when the order is swapped. A judge that draws its replies also
changes its mind in the same order; that repeat noise is the yardstick, measured on the same items: two draws in one
order against one draw in each order, at the same temperature.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from pydantic import Field

from reasrm.probes.measure import Good, Measure
from reasrm.probes.probe import Probe
from reasrm.probes.query import Condition, JudgeTraits, PlainJudgment, ProbeAnswer, ProbeContext, ProbeQuery
from reasrm.probes.statistics import Unit, difference, share
from reasrm.records.comparison import Side, show

FIRST, AGAIN, SWAPPED = "drawn", "drawn_again", "drawn_swapped"
"""One drawn reply, another one in the same order, and one in the other order."""


class OrderProbe(Probe):
    """Plain judgments in both orders; draws for the yardstick."""

    name: ClassVar[str] = "order"
    title: ClassVar[str] = "Order of the answers"
    question: ClassVar[str] = (
        "Does the verdict follow the answer when A and B change places, and how much of that is chance?"
    )
    source: ClassVar[str] = "J1, arXiv 2505.10320, section 2.2"
    definitions: ClassVar[Mapping[str, str]] = {
        "consistent_accuracy": "share of pairs judged rightly in both orders; an unreadable verdict is not right.",
        "flip_rate": "share of pairs, readable in both orders, whose verdict names another answer when A and B are "
        "swapped.",
        "picked_a": "share of readable verdicts that name A, over pairs judged in both orders; one half without a "
        "position bias.",
        "repeat_rate": "share of verdicts that change when the same prompt is answered again, drawn at `temperature`.",
        "net_flip_rate": "flips between two drawn replies in different orders, minus changes between two drawn replies "
        "in the same order: what the order does beyond chance.",
    }

    temperature: float = Field(gt=0)
    """At which the yardstick's replies are drawn."""

    def most_queries(self, items: int, traits: JudgeTraits) -> int:
        """Three draws per item."""
        return 3 * items if traits.draws else 0

    def queries(self, context: ProbeContext) -> Iterator[ProbeQuery]:
        """Each item drawn twice in one order and once in the other; which order is first alternates."""
        if not context.traits.draws:
            return
        for place, item in enumerate(context.items):
            side = list(Side)[place % 2]
            for variant, better, draw in ((FIRST, side, 0), (AGAIN, side, 1), (SWAPPED, side.other, 0)):
                condition = Condition(draw=context.seed + draw, temperature=self.temperature)
                yield ProbeQuery(item, variant, show(item.pair, better), condition)

    def measures(self, context: ProbeContext, answers: Sequence[ProbeAnswer]) -> Iterator[Measure]:
        """Of the plain judgments in both orders, then of the draws."""
        both = [(orders[Side.A], orders[Side.B]) for orders in context.plain.values() if len(orders) == len(Side)]
        right = (Unit(one.item.question, float(bool(one.correct and other.correct))) for one, other in both)
        yield from share(context, "consistent_accuracy", right, good=Good.HIGHER)
        readable = [pair for pair in both if all(one.judgment.verdict is not None for one in pair)]
        lost = len(both) - len(readable)
        flips = (Unit(one.item.question, float(one.correct != other.correct)) for one, other in readable)
        yield from share(context, "flip_rate", flips, good=Good.LOWER, left_out=lost)
        yield from share(context, "picked_a", _picked_a(readable), null=0.5, left_out=lost)
        yield from _of_draws(context, answers)


def _picked_a(readable: Sequence[tuple[PlainJudgment, PlainJudgment]]) -> Iterator[Unit]:
    for pair in readable:
        yield from (Unit(one.item.question, float(one.judgment.verdict is Side.A)) for one in pair)


def _of_draws(context: ProbeContext, answers: Sequence[ProbeAnswer]) -> Iterator[Measure]:
    """Changes between draws; an item counts where all three of its draws are readable."""
    drawn: dict[tuple[str, str], dict[str, bool]] = defaultdict(dict)
    question = {(one.query.item.benchmark, one.query.item.item_id): one.query.item.question for one in answers}
    for one in answers:
        if one.correct is not None:
            drawn[one.query.item.benchmark, one.query.item.item_id][one.query.variant] = one.correct
    whole = {item: three for item, three in drawn.items() if len(three) == len((FIRST, AGAIN, SWAPPED))}
    lost = len(question) - len(whole)
    again = {item: float(three[FIRST] != three[AGAIN]) for item, three in whole.items()}
    flipped = {item: float(three[FIRST] != three[SWAPPED]) for item, three in whole.items()}
    repeated = [Unit(question[item], value) for item, value in again.items()]
    yield from share(context, "repeat_rate", repeated, good=Good.LOWER, left_out=lost)
    net = [Unit(question[item], flipped[item] - again[item]) for item in whole]
    yield from difference(context, "net_flip_rate", net, good=Good.LOWER, left_out=lost)
