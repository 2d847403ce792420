"""The settings that all trainings share, the arguments of a TRL config that they become, and the order of rows."""

import random
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

TokenRow = dict[str, Any]
"""One row of a TRL dataset that is tokenised already."""


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
    """CPU threads of one operation; part of the result, see `training_run.make_repeatable`."""

    @model_validator(mode="after")
    def _check_save_every(self) -> Self:
        if self.save_every % self.log_every:
            raise ValueError(f"save_every ({self.save_every}) must be a multiple of log_every ({self.log_every})")
        return self


class EpochSettings(TrainerSettings):
    """Settings of a training that goes over its examples a number of times."""

    epochs: int = Field(gt=0)
    max_tokens: int = Field(gt=0)
    """Longer examples (prompt and completion; of a pair, either conversation) are left out and counted."""


POOL_BATCHES = 16
"""Batches that are sorted by length together: rows of one batch are of about one length, so little is padded."""
FINAL_LEARNING_RATE = 0.05
"""The learning rate at the end of an epoch training, as a share of its peak."""


def trl_arguments(settings: TrainerSettings, folder: Path) -> dict[str, Any]:
    """The keyword arguments that every TRL config gets; checkpoints to resume from go to `folder`."""
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


def epoch_arguments(settings: EpochSettings, folder: Path) -> dict[str, Any]:
    """The keyword arguments for rows that lie in their order of training already, all epochs in one sequence.

    The learning rate falls along a cosine from its peak to `FINAL_LEARNING_RATE` of it.
    """
    return {
        **trl_arguments(settings, folder),
        "lr_scheduler_type": "cosine_with_min_lr",
        "lr_scheduler_kwargs": {"min_lr_rate": FINAL_LEARNING_RATE},
        "num_train_epochs": 1,
        "train_sampling_strategy": "sequential",
        "max_length": None,
    }


def ordered_dataset(rows: Sequence[TokenRow], lengths: Sequence[int], settings: EpochSettings) -> Any:
    """The `datasets.Dataset` of `rows` in their order of training over all epochs; `lengths` are in tokens."""
    from datasets import Dataset

    batch = settings.batch_size * settings.accumulate
    order = batches_of_similar_length(lengths, batch, settings.epochs, settings.seed)
    return Dataset.from_list([rows[at] for at in order])


def batches_of_similar_length(lengths: Sequence[int], batch_size: int, epochs: int, seed: int) -> list[int]:
    """The order of rows over all epochs, to be read in sequence: shuffled, batches of similar length, each row once.

    Every epoch is a new shuffle. Only whole batches are formed but for the last of an epoch, which comes last.
    """
    rng = random.Random(f"row order {seed}")
    order: list[int] = []
    for _ in range(epochs):
        rows = list(range(len(lengths)))
        rng.shuffle(rows)
        order += _one_epoch(rows, lengths, batch_size, rng)
    return order


def _one_epoch(rows: list[int], lengths: Sequence[int], batch_size: int, rng: random.Random) -> list[int]:
    whole = len(rows) // batch_size * batch_size
    batches = []
    pool = POOL_BATCHES * batch_size
    for start in range(0, whole, pool):
        members = sorted(rows[start : min(start + pool, whole)], key=lambda row: lengths[row])
        batches += [members[at : at + batch_size] for at in range(0, len(members), batch_size)]
    rng.shuffle(batches)
    return [row for batch in [*batches, rows[whole:]] for row in batch]
