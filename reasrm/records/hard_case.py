"""Pairs of a policy's answers: as they were drawn, what judges named, and what became of asking an oracle."""

from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from reasrm.records.comparison import Side
from reasrm.records.content_hash import content_hash
from reasrm.records.pair import Message, PreferencePair, require_question_last

HARD_CASE = "hard_case"
"""`source` of the preference pairs that hard cases become."""


class AnswerPair(BaseModel):
    """Two different answers to one prompt, of which nobody has said yet which is better."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    prompt: tuple[Message, ...] = Field(min_length=1)
    prompt_id: str
    """Of the policy's prompt."""
    task: str
    """As of the policy's prompt."""
    a: str
    b: str
    id: str = ""
    """Hash of prompt and answers, 32 hex digits."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        require_question_last(self.prompt)
        if self.a == self.b:
            raise ValueError("both answers are the same")
        expected = content_hash([[(turn.role, turn.content) for turn in self.prompt], self.a, self.b])[:32]
        if not self.id:
            object.__setattr__(self, "id", expected)
        elif self.id != expected:
            raise ValueError(f"id {self.id[:12]} is not the hash of the texts ({expected[:12]})")
        return self

    def preferred(self, better: Side, labels: dict[str, str]) -> PreferencePair:
        """The preference pair in which the answer `better` is the better one."""
        chosen, rejected = (self.a, self.b) if better is Side.A else (self.b, self.a)
        return PreferencePair(prompt=self.prompt, chosen=chosen, rejected=rejected, source=HARD_CASE, labels=labels)


class CandidateKind(StrEnum):
    """Why an oracle is asked about a pair."""

    NO_VERDICT = "no_verdict"
    """The judge's reply could not be read in one order at least."""
    INCONSISTENT = "inconsistent"
    """The judge named another answer when the order was turned round."""
    TOP_ANSWER = "top_answer"
    """The judge was consistent, and the pair holds the answer that it likes best of its prompt's: where it is wrong
    about that one, a policy learns the error."""
    DRAWN = "drawn"
    """The judge was consistent; drawn at random."""
    CONTESTED = "contested"
    """Two judges do not name the same in both orders."""


Verdicts = tuple[Side | None, Side | None]
"""What a judge named when `a` was shown first, and when `b` was; sides are the pair's own, None without a verdict."""


class Candidate(BaseModel):
    """A pair that an oracle is to be asked about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    pair: AnswerPair
    kind: CandidateKind
    verdicts: dict[str, Verdicts]
    """By judge."""


class RelabelOutcome(StrEnum):
    """How asking about one candidate ended; every candidate ends as exactly one of these."""

    LABELLED = "labelled"
    """Both orders name the same answer."""
    ORDERS_DISAGREE = "orders_disagree"
    """The oracle prefers neither: a tie, or a position."""
    UNREADABLE = "unreadable"
    """A reply holds no verdict."""
    NO_REPLY = "no_reply"
    """An order was refused, cut off, rejected or given up."""
    OVER_LIMIT = "over_limit"
    """Not asked: the cap on questions was reached before it."""


class RelabelledCandidate(BaseModel):
    """A candidate with what became of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    candidate: Candidate
    outcome: RelabelOutcome
    better: Side | None = None
    """The better answer, of a labelled one."""
    detail: str = ""
    """What the oracle named, or why there is no reply."""

    @model_validator(mode="after")
    def _labelled_or_not(self) -> Self:
        if (self.outcome is RelabelOutcome.LABELLED) != (self.better is not None):
            raise ValueError(f"outcome is {self.outcome.value} and better {self.better}: one needs the other")
        return self
