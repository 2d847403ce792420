"""A pair as a judge sees it: two answers called A and B in one of the two orders."""

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from reasrm.records.content_hash import unit_interval
from reasrm.records.pair import Message, PreferencePair, require_question_last


class Side(StrEnum):
    """The name under which an answer is shown."""

    A = "A"
    B = "B"

    @property
    def other(self) -> "Side":
        """The opposite side."""
        return Side.B if self is Side.A else Side.A


class Orders(StrEnum):
    """In which orders the answers of a pair are shown."""

    BOTH = "both"
    HASHED = "hashed"
    """One order per pair, by a hash of its texts and the seed."""


class Comparison(BaseModel):
    """One conversation with the answers A and B, and the side of the better one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pair_id: str
    """Id of the pair that is shown."""
    prompt: tuple[Message, ...]
    """The conversation, oldest turn first; the last one, the user's, is what the answers answer."""
    response_a: str
    response_b: str
    better: Side
    """The side of the preferred answer. No prompt may depend on it."""

    @model_validator(mode="after")
    def _ends_with_a_question(self) -> Self:
        require_question_last(self.prompt)
        return self

    def swapped(self) -> "Comparison":
        """The same pair in the other order: texts and label change sides together."""
        return self.model_copy(
            update={"response_a": self.response_b, "response_b": self.response_a, "better": self.better.other}
        )


def show(pair: PreferencePair, better: Side) -> Comparison:
    """Show `pair` with its better answer on the side `better`."""
    first, second = (pair.chosen, pair.rejected) if better is Side.A else (pair.rejected, pair.chosen)
    return Comparison(pair_id=pair.id, prompt=pair.prompt, response_a=first, response_b=second, better=better)


def hashed_side(pair: PreferencePair, seed: int) -> Side:
    """The side that the hash of the pair and `seed` gives to the better answer: balanced, and the same in every run."""
    return Side.A if unit_interval("order", seed, pair.id) < 0.5 else Side.B
