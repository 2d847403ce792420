"""The scalar reward model: a linear head on the base, trained with TRL's RewardTrainer on the Bradley-Terry loss."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from reasrm.inference.checkpoint_loading import SCALAR_HEAD, load_all_weights
from reasrm.judging.chat_template import answered_token_ids
from reasrm.judging.untrusted_text import defuse
from reasrm.records.pair import Message, PreferencePair
from reasrm.training.checkpoint import attention, last_checkpoint, save_model
from reasrm.training.curves import write_curves
from reasrm.training.sft import NothingToLearnError, Places, Trained
from reasrm.training.trainer_settings import TrainerSettings, cosine_schedule, trl_arguments
from reasrm.training.training_rows import Row, in_batches_of_one_length


class ScalarSettings(TrainerSettings):
    """Settings of a scalar reward model's training."""

    epochs: int = Field(gt=0)
    max_tokens: int = Field(gt=0)
    """Pairs with a longer conversation are left out and counted."""


def load_scalar_model(folder: Path, tokenizer: Any) -> Any:
    """The model of a checkpoint folder with a new linear head for one score (seed torch before).

    Raises:
        StageError: it lacks weights besides the head's.
    """
    import torch
    from transformers import AutoModelForSequenceClassification

    settings: dict[str, Any] = {"num_labels": 1, "dtype": torch.float32, "attn_implementation": attention()}
    model = load_all_weights(AutoModelForSequenceClassification, folder, "", new_head=SCALAR_HEAD, **settings)
    model.config.pad_token_id = tokenizer.pad_token_id
    return model


def pair_rows(tokenizer: Any, pairs: Sequence[PreferencePair], max_tokens: int) -> tuple[list[Row], int]:
    """The tokens of both conversations of each pair; also how many pairs were left out as too long."""
    rows = []
    for pair in pairs:
        prompt = tuple(Message(role=turn.role, content=defuse(turn.content)) for turn in pair.prompt)
        chosen = answered_token_ids(tokenizer, prompt, defuse(pair.chosen))
        rejected = answered_token_ids(tokenizer, prompt, defuse(pair.rejected))
        if max(len(chosen), len(rejected)) <= max_tokens:
            rows.append({"chosen_ids": chosen, "rejected_ids": rejected})
    return rows, len(pairs) - len(rows)


def train_scalar(
    name: str, model: Any, tokenizer: Any, pairs: Sequence[PreferencePair], settings: ScalarSettings, places: Places
) -> Trained:
    """Train `model` to score chosen answers above rejected ones; write checkpoint and curves.

    Raises:
        NothingToLearnError: all pairs are longer than `max_tokens`, or there are none.
    """
    from datasets import Dataset
    from trl import RewardConfig, RewardTrainer

    from reasrm.training.live_progress import LiveProgress

    rows, too_long = pair_rows(tokenizer, pairs, settings.max_tokens)
    if not rows:
        raise NothingToLearnError(f"{name}: none of {len(pairs)} pairs fits into {settings.max_tokens} tokens")
    lengths = [max(len(row["chosen_ids"]), len(row["rejected_ids"])) for row in rows]
    batch = settings.batch_size * settings.accumulate
    order = in_batches_of_one_length(lengths, batch, settings.epochs, settings.seed)
    config = RewardConfig(
        **trl_arguments(settings, places.work),
        **cosine_schedule(),
        num_train_epochs=1,
        train_sampling_strategy="sequential",
        max_length=None,
    )
    trainer = RewardTrainer(
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
