"""The settings that all trainings share, and how they become a TRL config."""

from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Precision(StrEnum):
    """Arithmetic of a training."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    """Mixed: weights in float32, products in bfloat16."""


class TrainerSettings(BaseModel):
    """Optimiser, batch and checkpoints of one training; each stage's parameters extend it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    learning_rate: float = Field(gt=0)
    """Peak of AdamW's learning rate."""
    warmup_steps: int = Field(ge=0)
    batch_size: int = Field(gt=0)
    """Sequences (GRPO: sampled replies; ScalarRM: pairs) of one forward pass on one device."""
    accumulate: int = Field(gt=0)
    """Forward passes of one optimiser step."""
    save_every: int = Field(gt=0)
    """Steps between the checkpoints that a killed run resumes from; a multiple of `log_every`."""
    log_every: int = Field(gt=0)
    """Steps between points of the curves."""
    precision: Precision
    gradient_checkpointing: bool
    """Saves memory for a third more time."""
    seed: int
    threads: int = Field(gt=0)
    """CPU threads of one operation; part of the result, see `reasrm.training.determinism`."""

    @model_validator(mode="after")
    def _check_rhythm(self) -> Self:
        if self.save_every % self.log_every:
            raise ValueError(f"save_every ({self.save_every}) must be a multiple of log_every ({self.log_every})")
        return self


LEARNING_SCHEDULE = "cosine_with_min_lr"
LAST_LEARNING_RATE_SHARE = 0.05
"""The learning rate at the end, as a share of its peak."""


def trl_arguments(settings: TrainerSettings, folder: Path) -> dict[str, Any]:
    """The keyword arguments that every TRL config gets; checkpoints go to `folder`."""
    import torch

    return {
        "output_dir": str(folder),
        "learning_rate": settings.learning_rate,
        "warmup_steps": settings.warmup_steps,
        "per_device_train_batch_size": settings.batch_size,
        "gradient_accumulation_steps": settings.accumulate,
        "gradient_checkpointing": settings.gradient_checkpointing,
        "bf16": settings.precision is Precision.BFLOAT16,
        "use_cpu": not torch.cuda.is_available(),
        "save_strategy": "steps",
        "save_steps": settings.save_every,
        "save_total_limit": 2,
        "logging_steps": settings.log_every,
        "seed": settings.seed,
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": torch.cuda.is_available(),
    }


def cosine_schedule() -> dict[str, Any]:
    """Arguments for a learning rate that falls along a cosine to a small rest."""
    return {
        "lr_scheduler_type": LEARNING_SCHEDULE,
        "lr_scheduler_kwargs": {"min_lr_rate": LAST_LEARNING_RATE_SHARE},
    }
