"""Each answer to a perturbed comparison beside the plain judgment of the same item in the same order."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from reasrm.probes.measure import Measure
from reasrm.probes.query import PlainJudgment, ProbeAnswer, ProbeContext, ProbeItem
from reasrm.probes.statistics import Unit, share
from reasrm.records.comparison import Side, hashed_side


class BesidePlain(NamedTuple):
    """The same item, plain and perturbed, both with a verdict."""

    plain: PlainJudgment
    answer: ProbeAnswer

    @property
    def moved(self) -> bool:
        """Whether the verdict names the other side."""
        return self.plain.correct is not self.answer.correct

    def unit(self, value: float) -> Unit:
        """A unit of its question."""
        return Unit(self.plain.item.question, value)


def shown_side(context: ProbeContext, item: ProbeItem) -> Side | None:
    """The side on which perturbed copies of `item` show its better answer: one order each, balanced by hash.

    The other one where only that was judged plainly; None for an item that was not judged at all.
    """
    side = hashed_side(item.pair, context.seed)
    return next((one for one in (side, side.other) if context.plain_of(item, one)), None)


def beside_plain(context: ProbeContext, answers: Iterable[ProbeAnswer]) -> Iterator[BesidePlain]:
    """The answers with a verdict whose plain judgment has one too."""
    for answer in answers:
        plain = context.plain_of(answer.query.item, answer.query.comparison.better)
        if plain is not None and plain.correct is not None and answer.correct is not None:
            yield BesidePlain(plain, answer)


def of_variant(answers: Sequence[ProbeAnswer], *variants: str) -> list[ProbeAnswer]:
    """The answers to queries of some perturbations."""
    return [one for one in answers if one.query.variant in variants]


def edited_share(context: ProbeContext, answers: Sequence[ProbeAnswer], variant: str) -> Iterator[Measure]:
    """The measure `edited`: the share of the sample's items that a perturbation changes, so that it was asked."""
    changed = {one.query.item.pair.id for one in of_variant(answers, variant)}
    units = [Unit(item.question, float(item.pair.id in changed)) for item in context.items]
    yield from share(context, "edited", units, variant=variant)
