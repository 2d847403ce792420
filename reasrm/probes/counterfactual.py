"""Edits that turn the label must move the verdict; edits that touch nothing but looks and wording must not.

Causal and neutral edits after Crome (arXiv 2506.16507). Departures: edits are made by rules and not by a language
model, so that their labels hold by construction. Two edits turn the label: the contents of the answers change places
while each place keeps its style (Markdown, and courtesies declared in the settings), and the question becomes that of
another item whose better and worse answers are these very two contents the other way round. An exchange of whole
answers turns the label as well, but it moves looks along with content: that is the probe of the order. Each edit is
asked in one order and set beside the plain verdict in the same order; an edit that changes nothing is not asked.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from reasrm.probes.beside_plain import BesidePlain, beside_plain, edited_share, of_variant, shown_side
from reasrm.probes.measure import Good, Measure
from reasrm.probes.measuring.two_shares import harmonic_mean
from reasrm.probes.perturbations.answer_style import AnswerStyle, StyleTexts
from reasrm.probes.perturbations.pair_edits import (
    contents_exchanged,
    each_answer,
    edited,
    renamed_throughout,
    reordered_within,
)
from reasrm.probes.perturbations.questions import OppositeQuestions
from reasrm.probes.perturbations.wording import paraphrased
from reasrm.probes.probe import Probe
from reasrm.probes.query import JudgeTraits, ProbeAnswer, ProbeContext, ProbeItem, ProbeQuery
from reasrm.probes.statistics import difference, share
from reasrm.records.comparison import show
from reasrm.records.pair import PreferencePair

TURNING = ("contents_exchanged", "question_exchanged")
"""Edits after which the other answer is the better one."""
NEUTRAL = ("padded", "marked_up", "unmarked", "reordered", "paraphrased", "renamed")
"""Edits after which the better answer is still the better one."""
ADDED_TO_WORSE = ("padded", "marked_up")
"""Neutral edits that give something to the worse answer alone."""


class CounterfactualProbe(Probe):
    """Eight edits of each item, in one order."""

    name: ClassVar[str] = "counterfactual"
    title: ClassVar[str] = "Edits that must and must not move the verdict"
    question: ClassVar[str] = (
        "Does the verdict move when an edit turns the label, and stay when an edit touches nothing but looks "
        "and wording?"
    )
    source: ClassVar[str] = "Crome, arXiv 2506.16507"
    definitions: ClassVar[Mapping[str, str]] = {
        "sensitivity": "share of readable verdicts that move when an edit turns the label: `contents_exchanged` (the "
        "contents of the answers change places, each place keeps its style; only where the styles differ), "
        "`question_exchanged` (the question of another item that has these two answers the other way round).",
        "right_when_turned": "share of items whose verdict is right both before and after an edit that turns the "
        "label.",
        "invariance": "share of readable verdicts that stay when an edit changes nothing that counts: the worse "
        "answer, where it has neither, `padded` with courtesies or `marked_up` with heading and bold; both answers "
        "`unmarked`, their sentences `reordered` (in prose the least sure of these edits), `paraphrased` by a table of "
        "equal wordings; names `renamed` in question and answers. The yardstick of a judge that draws its replies is "
        "the order probe's `repeat_rate`; at temperature 0 nothing moves by chance.",
        "harmonic_mean": "of sensitivity and invariance, each over all of its edits; 0 for a judge that never moves, "
        "about one half for one that moves by chance. Interval by a bootstrap over the questions of both.",
        "drawn_to_addition": "share of verdicts that move to the worse answer when only it is padded or marked up, "
        "minus the share that move away from it.",
        "edited": "share of the sample's items that an edit changes; the others are not asked.",
    }

    style: StyleTexts
    """What padding and Markdown are, which is also what `contents_exchanged` leaves in its place."""
    form_words: tuple[str, ...]
    """Words of a question that speaks of the form of its answer: there no edit takes Markdown off."""
    connectives: tuple[str, ...]
    """Words at the beginning of a sentence that needs the one before it: such answers are not reordered."""
    equal_wordings: dict[str, str]
    """Wordings of the same meaning, by pairs; case counts."""
    names: dict[str, tuple[tuple[str, ...], ...]]
    """By family of questions (the empty name: rows without one): groups of names of which each may become any other
    without a change of the label, all of a group by the same distance."""

    def most_queries(self, items: int, _traits: JudgeTraits) -> int:
        """Each edit in one order."""
        return items * len((*TURNING, *NEUTRAL))

    def queries(self, context: ProbeContext) -> Iterator[ProbeQuery]:
        """Every edit that changes the item."""
        judged = (one.item.pair for one in context.all_plain)
        opposite = OppositeQuestions(judged, lambda answer: self.style.undressed(answer)[0], context.seed)
        for item in context.items:
            side = shown_side(context, item)
            if side is None:
                continue
            for variant, pair in self._edits(item, opposite, context.seed):
                if pair.id != item.pair.id:
                    yield ProbeQuery(item, variant, show(pair, side))

    def measures(self, context: ProbeContext, answers: Sequence[ProbeAnswer]) -> Iterator[Measure]:
        """By edit, then of all edits that turn the label and of all neutral ones."""
        for variant in TURNING:
            yield from _sensitivity(context, of_variant(answers, variant), variant)
        yield from _sensitivity(context, of_variant(answers, *TURNING), "")
        for variant in NEUTRAL:
            yield from _invariance(context, of_variant(answers, variant), variant)
        yield from _invariance(context, of_variant(answers, *NEUTRAL), "")
        moved = [one.unit(float(one.moved)) for one in beside_plain(context, of_variant(answers, *TURNING))]
        stayed = [one.unit(float(not one.moved)) for one in beside_plain(context, of_variant(answers, *NEUTRAL))]
        yield from harmonic_mean(context, "harmonic_mean", moved, stayed, good=Good.HIGHER)
        for variant in ADDED_TO_WORSE:
            both, lost = _readable(context, of_variant(answers, variant))
            drawn = [one.unit(float(bool(one.plain.correct)) - float(bool(one.answer.correct))) for one in both]
            yield from difference(context, "drawn_to_addition", drawn, variant=variant, good=Good.LOWER, left_out=lost)
        for variant in (*TURNING, *NEUTRAL):
            yield from edited_share(context, answers, variant)

    def _edits(self, item: ProbeItem, opposite: OppositeQuestions, seed: int) -> Iterator[tuple[str, PreferencePair]]:
        """The name of each edit and what it makes of the item; the item's own pair where it changes nothing."""
        pair, style, key = item.pair, self.style, (seed, item.pair.id)
        form_matters = not set(self.form_words).isdisjoint(re.findall(r"\w+", pair.question.lower()))
        yield "contents_exchanged", pair if form_matters else contents_exchanged(pair, style)
        yield "question_exchanged", edited(pair, prompt=opposite.prompt_for(pair))
        yield "padded", edited(pair, rejected=style.given(pair.rejected, AnswerStyle(padded=True, marked_up=False)))
        yield "marked_up", edited(pair, rejected=style.given(pair.rejected, AnswerStyle(padded=False, marked_up=True)))
        yield "unmarked", pair if form_matters else each_answer(pair, style.unmarked)
        yield (
            "reordered",
            each_answer(pair, lambda one: reordered_within(one, style, frozenset(self.connectives), *key)),
        )
        yield "paraphrased", each_answer(pair, lambda one: paraphrased(one, self.equal_wordings))
        yield "renamed", renamed_throughout(pair, self.names.get(item.family, ()), *key)


def _readable(context: ProbeContext, answers: Sequence[ProbeAnswer]) -> tuple[list[BesidePlain], int]:
    """Those with a verdict before and after, and how many have none."""
    both = list(beside_plain(context, answers))
    return both, len(answers) - len(both)


def _sensitivity(context: ProbeContext, answers: Sequence[ProbeAnswer], variant: str) -> Iterator[Measure]:
    both, lost = _readable(context, answers)
    moved = [one.unit(float(one.moved)) for one in both]
    yield from share(context, "sensitivity", moved, variant=variant, good=Good.HIGHER, left_out=lost)
    right = [one.unit(float(bool(one.plain.correct) and not one.answer.correct)) for one in both]
    yield from share(context, "right_when_turned", right, variant=variant, good=Good.HIGHER, left_out=lost)


def _invariance(context: ProbeContext, answers: Sequence[ProbeAnswer], variant: str) -> Iterator[Measure]:
    both, lost = _readable(context, answers)
    stayed = [one.unit(float(not one.moved)) for one in both]
    yield from share(context, "invariance", stayed, variant=variant, good=Good.HIGHER, left_out=lost)
