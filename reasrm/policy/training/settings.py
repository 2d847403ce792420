"""The settings of a policy's training."""

from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from reasrm.policy.pairwise_rewards.registry import scheme_named
from reasrm.runtime.stage_main import StageError
from reasrm.training.grpo.group_settings import GroupSettings, RewardScale, ZeroSignalGroups
from reasrm.training.monitoring.settings import Keep
from reasrm.training.trainer_settings import Strategy


class RewardSource(StrEnum):
    """Who rewards answers."""

    JUDGE = "judge"
    """A judge of this pipeline, by a scheme of `reasrm.policy.pairwise_rewards`."""
    VERIFIER = "verifier"
    """Who knows what is right (`reasrm.policy.gold`): what a judge can reach at most. Prompts without one earn 0."""
    RANDOM = "random"
    """Chance: what a reward without information does to a policy."""


class CollapseLimits(BaseModel):
    """When a reward has collapsed (`reasrm.policy.reward_spread`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(gt=0)
    """Generations in a row that are looked at together."""
    least_sd: float = Field(ge=0)
    """Least mean standard deviation of the reward within a group, in the reward's own unit; an advantage has none."""
    most_without_signal: float = Field(ge=0, le=1)
    """Largest share of groups whose answers all have the same reward."""


class CheckSettings(BaseModel):
    """Answers to the prompts that nothing is trained on, drawn at temperature 1 while the policy is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    every: int = Field(gt=0)
    """Updates between two checks; the start and the end are checked in any case."""
    samples: int = Field(gt=0)
    """Answers to each prompt."""
    batch_size: int = Field(gt=0)
    """Answers drawn at a time."""
    batch_tokens: int = Field(gt=0)
    """Most tokens of one batch, padding included: of prompts while answers are drawn, of prompts and answers for their
    log-probabilities."""


class PolicySettings(GroupSettings):
    """Settings of a policy's GRPO training; a reply is its answer, with a thought if it writes one."""

    dev: None
    """A policy is not judged on pairs; `checks` says what is looked at instead."""
    keep: Literal[Keep.LAST]
    arm: str = Field(pattern=r"^[\w.-]+$")
    """What the training is one of; trainings of the same arm differ in their seed."""
    reward: RewardSource
    judge: str = Field(min_length=1)
    """The judge's name in `judge_variants`, which says how it is run and prompted. It rewards, or of another
    reward only sets answers beside the start's at the checks."""
    scheme: str
    """How the judge's verdicts become rewards; empty where it gives none."""
    answer_after: str
    """What a client reads begins behind the last of these marks (`</think>`), and is all that is rewarded; an answer
    without one is read whole. Empty for no mark."""
    judge_tokens: int | None = Field(gt=0)
    """Most tokens that the judge may read and write for rewards: the training stops after the update that reaches it,
    the same for all arms. None for no limit. Checks are not counted."""
    collapse: CollapseLimits
    checks: CheckSettings

    @model_validator(mode="after")
    def _check_judge(self) -> Self:
        judged = self.reward is RewardSource.JUDGE
        if bool(self.scheme) != judged:
            raise ValueError(
                f"scheme is {self.scheme!r} and reward {self.reward}: "
                + ("name one" if judged else "leave it empty, or let the judge reward")
            )
        if not judged:
            return self
        try:
            scheme = scheme_named(self.scheme)
        except StageError as error:
            raise ValueError(str(error)) from error
        if scheme.is_advantage and self.scale_rewards is not RewardScale.NONE:
            raise ValueError(
                f"scheme {self.scheme} gives advantages, which scale_rewards: {self.scale_rewards.value} would divide "
                "by their spread once more: take scale_rewards: none"
            )
        return self

    @model_validator(mode="after")
    def _check_processes(self) -> Self:
        if self.launch.strategy in {Strategy.FSDP2, Strategy.ZERO3}:
            raise ValueError(
                f"checks draw answers with whole weights on each device, and launch.strategy "
                f"{self.launch.strategy.value} cuts them: take ddp or zero2, or an adapter (lora)"
            )
        if self.launch.processes > 1 and self.zero_signal_groups is ZeroSignalGroups.REPLACE:
            raise ValueError(
                f"zero_signal_groups: replace samples single groups, and launch.processes ({self.launch.processes}) "
                "would cut them: take keep or drop"
            )
        share = self.batch_size * self.steps_per_generation // self.launch.processes
        if share % self.replies_per_prompt:
            raise ValueError(
                f"batch_size x steps_per_generation / launch.processes is {share}, which cuts groups of "
                f"replies_per_prompt ({self.replies_per_prompt}): a process compares the answers that it holds, so "
                "that must be a multiple"
            )
        return self
