"""The settings of a GRPO training of a judge; what each does to the loss stands at the head of `training`."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, field_validator, model_validator

from reasrm.judging.chain_of_rubrics import PromptVariant, asks_for_quotations
from reasrm.training.grpo.group_settings import GroupSettings
from reasrm.training.grpo.rewards.registry import REWARD_TERMS
from reasrm.training.monitoring.settings import GenerativeDevSettings


class TrainingOrders(StrEnum):
    """In which orders the two answers of a pair are shown in training."""

    HASHED = "hashed"
    """One order per pair, by a hash of its texts and the seed."""
    BOTH = "both"
    """Two prompts per pair, each with a group of its own."""
    BOTH_IN_GROUP = "both_in_group"
    """Half of a group's replies see each order, and earn against the mean of all (PA-GRPO)."""


class RolloutSampleSettings(BaseModel):
    """Which sampled groups are kept to be looked at (`reasrm.training.grpo.rollout_samples`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    every: int = Field(gt=0)
    """Steps between two generations of which groups are kept; of the first and the last they are kept in any case."""
    groups: int = Field(gt=0)
    """How many groups of each; all where a generation has fewer."""


class GrpoSettings(GroupSettings):
    """Settings of a judge's GRPO training."""

    dev: GenerativeDevSettings | None
    prompt_variant: PromptVariant
    rewards: dict[str, FiniteFloat] = Field(min_length=1)
    """Weight of each reward term (`reasrm.training.grpo.rewards.registry`); a reply earns the weighted sum."""
    steps_without_signal: int = Field(gt=0)
    """Stop with an error after more than so many steps in a row in which no group had replies of different reward."""
    rollout_samples: RolloutSampleSettings | None
    """Sampled replies that are kept with their rewards; null for none. The weights do not depend on it."""
    orders: TrainingOrders

    @property
    def both_orders_in_group(self) -> bool:
        """Whether half of a group's replies see the other order."""
        return self.orders is TrainingOrders.BOTH_IN_GROUP

    @property
    def reward_weights(self) -> Sequence[float]:
        """Of the reward terms, in their order."""
        return tuple(self.rewards.values())

    @field_validator("rewards")
    @classmethod
    def _check_rewards(cls, rewards: dict[str, float]) -> dict[str, float]:
        unknown = sorted(rewards.keys() - REWARD_TERMS.keys())
        if unknown:
            raise ValueError(f"no reward term {', '.join(unknown)}; there are {', '.join(sorted(REWARD_TERMS))}")
        return {name: rewards[name] for name in REWARD_TERMS if name in rewards}  # one order of summation

    @model_validator(mode="after")
    def _check_orders(self) -> Self:
        if self.orders is TrainingOrders.BOTH_IN_GROUP and self.replies_per_prompt % 2:
            raise ValueError(
                f"orders: both_in_group shows each order to half of a group, so replies_per_prompt "
                f"({self.replies_per_prompt}) must be even: {self.replies_per_prompt + 1} is"
            )
        return self

    @model_validator(mode="after")
    def _check_what_is_rewarded(self) -> Self:
        if "consistency" in self.rewards and self.orders is not TrainingOrders.BOTH_IN_GROUP:
            raise ValueError(
                f"rewards.consistency compares the two orders of a pair within one group, and orders "
                f"({self.orders.value}) shows a group one of them: take orders: both_in_group, or leave the term out"
            )
        quoting = [variant.value for variant in PromptVariant if asks_for_quotations(variant)]
        if "grounded" in self.rewards and self.prompt_variant.value not in quoting:
            raise ValueError(
                f"rewards.grounded looks at quotations, and prompt_variant ({self.prompt_variant.value}) asks for "
                f"none: take {', '.join(quoting)}, or leave the term out"
            )
        return self
