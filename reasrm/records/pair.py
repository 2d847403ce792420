"""The preference pair: one conversation, the answer that was preferred and the one that was not."""

from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from reasrm.records.content_hash import content_hash


class Role(StrEnum):
    """Who speaks in a conversation."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class Purpose(StrEnum):
    """What a pair is used for; all pairs of a question have the same."""

    DISTILL = "distill"
    """The oracle is asked about it."""
    REINFORCE = "reinforce"
    """Its verdict is known, and no trace is made of it."""
    DEV = "dev"
    """Trainings are judged on it; nothing is trained on it."""


class Message(BaseModel):
    """One turn of a conversation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role
    content: str


class PreferencePair(BaseModel):
    """A conversation that ends with the user's turn, and two answers of which one is better."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    """Schema of the line."""
    prompt: tuple[Message, ...] = Field(min_length=1)
    """The conversation so far, oldest turn first; the last turn is the user's."""
    chosen: str
    """The better answer."""
    rejected: str
    """The worse answer."""
    source: str
    """Where the pair comes from: the data set, or the family of the miniature's world."""
    labels: dict[str, str] = Field(default_factory=dict)
    """What the source says about it (category, models, style); never shown to a judge."""
    id: str = ""
    """Hash of prompt, chosen and rejected: two sources with the same texts give the same id."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        require_question_last(self.prompt)
        expected = pair_id(self.prompt, self.chosen, self.rejected)
        if not self.id:
            object.__setattr__(self, "id", expected)
        elif self.id != expected:
            raise ValueError(f"id {self.id[:12]} is not the hash of the texts ({expected[:12]})")
        return self

    @property
    def question(self) -> str:
        """The last user turn: what the two answers answer."""
        return self.prompt[-1].content


def require_question_last(turns: tuple[Message, ...]) -> None:
    """Do nothing for a conversation that ends with a question.

    Raises:
        ValueError: there is no turn, or the last one is not the user's.
    """
    if not turns:
        raise ValueError("a conversation has at least one turn")
    if turns[-1].role is not Role.USER:
        raise ValueError(f"the last turn must be the user's, it is the {turns[-1].role}'s")


def pair_id(prompt: tuple[Message, ...], chosen: str, rejected: str) -> str:
    """The content hash that identifies a pair, 32 hex digits."""
    return content_hash([[(m.role, m.content) for m in prompt], chosen, rejected])[:32]
