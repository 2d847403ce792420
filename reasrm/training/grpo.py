"""GRPO with TRL's GRPOTrainer: sample a group of judgments per comparison, reinforce those that earn more.

Per sampled reply i of a group of G = `replies_per_prompt` replies to one prompt:

    reward     r_i = sum over terms k of weight_k * term_k(reply i)              (`rewards`; eq. 8 or 11 of RM-R1)
    advantage  A_i = (r_i - mean(r_1..r_G)) / (std(r_1..r_G) + 1e-4)             (eq. 10, but for 1e-4)
    loss       - sum over all tokens of the batch of (ratio * A_i - beta * KL) / number of those tokens

`ratio` is r_theta / r_theta_old of a token, clipped to 1 +- 0.2 as in eq. 9, beta is `kl_weight`, KL the estimate
exp(d) - d - 1 with d = log r_ref - log r_theta of the token, r_ref the starting checkpoint. All probabilities are those
at the sampling temperature. Replies that the token limit cut off count like others. No length penalty.

Where this departs from RM-R1 (arXiv 2505.02387v3, eq. 8-11 and appendices C, E):

- Loss: TRL's default `loss_type="dapo"` weighs every token of the batch alike. Eq. 9 takes the mean over the tokens of
  each reply first, then the mean over replies (`loss_type="grpo"`), so there a token of a short reply counts more.
- Advantage: as eq. 10 (`scale_rewards="group"`), with 1e-4 added to the standard deviation, which has Bessel's
  correction; a group without spread has advantage 0, and its tokens still count in the loss's denominator.
- Updates: one per batch of replies, so `ratio` is 1 and the clip (0.2 on both sides, TRL's default, the paper's value)
  never acts. The paper takes mini-batches of 128 out of batches of 1,024 prompts, where it does.
- KL: in the loss as in eq. 9, by the estimate above without importance correction. The paper's weight is 1e-3;
  ours is `kl_weight`, and 0 leaves the reference model out.
- Group: the paper samples 7 replies per prompt at temperature 1 and top-p 1, at most 8,192 tokens; here
  `replies_per_prompt`, `temperature`, `max_reply_tokens`, top-p 1 as well.
- Optimiser: AdamW without weight decay (RM-R1's code: 0.01), gradients clipped to norm 1 (TRL's default, and in RM-R1's
  code), a constant rate after `warmup_steps` (there without warm-up). The paper states the rates: 5e-7 to 1e-6.
- Reward of the cold start: eq. 11 is answer + format; ours demands a readable verdict for the format, and the tags of
  the prompt variant where it has any.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import Field, FiniteFloat, field_validator, model_validator

from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.chat_template import opened_thought, rendered_chats
from reasrm.judging.checked_template import TEMPLATE_VARIABLES
from reasrm.judging.prompt import judge_prompt
from reasrm.records.comparison import Comparison
from reasrm.training.checkpoint import attention
from reasrm.training.rewards.registry import REWARD_TERMS
from reasrm.training.rewards.sampled_replies import as_judged
from reasrm.training.trainer_settings import TrainerSettings, trl_arguments
from reasrm.training.training_run import NoTrainingDataError, TrainingRun, last_logged, train_and_save


class GrpoSettings(TrainerSettings):
    """Settings of a GRPO training; `batch_size` counts sampled replies."""

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
    """Stop with an error after more than so many steps in a row in which no group had replies of different reward."""

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
    variant, rows = settings.prompt_variant, []
    for comparison in comparisons:
        prompt = judge_prompt(comparison, variant)
        (chat,) = rendered_chats(tokenizer, [prompt])
        if len(chat.token_ids) <= settings.max_prompt_tokens:
            rows.append({"prompt": chat.turns, "better": comparison.better.value, "prompt_variant": variant.value})
    return rows


def train_grpo(
    run: TrainingRun, start: Path, tokenizer: Any, comparisons: Sequence[Comparison], settings: GrpoSettings
) -> tuple[int, float]:
    """Train the checkpoint `start` with GRPO, resuming what an interrupted run left; write checkpoint and curves.

    Returns:
        How many prompts fit, and the mean reward of the last logged step.

    Raises:
        NoTrainingDataError: all prompts are too long, or there are none.
        NoLearningSignalError: in every group all replies earned the same, for too many steps.
    """
    from datasets import Dataset
    from trl import GRPOTrainer

    from reasrm.training.callbacks import StopWithoutSignal

    rows = prompt_rows(tokenizer, comparisons, settings)
    if not rows:
        raise NoTrainingDataError(
            f"{run.name}: none of {len(comparisons)} prompts fits into {settings.max_prompt_tokens} tokens; "
            f"raise `max_prompt_tokens`"
        )
    first = tokenizer.apply_chat_template(
        rows[0]["prompt"], tokenize=False, add_generation_prompt=True, **TEMPLATE_VARIABLES
    )
    opened = opened_thought(first)
    trainer = GRPOTrainer(
        model=str(start),
        args=_config(settings, run.resume_from),
        reward_funcs=[as_judged(REWARD_TERMS[name], tokenizer, opened) for name in settings.rewards],
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        callbacks=[StopWithoutSignal(run.name, settings.steps_without_signal)],
    )
    log = train_and_save(run, trainer, tokenizer)
    return len(rows), last_logged(log, "reward")


def _config(settings: GrpoSettings, folder: Path) -> Any:
    """TRL's config. One generation per optimiser step, so a resumed run continues exactly (no replies in flight)."""
    from trl import GRPOConfig

    return GRPOConfig(
        **trl_arguments(settings, folder),
        lr_scheduler_type="constant_with_warmup",
        max_steps=settings.steps,
        num_generations=settings.replies_per_prompt,
        max_completion_length=settings.max_reply_tokens,
        temperature=settings.temperature,
        reward_weights=list(settings.rewards.values()),
        beta=settings.kl_weight,
        use_bias_correction_kl=False,
        chat_template_kwargs=dict(TEMPLATE_VARIABLES),
        model_init_kwargs={"dtype": "float32", "attn_implementation": attention()},
    )
