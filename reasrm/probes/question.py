"""Does the verdict need the question, or only how well an answer hangs together?

After "Reward Models Identify Consistency, Not Causality" (arXiv 2502.14619): the question is removed, taken from
another item, changed in its numbers, or cut, while both answers stay as they are. A judge that reads it loses its
accuracy against the item's own label, towards one half where the question is gone. Departures: verdicts and accuracy in
place of differences of scores, so that judges with and without scores compare; the question is cut and not a solution's
steps; each edit is asked in one order and set beside the plain verdict in the same order.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from pydantic import Field, field_validator

from reasrm.probes.beside_plain import beside_plain, edited_share, of_variant, shown_side
from reasrm.probes.measure import Good, Measure
from reasrm.probes.perturbations.pair_edits import edited
from reasrm.probes.perturbations.questions import another_prompt, halves, renumbered, with_question
from reasrm.probes.probe import Probe
from reasrm.probes.query import JudgeTraits, ProbeAnswer, ProbeContext, ProbeItem, ProbeQuery
from reasrm.probes.statistics import Unit, difference, share
from reasrm.records.comparison import show
from reasrm.records.pair import Message, Role

EDITS = ("removed", "shuffled", "renumbered", "first_half", "last_half")


class QuestionProbe(Probe):
    """Five edits of each question, in one order."""

    name: ClassVar[str] = "question"
    title: ClassVar[str] = "Is the question read?"
    question: ClassVar[str] = "Does the verdict need the question, or only how well an answer hangs together?"
    source: ClassVar[str] = "Xu et al., arXiv 2502.14619"
    definitions: ClassVar[Mapping[str, str]] = {
        "accuracy": "share of verdicts that name the better answer to the item's own question when the judge is shown "
        "another one: `removed` (a placeholder in place of the whole conversation), `shuffled` (another item's "
        "conversation, of the same family or part of the benchmark), `renumbered` (each number of its last turn "
        "changed), `first_half` and `last_half` of its last turn. Judgments without a verdict, before or after, are "
        "left out.",
        "accuracy_before": "the same items in the same order with their own questions.",
        "uses_question": "`accuracy_before` minus `accuracy`, paired: what the judge owes to the question, or to that "
        "part of it. About 0 means that the verdict comes from the answers alone; a judge that is hardly right in more "
        "than one half has little that it could lose. A small model may also fail because a cut or empty question is "
        "unlike all that it has read; what it owes to a real question is that of `shuffled`.",
        "changed": "share of verdicts that change.",
        "edited": "share of the sample's items whose question the edit changes; the others are not asked.",
    }

    placeholder: str
    """What stands in place of a removed question; may be empty."""
    digits: str = Field(pattern=r"^\d{3,10}$")
    """At least three different ones, of which changed numbers are made."""
    kept_passages: tuple[str, ...]
    """Passages of questions whose numbers stay."""

    @field_validator("digits")
    @classmethod
    def _differ(cls, digits: str) -> str:
        if len(set(digits)) < len(digits):
            raise ValueError(f"{digits!r} names a digit twice")
        return digits

    def most_queries(self, items: int, _traits: JudgeTraits) -> int:
        """Each edit in one order."""
        return items * len(EDITS)

    def queries(self, context: ProbeContext) -> Iterator[ProbeQuery]:
        """Every edit that changes the item's conversation."""
        for item in context.items:
            side = shown_side(context, item)
            if side is None:
                continue
            for variant, prompt in self._edits(item, context):
                if prompt is not None and prompt != item.pair.prompt:
                    yield ProbeQuery(item, variant, show(edited(item.pair, prompt=prompt), side))

    def measures(self, context: ProbeContext, answers: Sequence[ProbeAnswer]) -> Iterator[Measure]:
        """By edit; nothing about all edits together, which take different things away."""
        for variant in EDITS:
            asked = of_variant(answers, variant)
            both = list(beside_plain(context, asked))
            lost = len(asked) - len(both)
            now = [one.unit(float(bool(one.answer.correct))) for one in both]
            before = [one.unit(float(bool(one.plain.correct))) for one in both]
            fallen = [Unit(one.question, one.value - other.value) for one, other in zip(before, now, strict=True)]
            changed = [one.unit(float(one.moved)) for one in both]
            yield from share(context, "accuracy", now, variant=variant, null=0.5, left_out=lost)
            yield from share(context, "accuracy_before", before, variant=variant, good=Good.HIGHER, left_out=lost)
            yield from difference(context, "uses_question", fallen, variant=variant, good=Good.HIGHER, left_out=lost)
            yield from share(context, "changed", changed, variant=variant, left_out=lost)
            yield from edited_share(context, answers, variant)

    def _edits(self, item: ProbeItem, context: ProbeContext) -> Iterator[tuple[str, tuple[Message, ...] | None]]:
        """The name of each edit and the conversation that it makes; None where it cannot be made."""
        prompt, question = item.pair.prompt, item.pair.question
        yield "removed", (Message(role=Role.USER, content=self.placeholder),)
        yield "shuffled", another_prompt(item, context.items, context.seed)
        changed = renumbered(question, self.digits, self.kept_passages, context.seed, item.pair.id)
        yield "renumbered", with_question(prompt, changed)
        first, last = halves(question) or (question, question)
        yield "first_half", with_question(prompt, first)
        yield "last_half", with_question(prompt, last)
