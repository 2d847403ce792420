"""The settings that every training with GRPO has, whatever earns the reward.

What each does to the loss stands at the head of `reasrm.training.grpo.training`.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from reasrm.training.batch_sizes import require_whole_groups
from reasrm.training.grpo.rollout_settings import Rollouts, require_possible
from reasrm.training.trainer_settings import TrainerSettings


class GrpoLoss(StrEnum):
    """How the losses of tokens become one number, and how ratios are clipped; TRL's names."""

    GRPO = "grpo"
    """Mean over the tokens of each reply, then over replies: eq. 9 of RM-R1."""
    DAPO = "dapo"
    """Mean over all tokens of the batch."""
    DR_GRPO = "dr_grpo"
    """Sum over tokens, by the constant `max_reply_tokens`; with `scale_rewards: none` that is Dr. GRPO."""
    BNPO = "bnpo"
    """As dapo, by the tokens of each forward pass: depends on `micro_batch_size`."""
    CISPO = "cispo"
    """As dapo, but ratios above 1 + `epsilon_high` become that and weigh the token; `epsilon` does nothing."""
    SAPO = "sapo"
    """As grpo, with a soft gate in place of the clip: `epsilon` and `epsilon_high` do nothing."""
    LUSPO = "luspo"
    """As grpo, by the sum over a reply's tokens."""
    VESPO = "vespo"
    """As dapo, replies weighed by a smooth function of their ratio: `epsilon` and `epsilon_high` do nothing."""


class RewardScale(StrEnum):
    """What the distance of a reward from its group's mean is divided by."""

    GROUP = "group"
    """The group's standard deviation: eq. 10 of RM-R1."""
    BATCH = "batch"
    NONE = "none"


class ZeroSignalGroups(StrEnum):
    """What becomes of a group whose replies all earned the same, which has advantage 0."""

    KEEP = "keep"
    """It stays in the loss: its tokens count where the loss divides by tokens or replies, and its divergence counts."""
    DROP = "drop"
    """It is left out of the loss, as if it had not been in the batch."""
    REPLACE = "replace"
    """Further prompts are sampled in its place (DAPO's dynamic sampling); what the budget leaves is dropped."""


class GroupSettings(TrainerSettings):
    """Settings of a GRPO training; `batch_size` counts sampled replies."""

    steps: int = Field(gt=0)
    """Optimiser steps."""
    replies_per_prompt: int = Field(gt=1)
    """The group that an advantage is relative to; it may lie in several forward passes and processes."""
    zero_signal_groups: ZeroSignalGroups
    most_extra_generations: int = Field(ge=0)
    """With `replace`: rounds of sampling per generation beside the first, each of as many prompts as are missing."""
    steps_per_generation: int = Field(gt=0)
    """Optimiser steps taken with replies that were sampled together (mini-batches; RM-R1: 8).

    TRL counts forward passes under this name."""
    num_iterations: int = Field(gt=0)
    """How often each reply is trained on before new ones are sampled."""
    rollouts: Rollouts
    """Who samples the replies."""
    temperature: float = Field(gt=0)
    max_prompt_tokens: int = Field(gt=0)
    """Longer prompts are left out and counted."""
    max_reply_tokens: int = Field(gt=0)
    mask_truncated_completions: bool
    """Leave replies that the limit cut out of the loss; else they count like others."""

    loss_type: GrpoLoss
    scale_rewards: RewardScale
    epsilon: float = Field(gt=0)
    """Ratios are clipped below at 1 - epsilon."""
    epsilon_high: float = Field(gt=0)
    """Ratios are clipped above at 1 + epsilon_high; above `epsilon` it is DAPO's clip-higher."""
    kl_weight: float = Field(ge=0)
    """Weight of the divergence from the starting checkpoint; 0 keeps no reference model."""
    use_bias_correction_kl: bool
    """Multiply the divergence by the ratio (DeepSeek-V3.2), which changes its gradient even where the ratio is 1."""

    @property
    def both_orders_in_group(self) -> bool:
        """Whether half of a group's replies are to another prompt, `swapped` in its row."""
        return False

    @property
    def reward_weights(self) -> Sequence[float]:
        """Of the reward functions, in their order."""
        return (1.0,)

    @model_validator(mode="after")
    def _check_groups(self) -> Self:
        require_whole_groups(self.batch_size, self.steps_per_generation, self.replies_per_prompt)
        return self

    @model_validator(mode="after")
    def _check_rollouts(self) -> Self:
        if self.lora is not None and self.lora.dropout:
            raise ValueError(
                f"lora.dropout ({self.lora.dropout}) would act while replies are sampled and scored, so no probability "
                f"would be the policy's: GRPO takes lora.dropout: 0"
            )
        require_possible(self.rollouts, self)
        return self

    @model_validator(mode="after")
    def _check_signal(self) -> Self:
        replace = self.zero_signal_groups is ZeroSignalGroups.REPLACE
        if replace != bool(self.most_extra_generations):
            raise ValueError(
                f"most_extra_generations ({self.most_extra_generations}) must be "
                + ("1 at least" if replace else "0")
                + f" with zero_signal_groups: {self.zero_signal_groups.value}"
            )
        over_all = "scale_rewards: batch" if self.scale_rewards is RewardScale.BATCH else ""
        if self.trl.get("multi_objective_aggregation") == "normalize_then_sum":
            over_all = "trl.multi_objective_aggregation: normalize_then_sum"
        if over_all and self.zero_signal_groups is not ZeroSignalGroups.KEEP:
            raise ValueError(
                f"{over_all} scales advantages by all groups of a batch, those left out of the loss too: with it "
                f"zero_signal_groups ({self.zero_signal_groups.value}) must be keep, or scale_rewards group or none"
            )
        return self

    @model_validator(mode="after")
    def _check_resume(self) -> Self:
        """Replies in flight are not saved: only between two generations does a resumed run go on exactly."""
        together = self.steps_per_generation * self.num_iterations
        if self.save_every % together:
            raise ValueError(
                f"save_every ({self.save_every}) must be a multiple of steps_per_generation x num_iterations "
                f"({together}), so that a killed run goes on exactly; {(self.save_every // together + 1) * together} is"
            )
        return self
