"""The miniature's world: seeded preference problems with a known better answer, on disjoint questions per split.

Five families (`dial`, `turn`, `boxes`: reasoning; `chat`, `safe`: chat). A question belongs to exactly one split, by
the SHA-256 of its text, whatever the seed: no test question is ever trained on, in any answer or style.
"""

import hashlib
import random
from enum import StrEnum

from reasrm.miniature import chat_families as chat
from reasrm.miniature import reasoning_families as reasoning
from reasrm.miniature.reasoning_families import ReasoningFamily
from reasrm.miniature.slices import Family, slice_of
from reasrm.miniature.styles import Style, apply_style
from reasrm.records.pair import Message, PreferencePair, Role


class Split(StrEnum):
    """What a question may be used for."""

    TRAIN = "train"
    DEV = "dev"
    TEST = "test"


FAMILY_SHARES = {Family.DIAL: 0.22, Family.TURN: 0.2, Family.BOXES: 0.2, Family.CHAT: 0.26, Family.SAFE: 0.12}
"""Shares of the families among training pairs."""
DEV_SHARE = 0.08
TEST_SHARE = 0.17
LONG_SHARE = 0.5
"""Long problems among those of the reasoning families."""
RICHER_IS_BETTER = 0.6
"""How often the better answer has the richer layout where layouts differ, in training pairs: a spurious cue."""
MULTI_TURN_SHARE = 0.05
"""Pairs whose conversation has an earlier turn."""


def split_of(question: str) -> Split:
    """The one split that a question belongs to."""
    at = int.from_bytes(hashlib.sha256(question.encode()).digest()[:6], "big") / 2**48
    if at < TEST_SHARE:
        return Split.TEST
    return Split.DEV if at < TEST_SHARE + DEV_SHARE else Split.TRAIN


def random_question(family: Family, split: Split, rng: random.Random) -> str:
    """A random question of `family` that belongs to `split`."""
    while True:
        if family is Family.CHAT:
            question = chat.random_chat_request(rng)
        elif family is Family.SAFE:
            question = chat.random_safety_request(rng)
        else:
            lengths = reasoning.LONG if rng.random() < LONG_SHARE else reasoning.SHORT
            question = reasoning.random_question(ReasoningFamily(family.value), rng.choice(lengths), rng)
        if split_of(question) is split:
            return question


def plain_answers(family: Family, question: str, rng: random.Random) -> tuple[str, str]:
    """The content of a better and of a worse answer, without a style."""
    if family is Family.CHAT:
        return chat.chat_answers(question, rng)
    if family is Family.SAFE:
        return chat.safety_answers(question)
    serial = ReasoningFamily(family.value)
    right = reasoning.solve(question)[-1].result
    wrong = rng.choice([state for state in reasoning.FAMILIES[serial].states if state != right])
    return reasoning.answer_naming(serial, right), reasoning.answer_naming(serial, wrong)


def training_pairs(split: Split, count: int, seed: int) -> list[PreferencePair]:
    """`count` different pairs on questions of `split`, mixed by `FAMILY_SHARES`; the same for the same seed."""
    rng = random.Random(f"pairs {split} {seed}")
    families, shares = list(FAMILY_SHARES), list(FAMILY_SHARES.values())
    richer = RICHER_IS_BETTER if split is Split.TRAIN else 0.5
    pairs: dict[str, PreferencePair] = {}
    while len(pairs) < count:
        family = rng.choices(families, shares)[0]
        pair = make_pair(family, split, rng, richer)
        pairs.setdefault(pair.id, pair)
    return list(pairs.values())


def make_pair(family: Family, split: Split, rng: random.Random, richer_is_better: float) -> PreferencePair:
    """A random pair of `family`; the better answer gets the richer layout with probability `richer_is_better`."""
    question = random_question(family, split, rng)
    better, worse = plain_answers(family, question, rng)
    styles = [rng.choice(list(Style)) for _ in range(2)]
    styles.sort(reverse=rng.random() < richer_is_better)
    prompt: tuple[Message, ...] = (Message(role=Role.USER, content=question),)
    if rng.random() < MULTI_TURN_SHARE:
        prompt = (*earlier_turns(split, rng), *prompt)
    return styled_pair(prompt, (better, worse), (styles[0], styles[1]))


def earlier_turns(split: Split, rng: random.Random) -> tuple[Message, Message]:
    """A request of the chat family and a good answer to it, as the beginning of a conversation."""
    question = random_question(Family.CHAT, split, rng)
    answer = apply_style(chat.chat_answers(question, rng)[0], rng.choice(list(Style)))
    return Message(role=Role.USER, content=question), Message(role=Role.ASSISTANT, content=answer)


def styled_pair(prompt: tuple[Message, ...], contents: tuple[str, str], styles: tuple[Style, Style]) -> PreferencePair:
    """The pair of a better and a worse content in their styles."""
    found = slice_of(prompt[-1].content)
    assert found is not None, prompt[-1].content
    return PreferencePair(
        prompt=prompt,
        chosen=apply_style(contents[0], styles[0]),
        rejected=apply_style(contents[1], styles[1]),
        source=found.family.value,
        labels={
            "family": found.family.value,
            "slice": found.value,
            "chosen_style": styles[0].label,
            "rejected_style": styles[1].label,
        },
    )
