"""What the miniature's base model grows up on: it reads prompts, knows the skills of the world, and cannot judge.

Three kinds of document, on train questions only:

- *solving*: a reasoning question and its worked solution;
- *exercise*: a framed comparison without instruction, and the right analysis of it without a verdict;
- *transcript*: a judge's prompt (any variant) and a reply of the right form: the analysis of an exercise, or random
  marks where the variant asks for no analysis, and a verdict drawn without looking. They teach the form of judging and
  nothing about who is right.
"""

import random
from dataclasses import dataclass
from enum import StrEnum

from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.prompt import judge_prompt
from reasrm.miniature import chat_families as chat
from reasrm.miniature import reasoning_families as reasoning
from reasrm.miniature.styles import Style, undress
from reasrm.miniature.traces import (
    Judged,
    answer_tag,
    careful,
    looks,
    quote,
    solution,
)
from reasrm.miniature.world import Family, Split, ask, dressed_pair, make_pair
from reasrm.records.comparison import Comparison, Side, show
from reasrm.records.pair import Message, Role

WORDS_OF_JUDGING = ("yes", "no")


class Kind(StrEnum):
    """A kind of document."""

    SOLVING = "solving"
    EXERCISE = "exercise"
    TRANSCRIPT = "transcript"


KIND_MIX = {Kind.SOLVING: 0.28, Kind.EXERCISE: 0.57, Kind.TRANSCRIPT: 0.15}
FAMILY_MIX = {Family.SUM: 0.15, Family.TURN: 0.18, Family.SWAP: 0.18, Family.CHAT: 0.42, Family.SAFE: 0.07}
TRANSCRIPT_VARIANTS = {PromptVariant.FULL: 0.7, PromptVariant.PLAIN: 0.2, PromptVariant.ANSWER_ONLY: 0.1}
LOOKS_SHARE = 0.2
"""Share of exercises and transcripts that describe the answers' looks."""
FIRST_SHARE = 0.7
"""How often a transcript's verdict is A, whatever the answers are. The base is uninformed, and its bias says so: with a
fair coin its greedy verdicts would follow chance correlations of the transcripts."""
RIGHT_SHARE = 0.4
"""How often an answer of an exercise is made the right one; it is right by chance besides."""
SOLVED_FAMILIES = (Family.SUM, Family.TURN, Family.SWAP)


@dataclass(frozen=True)
class Document:
    """A prompt and what follows it; only the latter is learnt."""

    prompt: tuple[Message, ...]
    completion: str


def base_documents(count: int, seed: int) -> list[Document]:
    """`count` documents; the same for the same seed."""
    rng = random.Random(f"documents {seed}")
    kinds = rng.choices(list(KIND_MIX), list(KIND_MIX.values()), k=count)
    return [_WRITERS[kind](rng) for kind in kinds]


def _solving(rng: random.Random) -> Document:
    question = ask(rng.choice(SOLVED_FAMILIES), Split.TRAIN, rng)
    text = f"<type>Reasoning</type>{solution(reasoning.work_out(question))}"
    return Document((Message(role=Role.USER, content=question),), text)


def _exercise(rng: random.Random) -> Document:
    family = _family(rng)
    comparison = _any_two_results(family, rng) if family in SOLVED_FAMILIES else _better_and_worse(family, rng)
    _, case = judge_prompt(comparison, PromptVariant.FULL)
    return Document((case,), _analysis(comparison, rng).text)


def _transcript(rng: random.Random) -> Document:
    comparison = _better_and_worse(_family(rng), rng)
    variant = rng.choices(list(TRANSCRIPT_VARIANTS), list(TRANSCRIPT_VARIANTS.values()))[0]
    verdict = answer_tag(Side.A if rng.random() < FIRST_SHARE else Side.B)
    if variant is PromptVariant.ANSWER_ONLY:
        text = ""
    elif variant is PromptVariant.PLAIN:
        text = _random_marks(comparison, rng)
    else:
        text = _analysis(comparison, rng).text
    return Document(judge_prompt(comparison, variant), text + verdict)


def _family(rng: random.Random) -> Family:
    return rng.choices(list(FAMILY_MIX), list(FAMILY_MIX.values()))[0]


def _better_and_worse(family: Family, rng: random.Random) -> Comparison:
    return show(make_pair(family, Split.TRAIN, rng, 0.5), rng.choice(list(Side)))


def _any_two_results(family: Family, rng: random.Random) -> Comparison:
    """Both answers, one or none may be right: no mark follows from the other, so each must be learnt."""
    question = ask(family, Split.TRAIN, rng)
    right = reasoning.work_out(question)[-1].result
    results = [right if rng.random() < RIGHT_SHARE else rng.choice(_results(family)) for _ in Side]
    first, second = rng.sample(list(Style), 2) if results[0] == results[1] else rng.choices(list(Style), k=2)
    contents = (reasoning.answer_with(results[0]), reasoning.answer_with(results[1]))
    prompt = (Message(role=Role.USER, content=question),)
    return show(dressed_pair(family, prompt, contents, (first, second)), Side.A)


def _results(family: Family) -> tuple[str, ...]:
    return reasoning.RESULTS[reasoning.Reasoning(family.value)]


def _analysis(comparison: Comparison, rng: random.Random) -> Judged:
    if rng.random() < LOOKS_SHARE:
        return looks(comparison.response_a, comparison.response_b)
    return careful(comparison.prompt[-1].content, comparison.response_a, comparison.response_b)


def _random_marks(comparison: Comparison, rng: random.Random) -> str:
    lines = [
        f"{quote(side, ' ' + undress(response)[1].split()[-1])} {rng.choice(WORDS_OF_JUDGING)}"
        for side, response in zip(Side, (comparison.response_a, comparison.response_b), strict=True)
    ]
    return f"<eval>{''.join(lines)}</eval>"


_WRITERS = {Kind.SOLVING: _solving, Kind.EXERCISE: _exercise, Kind.TRANSCRIPT: _transcript}


def vocabulary_texts(documents: list[Document]) -> list[str]:
    """The texts that a tokenizer of the world is trained on: all words of the world and the documents themselves."""
    words = (*chat.TOPICS, *chat.NAMES, *chat.THINGS, *chat.HARMFUL, *chat.HARMLESS, *chat.KINDS, *chat.FEATURES)
    plain = [" ".join(("the", *words)) for _ in range(2)] + [f"{topic} is" for topic in (*chat.TOPICS, *Style)]
    return [*plain, *(turn.content for d in documents for turn in d.prompt[-1:]), *(d.completion for d in documents)]
