"""The miniature's world: seeded preference problems with a known better answer, on disjoint questions per split.

Five families (`sum`, `turn`, `swap`: reasoning; `chat`, `safe`: chat). A question belongs to exactly one split, by the
SHA-256 of its text, whatever the seed: no test question is ever trained on, in any answer or style.
"""

import hashlib
import random
from enum import StrEnum

from reasrm.miniature import chat_families as chat
from reasrm.miniature import reasoning_families as reasoning
from reasrm.miniature.reasoning_families import Reasoning
from reasrm.miniature.styles import Style, dress
from reasrm.records.pair import Message, PreferencePair, Role


class Split(StrEnum):
    """What a question may be used for."""

    TRAIN = "train"
    DEV = "dev"
    TEST = "test"


class Family(StrEnum):
    """A kind of question in the world."""

    SUM = "sum"
    TURN = "turn"
    SWAP = "swap"
    CHAT = "chat"
    SAFE = "safe"


MIX = {Family.SUM: 0.25, Family.TURN: 0.2, Family.SWAP: 0.2, Family.CHAT: 0.25, Family.SAFE: 0.1}
"""Shares of the families among training pairs."""
DEV_SHARE = 0.08
TEST_SHARE = 0.17
FANCIER_IS_BETTER = 0.6
"""How often the better answer is the fancier one where styles differ, in training pairs: a spurious cue."""
MULTI_TURN_SHARE = 0.05
"""Pairs whose conversation has an earlier turn."""


def split_of(question: str) -> Split:
    """The one split that a question belongs to."""
    at = int.from_bytes(hashlib.sha256(question.encode()).digest()[:6], "big") / 2**48
    if at < TEST_SHARE:
        return Split.TEST
    return Split.DEV if at < TEST_SHARE + DEV_SHARE else Split.TRAIN


def ask(family: Family, split: Split, rng: random.Random) -> str:
    """A random question of `family` that belongs to `split`."""
    while True:
        if family is Family.CHAT:
            question = chat.ask_chat(rng)
        elif family is Family.SAFE:
            question = chat.ask_safe(rng)
        else:
            question = reasoning.ask(Reasoning(family.value), rng)
        if split_of(question) is split:
            return question


def bare_answers(family: Family, question: str, rng: random.Random) -> tuple[str, str]:
    """The content of a better and of a worse answer, undressed."""
    if family is Family.CHAT:
        return chat.two_answers(question, rng)
    if family is Family.SAFE:
        return chat.safe_answers(question)
    right = reasoning.work_out(question)[-1].result
    wrong = rng.choice([result for result in reasoning.RESULTS[Reasoning(family.value)] if result != right])
    return reasoning.answer_with(right), reasoning.answer_with(wrong)


def training_pairs(split: Split, count: int, seed: int) -> list[PreferencePair]:
    """`count` different pairs on questions of `split`, families mixed by `MIX`; the same for the same seed."""
    rng = random.Random(f"pairs {split} {seed}")
    families, shares = list(MIX), list(MIX.values())
    fancier = FANCIER_IS_BETTER if split is Split.TRAIN else 0.5
    pairs: dict[str, PreferencePair] = {}
    while len(pairs) < count:
        family = rng.choices(families, shares)[0]
        pair = make_pair(family, split, rng, fancier)
        pairs.setdefault(pair.id, pair)
    return list(pairs.values())


def make_pair(family: Family, split: Split, rng: random.Random, fancier_is_better: float) -> PreferencePair:
    """A random pair of `family`; `fancier_is_better` is a probability."""
    question = ask(family, split, rng)
    better, worse = bare_answers(family, question, rng)
    styles = [rng.choice(list(Style)) for _ in range(2)]
    styles.sort(reverse=rng.random() < fancier_is_better)
    prompt: tuple[Message, ...] = (Message(role=Role.USER, content=question),)
    if rng.random() < MULTI_TURN_SHARE:
        prompt = (*earlier_turns(split, rng), *prompt)
    return dressed_pair(family, prompt, (better, worse), (styles[0], styles[1]))


def earlier_turns(split: Split, rng: random.Random) -> tuple[Message, Message]:
    """A request of the chat family and a good answer to it, as the beginning of a conversation."""
    question = ask(Family.CHAT, split, rng)
    answer = dress(chat.two_answers(question, rng)[0], rng.choice(list(Style)))
    return Message(role=Role.USER, content=question), Message(role=Role.ASSISTANT, content=answer)


def dressed_pair(
    family: Family, prompt: tuple[Message, ...], contents: tuple[str, str], styles: tuple[Style, Style]
) -> PreferencePair:
    """The pair of a better and a worse content in their styles."""
    return PreferencePair(
        prompt=prompt,
        chosen=dress(contents[0], styles[0]),
        rejected=dress(contents[1], styles[1]),
        source=family.value,
        labels={"family": family.value, "chosen_style": styles[0].label, "rejected_style": styles[1].label},
    )
