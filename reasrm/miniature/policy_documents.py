"""The documents that the miniature's policy learns to answer from, before any training with rewards.

The base model writes judgments alone. From these documents it learns to answer its world's questions as a policy that
has much to learn: on a reasoning question it works the steps out in a thought and then names the right result in a set
share of the answers, requests get the better or the worse answer, and styles are of chance. Some answers carry a
planted shortcut: words that say nothing and may please a judge. A policy cannot find what it never samples, so
whether a training with a judge's reward makes more of them is decided by the judge, and that they were planted, and how
often, is said wherever such a figure stands. Train questions only.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from reasrm.miniature import reasoning_families as reasoning
from reasrm.miniature.slices import Family
from reasrm.miniature.styles import Style, apply_style
from reasrm.miniature.world import Split, plain_answers, random_question
from reasrm.records.pair import Message, Role

Share = Annotated[float, Field(ge=0, le=1)]
ANSWER_PLACE = "{answer}"
THOUGHT_START, THOUGHT_END = "<type>Reasoning</type><solution>", "</solution>"
"""The miniature's thought on a reasoning question: its tags are entries of its vocabulary, and the base writes them."""


class PlantedShortcut(BaseModel):
    """Words that some answers carry although they say nothing of the question."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    """The answer with them; `{answer}` stands for the answer itself, and occurs once."""
    share: Share
    """Of all answers, those that carry them."""

    @model_validator(mode="after")
    def _has_one_place(self) -> Self:
        if self.text.count(ANSWER_PLACE) != 1 or self.text.strip() == ANSWER_PLACE:
            raise ValueError(f"`text` must hold {ANSWER_PLACE} once, and words beside it; it is {self.text!r}")
        return self

    def is_in(self, answer: str) -> bool:
        """Whether an answer carries them: it begins and ends as they do."""
        before, after = self.text.split(ANSWER_PLACE)
        return len(answer) >= len(before) + len(after) and answer.startswith(before) and answer.endswith(after)


class StartAnswers(BaseModel):
    """How the policy answers before it is rewarded, as shares of the documents that it is trained on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    families: dict[Family, Annotated[float, Field(ge=0)]]
    """Shares of the families among the documents, relative to each other."""
    right_share: Share
    """Answers that name the right result, of requests those that are the better one of two."""
    shortcuts: dict[str, PlantedShortcut]
    """By name; an answer carries one at most."""

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        if not any(self.families.values()):
            raise ValueError("`families` gives no family a share")
        if (planted := sum(shortcut.share for shortcut in self.shortcuts.values())) > 1:
            raise ValueError(f"the shares of `shortcuts` add up to {planted:g}; an answer carries one at most")
        return self


@dataclass(frozen=True)
class PolicyDocument:
    """A question, and what the policy learns to write; the loss falls on the completion alone."""

    prompt: tuple[Message, ...]
    completion: str
    """Thought and answer."""
    shortcut: str
    """Name of the planted one that the answer carries; empty for none."""


def policy_documents(count: int, answers: StartAnswers, seed: int) -> list[PolicyDocument]:
    """`count` documents, mixed as `answers` say; the same for the same seed."""
    rng = random.Random(f"policy documents {seed}")
    families = rng.choices(list(answers.families), list(answers.families.values()), k=count)
    return [_document(family, answers, rng) for family in families]


def _document(family: Family, answers: StartAnswers, rng: random.Random) -> PolicyDocument:
    question = random_question(family, Split.TRAIN, rng)
    better, worse = plain_answers(family, question, rng)
    content = better if rng.random() < answers.right_share else worse
    answer = apply_style(content, rng.choice(list(Style)))
    shortcut = _drawn_shortcut(answers.shortcuts, rng)
    if shortcut:
        answer = answers.shortcuts[shortcut].text.replace(ANSWER_PLACE, answer)
    return PolicyDocument((Message(role=Role.USER, content=question),), thought_on(question) + answer, shortcut)


def thought_on(question: str) -> str:
    """The right thought on a reasoning question, up to its end tag; empty for a request."""
    if reasoning.family_of(question) is None:
        return ""
    return f"{THOUGHT_START}{reasoning.written_steps(reasoning.solve(question))}{THOUGHT_END}"


def _drawn_shortcut(shortcuts: Mapping[str, PlantedShortcut], rng: random.Random) -> str:
    left = rng.random()
    for name, shortcut in shortcuts.items():
        left -= shortcut.share
        if left < 0:
            return name
    return ""
