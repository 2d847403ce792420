"""Reinforcement of right verdicts with TRL's GRPOTrainer (paper, eq. 8-10)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import Field, FiniteFloat, field_validator, model_validator

from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.chat_template import neutral_messages, prompt_token_ids
from reasrm.judging.prompt import judge_prompt
from reasrm.records.comparison import Comparison
from reasrm.training.checkpoint import attention, last_checkpoint, save_model
from reasrm.training.curves import write_curves
from reasrm.training.rewards.registry import REWARD_TERMS
from reasrm.training.sft import NothingToLearnError, Places
from reasrm.training.trainer_settings import TrainerSettings, trl_arguments


class GrpoSettings(TrainerSettings):
    """Settings of a reinforcement; `batch_size` counts sampled replies."""

    steps: int = Field(gt=0)
    replies_per_prompt: int = Field(gt=1)
    """The group that an advantage is relative to."""
    max_prompt_tokens: int = Field(gt=0)
    """Longer prompts are left out and counted."""
    max_reply_tokens: int = Field(gt=0)
    temperature: float = Field(gt=0)
    kl_weight: float = Field(ge=0)
    """Weight of the divergence from the starting checkpoint; 0 keeps no reference model."""
    prompt_variant: PromptVariant
    rewards: dict[str, FiniteFloat] = Field(min_length=1)
    """Weight of each reward term (`reasrm.training.rewards.registry`); a reply earns the weighted sum."""
    steps_without_signal: int = Field(gt=0)
    """Stop with an error after so many steps in which no group had replies of different reward."""

    @field_validator("rewards")
    @classmethod
    def _check_rewards(cls, rewards: dict[str, float]) -> dict[str, float]:
        unknown = sorted(rewards.keys() - REWARD_TERMS.keys())
        if unknown:
            raise ValueError(f"no reward term {', '.join(unknown)}; there are {', '.join(sorted(REWARD_TERMS))}")
        return {name: rewards[name] for name in REWARD_TERMS if name in rewards}  # one order of summation

    @model_validator(mode="after")
    def _check_groups(self) -> Self:
        if self.batch_size % self.replies_per_prompt:
            raise ValueError(
                f"batch_size ({self.batch_size}) must hold whole groups of {self.replies_per_prompt} replies"
            )
        return self


def prompt_rows(tokenizer: Any, comparisons: Sequence[Comparison], settings: GrpoSettings) -> list[dict[str, Any]]:
    """The prompts that fit, as TRL takes them, with the columns that reward terms read (`rewards.sampled_replies`)."""
    rows = []
    for comparison in comparisons:
        prompt = judge_prompt(comparison, settings.prompt_variant)
        if len(prompt_token_ids(tokenizer, prompt)) <= settings.max_prompt_tokens:
            rows.append(
                {
                    "prompt": neutral_messages(tokenizer, prompt),
                    "better": comparison.better.value,
                    "prompt_variant": settings.prompt_variant.value,
                }
            )
    return rows


def train_grpo(
    name: str, start: Path, tokenizer: Any, comparisons: Sequence[Comparison], settings: GrpoSettings, places: Places
) -> tuple[int, dict[str, Any]]:
    """Reinforce the checkpoint `start`, resuming what a killed run left; write checkpoint and curves.

    Returns:
        How many prompts were used, and the last values of the curves.

    Raises:
        NothingToLearnError: all prompts are too long, or there are none.
        NoSignalError: the rewards were all alike for too long.
    """
    from datasets import Dataset
    from trl import GRPOTrainer

    from reasrm.training.live_progress import LiveProgress
    from reasrm.training.signal_guard import SignalGuard

    rows = prompt_rows(tokenizer, comparisons, settings)
    if not rows:
        raise NothingToLearnError(
            f"{name}: none of {len(comparisons)} prompts fits into {settings.max_prompt_tokens} tokens"
        )
    trainer = GRPOTrainer(
        model=str(start),
        args=_config(settings, places.work),
        reward_funcs=[REWARD_TERMS[name] for name in settings.rewards],
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        callbacks=[LiveProgress(name), SignalGuard(name, settings.steps_without_signal)],
    )
    trainer.train(resume_from_checkpoint=last_checkpoint(places.work))
    save_model(trainer.model, tokenizer, places.model)
    write_curves(trainer.state.log_history, places.curves)
    points = [entry for entry in trainer.state.log_history if "reward" in entry]
    return len(rows), points[-1] if points else {}


def _config(settings: GrpoSettings, work: Path) -> Any:
    """TRL's config. One generation per optimiser step, so a resumed run continues exactly (no replies in flight)."""
    from trl import GRPOConfig

    return GRPOConfig(
        **trl_arguments(settings, work),
        lr_scheduler_type="constant_with_warmup",
        max_steps=settings.steps,
        num_generations=settings.replies_per_prompt,
        max_completion_length=settings.max_reply_tokens,
        temperature=settings.temperature,
        beta=settings.kl_weight,
        reward_weights=list(settings.rewards.values()),
        use_bias_correction_kl=False,
        model_init_kwargs={"dtype": "float32", "attn_implementation": attention()},
    )
