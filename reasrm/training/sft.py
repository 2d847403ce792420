"""Supervised training with TRL's SFTTrainer: the loss falls on completions alone (paper, eq. 6)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field

from reasrm.runtime.stage_main import StageError
from reasrm.training.checkpoint import last_checkpoint, save_model
from reasrm.training.curves import write_curves
from reasrm.training.trainer_settings import TrainerSettings, cosine_schedule, trl_arguments
from reasrm.training.training_rows import Example, in_batches_of_one_length, token_rows


class SftSettings(TrainerSettings):
    """Settings of a supervised training."""

    epochs: int = Field(gt=0)
    max_tokens: int = Field(gt=0)
    """Longer examples (prompt and completion) are left out and counted."""


class NothingToLearnError(StageError):
    """No example is left to train on; says why."""


class Places(NamedTuple):
    """Where a training keeps and writes things."""

    work: Path
    """Checkpoints of a killed run."""
    model: Path
    curves: Path


class Trained(NamedTuple):
    """What was trained."""

    steps: int
    rows: int
    too_long: int
    last_loss: float


def train_sft(
    name: str, model: Any, tokenizer: Any, examples: Sequence[Example], settings: SftSettings, places: Places
) -> Trained:
    """Train `model` on `examples`, resuming what a killed run left; write checkpoint and curves.

    Raises:
        NothingToLearnError: all examples are longer than `max_tokens`, or there are none.
    """
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    from reasrm.training.live_progress import LiveProgress

    rows, too_long = token_rows(tokenizer, examples, settings.max_tokens)
    if not rows:
        raise NothingToLearnError(f"{name}: none of {len(examples)} examples fits into {settings.max_tokens} tokens")
    lengths = [len(row["input_ids"]) for row in rows]
    batch = settings.batch_size * settings.accumulate
    order = in_batches_of_one_length(lengths, batch, settings.epochs, settings.seed)
    config = SFTConfig(
        **trl_arguments(settings, places.work),
        **cosine_schedule(),
        num_train_epochs=1,
        train_sampling_strategy="sequential",
        max_length=None,
    )
    trainer = SFTTrainer(
        model=model,
        args=config,
        train_dataset=Dataset.from_list([rows[at] for at in order]),
        processing_class=tokenizer,
        callbacks=[LiveProgress(name)],
    )
    trainer.train(resume_from_checkpoint=last_checkpoint(places.work))
    save_model(trainer.model, tokenizer, places.model)
    write_curves(trainer.state.log_history, places.curves)
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return Trained(trainer.state.global_step, len(rows), too_long, losses[-1] if losses else float("nan"))
