"""The scalar reward model: a linear head on the base, trained with TRL's RewardTrainer on the Bradley-Terry loss."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from reasrm.inference.checkpoint_loading import SCALAR_HEAD, load_all_weights
from reasrm.judging.chat_templates.chat_template import answered_by, renderings
from reasrm.judging.chat_templates.checked_template import RenderedChat
from reasrm.records.pair import PreferencePair
from reasrm.training.lora import AdapterTask, adapter_config, quantisation_config
from reasrm.training.row_order import TokenRow
from reasrm.training.trainer_settings import EpochSettings, TrainerSettings
from reasrm.training.training_run import LeftOut, TrainingResult, TrainingRun, last_logged, train_and_save
from reasrm.training.trl_arguments import epoch_arguments, ordered_dataset, refused_in_one_line, trl_config


def load_scalar_model(folder: Path, tokenizer: Any, settings: TrainerSettings) -> Any:
    """The model of a checkpoint folder with a new linear head for one score; the head is random, so seed torch before.

    Raises:
        StageError: it lacks weights besides the head's.
    """
    import torch
    from transformers import AutoModelForSequenceClassification

    loading: dict[str, Any] = {
        "dtype": getattr(torch, settings.dtype.value),
        "attn_implementation": settings.attention.value,
    }
    if config := quantisation_config(settings.lora, settings.dtype.value):
        loading["quantization_config"] = config
    model = load_all_weights(
        AutoModelForSequenceClassification, folder, "", new_head=SCALAR_HEAD, num_labels=1, **loading
    )
    model.config.pad_token_id = tokenizer.pad_token_id
    return model


def pair_rows(tokenizer: Any, pairs: Sequence[PreferencePair], max_tokens: int) -> tuple[list[TokenRow], LeftOut]:
    """The tokens of both conversations of each pair, as the judge renders them; also how many pairs are left out."""
    answers = [answered_by(pair.prompt, answer) for pair in pairs for answer in (pair.chosen, pair.rejected)]
    rows, reasons = [], []
    chats = renderings(tokenizer, answers, answered=True)
    for chosen, rejected in zip(chats[::2], chats[1::2], strict=True):
        if isinstance(chosen, RenderedChat) and isinstance(rejected, RenderedChat):
            if max(len(chosen.token_ids), len(rejected.token_ids)) <= max_tokens:
                rows.append({"chosen_ids": chosen.token_ids, "rejected_ids": rejected.token_ids})
        else:
            reasons.append(str(rejected if isinstance(chosen, RenderedChat) else chosen))
    return rows, LeftOut.of(len(pairs), len(rows), reasons)


def train_scalar(
    run: TrainingRun,
    load_model: Callable[[], Any],
    tokenizer: Any,
    pairs: Sequence[PreferencePair],
    settings: EpochSettings,
) -> TrainingResult:
    """Train the model that `load_model` gives to score chosen answers above rejected ones.

    Resumes what an interrupted run left; writes checkpoint and curves.

    Raises:
        NoTrainingDataError: all pairs are longer than `max_tokens`, or there are none.
        StageError: the machine lacks what a setting needs, or `trl` cannot be taken as it is.
    """
    from trl import RewardConfig, RewardTrainer

    config = trl_config(RewardConfig, epoch_arguments(settings, run.resume_from), settings, run.name)
    rows, left_out = pair_rows(tokenizer, pairs, settings.max_tokens)
    left_out.say(run.name)
    if not rows:
        raise left_out.no_data(run.name, "pairs", "max_tokens", settings.max_tokens)
    lengths = [max(len(row["chosen_ids"]), len(row["rejected_ids"])) for row in rows]
    model = load_model()
    with refused_in_one_line(run.name):
        trainer = RewardTrainer(
            model=model,
            args=config,
            train_dataset=ordered_dataset(rows, lengths, settings),
            processing_class=tokenizer,
            peft_config=adapter_config(settings.lora, AdapterTask.SCALAR),
        )
    log = train_and_save(run, trainer, tokenizer, settings)
    return TrainingResult(trainer.state.global_step, len(rows), left_out, last_logged(log, "loss"))
