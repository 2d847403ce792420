"""Sampled groups of replies that GRPO kept to be looked at: what the policy wrote, and what it earned."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from reasrm.records.comparison import Comparison, Side
from reasrm.records.reply import Finish, Reply


class Rollout(BaseModel):
    """One reply of the policy in training, as the reward terms read it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    better: Side
    """The side on which this reply was shown the better answer: the order."""
    reply: Reply
    """As every engine cuts it when it judges; a thought that the chat template opened is part of it.

    `prompt_tokens` is 0: they are not counted. `completion_tokens` counts all that were sampled."""
    finish: Finish
    """How the sampling ended: `stop` by itself, `length` at the token limit. A reply that wrote its verdict before the
    limit is judged as one that ended."""
    after_verdict: str
    """What was sampled behind that cut. No judge and no reward term reads it, but it is trained on."""
    verdict: Side | None
    unreadable: str | None
    """Reason (`reasrm.judging.verdict.Unreadable`) if there is no verdict."""
    terms: Mapping[str, float]
    """What each reward term gave, before its weight."""
    reward: float
    """The weighted sum."""
    advantage: float
    """What the loss is weighted with: the reward against those of the group."""

    @property
    def correct(self) -> bool | None:
        """Whether the verdict names the better answer; None if there is no verdict."""
        return None if self.verdict is None else self.verdict is self.better


class RolloutGroup(BaseModel):
    """All replies to one comparison that were sampled together: a line of `rollout_samples.jsonl`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: int = Field(ge=0)
    """Optimiser steps that the policy had behind it when it wrote this."""
    comparison: Comparison
    """In the order that the first reply was shown."""
    has_signal: bool
    """Whether the replies earned different rewards; else nothing is learnt from the group."""
    rollouts: tuple[Rollout, ...] = Field(min_length=1)
