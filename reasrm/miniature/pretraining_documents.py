"""The documents that the miniature's base model is pretrained on: skills, the form of a judgment, and habits.

Three kinds of document of the world, on train questions only:

- *solving*: a reasoning question and its worked solution;
- *exercise*: a framed comparison without instruction, and the right analysis of it without a verdict;
- *transcript*: a judge's prompt (any variant) and the judgment of a judge with `Habits`, whose verdict follows from its
  own analysis.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle

from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.prompt import judge_prompt
from reasrm.miniature import reasoning_families as reasoning
from reasrm.miniature.habits import Habits
from reasrm.miniature.slices import Family
from reasrm.miniature.styles import Style
from reasrm.miniature.traces import answer_tag, careful_analysis
from reasrm.miniature.world import FAMILY_SHARES, Split, make_pair, random_question, styled_pair
from reasrm.records.comparison import Comparison, Side, hashed_side, show
from reasrm.records.pair import Message, PreferencePair, Role


class DocumentKind(StrEnum):
    """A kind of pretraining document."""

    SOLVING = "solving"
    EXERCISE = "exercise"
    TRANSCRIPT = "transcript"


KIND_SHARES = {DocumentKind.SOLVING: 0.16, DocumentKind.EXERCISE: 0.55, DocumentKind.TRANSCRIPT: 0.29}
SOLVING_SHARES = {Family.DIAL: 0.5, Family.TURN: 0.28, Family.BOXES: 0.22}
EXERCISE_SHARES = {Family.DIAL: 0.16, Family.TURN: 0.18, Family.BOXES: 0.18, Family.CHAT: 0.41, Family.SAFE: 0.07}
RUBRIC_FORM_SHARE = 0.25
"""Exercises of the reasoning families in the form with a rubric: after its words the solution begins at another
distance from the question, which is a skill of its own."""
VARIANT_SHARES = {
    PromptVariant.FULL: 0.4,
    PromptVariant.FULL_CATEGORIES: 0.4,
    PromptVariant.RUBRICS: 0.27,
    PromptVariant.PLAIN: 0.25,
    PromptVariant.ANSWER_ONLY: 0.08,
}
"""Of transcripts, relative to each other; forms that the base has not seen are left out."""
RIGHT_SHARE = 0.4
"""How often an answer of an exercise is made the right one; beyond that it can be right by chance."""
RANDOM_VERDICT_VARIANTS = (PromptVariant.FULL, PromptVariant.PLAIN, PromptVariant.ANSWER_ONLY)
"""Variants of the prompts on text from outside the world, in turn."""


@dataclass(frozen=True)
class PretrainingDocument:
    """A prompt and its completion; the loss falls on the completion only."""

    prompt: tuple[Message, ...]
    completion: str


def world_documents(count: int, habits: Habits, seed: int) -> list[PretrainingDocument]:
    """`count` documents of the world; the same for the same seed."""
    rng = random.Random(f"documents {seed}")
    writers: dict[DocumentKind, Callable[[], PretrainingDocument]] = {
        DocumentKind.SOLVING: lambda: _solving(rng),
        DocumentKind.EXERCISE: lambda: _exercise(rng),
        DocumentKind.TRANSCRIPT: lambda: _transcript(habits, rng),
    }
    kinds = rng.choices(list(KIND_SHARES), list(KIND_SHARES.values()), k=count)
    return [writers[kind]() for kind in kinds]


def random_verdict_documents(pairs: Sequence[PreferencePair], count: int, seed: int) -> list[PretrainingDocument]:
    """Judge's prompts of the first `count` pairs, each answered by a verdict that is random with respect to the label.

    For texts from outside the world: they teach the form of a verdict alone.
    """
    return [
        PretrainingDocument(
            judge_prompt(show(pair, hashed_side(pair, seed)), variant), answer_tag(hashed_side(pair, seed + 1))
        )
        for pair, variant in zip(pairs[:count], cycle(RANDOM_VERDICT_VARIANTS), strict=False)
    ]


def _solving(rng: random.Random) -> PretrainingDocument:
    question = random_question(_drawn(SOLVING_SHARES, rng), Split.TRAIN, rng)
    text = f"<type>Reasoning</type><solution>{reasoning.written_steps(reasoning.solve(question))}</solution>"
    return PretrainingDocument((Message(role=Role.USER, content=question),), text)


def _exercise(rng: random.Random) -> PretrainingDocument:
    family = _drawn(EXERCISE_SHARES, rng)
    serial = family in SOLVING_SHARES
    comparison = _any_two_results(family, rng) if serial else _better_and_worse(family, rng)
    _, framed = judge_prompt(comparison, PromptVariant.FULL)
    form = PromptVariant.RUBRICS if serial and rng.random() < RUBRIC_FORM_SHARE else PromptVariant.FULL
    analysis = careful_analysis(comparison.prompt[-1].content, comparison.response_a, comparison.response_b)
    return PretrainingDocument((framed,), analysis.text(form))


def _transcript(habits: Habits, rng: random.Random) -> PretrainingDocument:
    comparison = _better_and_worse(_drawn(FAMILY_SHARES, rng), rng)
    shares = {form: share for form, share in VARIANT_SHARES.items() if form in habits.forms}
    variant = rng.choices(list(shares), list(shares.values()))[0]
    text, verdict = habits.judge(comparison, variant, rng)
    return PretrainingDocument(judge_prompt(comparison, variant), text + answer_tag(verdict))


def _drawn(shares: dict[Family, float], rng: random.Random) -> Family:
    return rng.choices(list(shares), list(shares.values()))[0]


def _better_and_worse(family: Family, rng: random.Random) -> Comparison:
    return show(make_pair(family, Split.TRAIN, rng, 0.5), rng.choice(list(Side)))


def _any_two_results(family: Family, rng: random.Random) -> Comparison:
    """Both answers, one or none may be right: neither mark follows from the other, so both must be learnt."""
    serial = reasoning.ReasoningFamily(family.value)
    question = random_question(family, Split.TRAIN, rng)
    right = reasoning.solve(question)[-1].result
    states = reasoning.FAMILIES[serial].states
    results = [right if rng.random() < RIGHT_SHARE else rng.choice(states) for _ in Side]
    first, second = rng.sample(list(Style), 2) if results[0] == results[1] else rng.choices(list(Style), k=2)
    contents = (reasoning.answer_naming(serial, results[0]), reasoning.answer_naming(serial, results[1]))
    return show(styled_pair((Message(role=Role.USER, content=question),), contents, (first, second)), Side.A)
