"""The documents that the miniature's base model is pretrained on: skills and form, but no knowledge of right verdicts.

Three kinds of document of the world, on train questions only:

- *solving*: a reasoning question and its worked solution;
- *exercise*: a framed comparison without instruction, and the right analysis of it without a verdict;
- *transcript*: a judge's prompt (any variant) and a reply of the right form: the analysis of an exercise, or random
  marks where the variant asks for no analysis, and a verdict that is random with respect to the answers.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle

from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.prompt import judge_prompt
from reasrm.miniature import chat_families as chat
from reasrm.miniature import reasoning_families as reasoning
from reasrm.miniature.traces import Analysis, answer_tag, careful_analysis, quote, solution, style_analysis
from reasrm.miniature.world import Family, Split, Style, make_pair, random_question, strip_style, styled_pair
from reasrm.records.comparison import Comparison, Side, hashed_side, show
from reasrm.records.pair import Message, PreferencePair, Role

MARKS = ("yes", "no")
"""What an analysis says of each answer."""


class DocumentKind(StrEnum):
    """A kind of pretraining document."""

    SOLVING = "solving"
    EXERCISE = "exercise"
    TRANSCRIPT = "transcript"


KIND_SHARES = {DocumentKind.SOLVING: 0.28, DocumentKind.EXERCISE: 0.57, DocumentKind.TRANSCRIPT: 0.15}
DOCUMENT_FAMILY_SHARES = {Family.SUM: 0.15, Family.TURN: 0.18, Family.SWAP: 0.18, Family.CHAT: 0.42, Family.SAFE: 0.07}
TRANSCRIPT_VARIANT_SHARES = {PromptVariant.FULL: 0.7, PromptVariant.PLAIN: 0.2, PromptVariant.ANSWER_ONLY: 0.1}
STYLE_SHARE = 0.2
"""Share of exercises and transcripts that compare the answers' styles instead of their content."""
VERDICT_A_SHARE = 0.7
"""Share of transcripts with the verdict A, whatever the answers are (planted). With equal shares the greedy verdicts of
the base model would follow chance correlations of the transcripts."""
RIGHT_SHARE = 0.4
"""How often an answer of an exercise is made the right one; beyond that it can be right by chance."""
RANDOM_VERDICT_VARIANTS = (PromptVariant.FULL, PromptVariant.PLAIN, PromptVariant.ANSWER_ONLY)
"""Variants of the prompts on text from outside the world, in turn."""
SOLVED_FAMILIES = (Family.SUM, Family.TURN, Family.SWAP)


@dataclass(frozen=True)
class PretrainingDocument:
    """A prompt and its completion; the loss falls on the completion only."""

    prompt: tuple[Message, ...]
    completion: str


def world_documents(count: int, seed: int) -> list[PretrainingDocument]:
    """`count` documents of the world; the same for the same seed."""
    rng = random.Random(f"documents {seed}")
    kinds = rng.choices(list(KIND_SHARES), list(KIND_SHARES.values()), k=count)
    return [_WRITERS[kind](rng) for kind in kinds]


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
    question = random_question(rng.choice(SOLVED_FAMILIES), Split.TRAIN, rng)
    text = f"<type>Reasoning</type>{solution(reasoning.solve(question))}"
    return PretrainingDocument((Message(role=Role.USER, content=question),), text)


def _exercise(rng: random.Random) -> PretrainingDocument:
    family = _family(rng)
    comparison = _any_two_results(family, rng) if family in SOLVED_FAMILIES else _better_and_worse(family, rng)
    _, framed = judge_prompt(comparison, PromptVariant.FULL)
    return PretrainingDocument((framed,), _analysis(comparison, rng).text)


def _transcript(rng: random.Random) -> PretrainingDocument:
    comparison = _better_and_worse(_family(rng), rng)
    variant = rng.choices(list(TRANSCRIPT_VARIANT_SHARES), list(TRANSCRIPT_VARIANT_SHARES.values()))[0]
    verdict = answer_tag(Side.A if rng.random() < VERDICT_A_SHARE else Side.B)
    if variant is PromptVariant.ANSWER_ONLY:
        text = ""
    elif variant is PromptVariant.PLAIN:
        text = _random_marks(comparison, rng)
    else:
        text = _analysis(comparison, rng).text
    return PretrainingDocument(judge_prompt(comparison, variant), text + verdict)


def _family(rng: random.Random) -> Family:
    return rng.choices(list(DOCUMENT_FAMILY_SHARES), list(DOCUMENT_FAMILY_SHARES.values()))[0]


def _better_and_worse(family: Family, rng: random.Random) -> Comparison:
    return show(make_pair(family, Split.TRAIN, rng, 0.5), rng.choice(list(Side)))


def _any_two_results(family: Family, rng: random.Random) -> Comparison:
    """Both answers, one or none may be right: neither mark follows from the other, so both must be learnt."""
    question = random_question(family, Split.TRAIN, rng)
    right = reasoning.solve(question)[-1].result
    results = [right if rng.random() < RIGHT_SHARE else rng.choice(_results(family)) for _ in Side]
    first, second = rng.sample(list(Style), 2) if results[0] == results[1] else rng.choices(list(Style), k=2)
    contents = (reasoning.answer_naming(results[0]), reasoning.answer_naming(results[1]))
    prompt = (Message(role=Role.USER, content=question),)
    return show(styled_pair(family, prompt, contents, (first, second)), Side.A)


def _results(family: Family) -> tuple[str, ...]:
    return reasoning.RESULTS[reasoning.ReasoningFamily(family.value)]


def _analysis(comparison: Comparison, rng: random.Random) -> Analysis:
    if rng.random() < STYLE_SHARE:
        return style_analysis(comparison.response_a, comparison.response_b)
    return careful_analysis(comparison.prompt[-1].content, comparison.response_a, comparison.response_b)


def _random_marks(comparison: Comparison, rng: random.Random) -> str:
    lines = [
        f"{quote(side, ' ' + strip_style(response)[1].split()[-1])} {rng.choice(MARKS)}"
        for side, response in zip(Side, (comparison.response_a, comparison.response_b), strict=True)
    ]
    return f"<eval>{''.join(lines)}</eval>"


_WRITERS = {DocumentKind.SOLVING: _solving, DocumentKind.EXERCISE: _exercise, DocumentKind.TRANSCRIPT: _transcript}


def vocabulary_texts(documents: list[PretrainingDocument]) -> list[str]:
    """The texts that the world's tokenizer is trained on: all words of the world, and the documents."""
    requests = (*chat.TOPICS, *chat.NAMES, *chat.THINGS, *chat.HARMFUL, *chat.HARMLESS)
    words = (*requests, *chat.COUNTING_FEATURES, *chat.FEATURES)
    plain = [" ".join(("the", *words)) for _ in range(2)] + [f"{topic} is" for topic in (*chat.TOPICS, *Style)]
    return [*plain, *(turn.content for d in documents for turn in d.prompt[-1:]), *(d.completion for d in documents)]
