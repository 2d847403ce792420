"""Checkpoint folders: loading models for training, finding where to resume, and writing a model whole or not at all."""

import json
import shutil
from pathlib import Path
from typing import Any

from reasrm.inference.checkpoint_loading import load_all_weights
from reasrm.inference.checkpoints.checkpoint_folder import require_checkpoint
from reasrm.inference.checkpoints.weight_files import stored_dtype
from reasrm.runtime.outputs import new_folder
from reasrm.runtime.stage_main import StageError
from reasrm.training.lora import quantisation_config
from reasrm.training.trainer_settings import SavedType, TrainerSettings

STATE_FILE = "trainer_state.json"
"""Written last into a trainer's checkpoint: a folder without it is incomplete."""
RUN_FILES = ("training_args.bin",)
"""Files that trainers add and no reader of a model needs; they hold paths of the machine."""
MEND_LOST_WEIGHTS = (
    "lower `learning_rate`, raise `warmup_steps`, clip gradients by `max_grad_norm`, or take `precision: float32`"
)
"""What to do where weights have become no numbers."""


def load_language_model(folder: Path, settings: TrainerSettings) -> Any:
    """The language model of a checkpoint folder, in the number format and with the attention of `settings`.

    Raises:
        StageError: there is none that can be run, or it lacks weights.
    """
    import torch
    from transformers import AutoModelForCausalLM

    require_checkpoint(folder)
    hint = "is it a scalar reward model? Else"
    loading: dict[str, Any] = {
        "dtype": getattr(torch, settings.dtype.value),
        "attn_implementation": settings.attention.value,
    }
    if config := quantisation_config(settings.lora, settings.dtype.value):
        loading["quantization_config"] = config
    return load_all_weights(AutoModelForCausalLM, folder, hint, **loading)


def saved_dtype(settings: TrainerSettings, start: str) -> Any:
    """The torch type in which the trained weights are written.

    Args:
        settings: the training's.
        start: folder of the checkpoint that is trained; empty where the model is new.
    """
    import torch

    if settings.save_dtype is not SavedType.BASE:
        return getattr(torch, settings.save_dtype.value)
    return getattr(torch, stored_dtype(Path(start)) if start else settings.dtype.value)


def last_checkpoint(folder: Path, processes: int) -> str | None:
    """The newest complete checkpoint that an interrupted training left in `folder`; incomplete ones are removed.

    Each of its `processes` left the state of its random numbers there.
    """
    steps = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    for checkpoint in reversed(steps):
        if _is_complete(checkpoint, processes):
            return str(checkpoint)
        shutil.rmtree(checkpoint)
    return None


def require_finite(name: str, model: Any) -> None:
    """Do nothing if all weights of `model` are finite numbers.

    Raises:
        StageError: one is not, so that the model writes nothing that means anything.
    """
    for weight_name, weight in model.named_parameters():
        if not weight.isfinite().all():
            raise StageError(
                f"{name}: {weight_name} is not finite after the training, so the model is lost and is not written: "
                + MEND_LOST_WEIGHTS
            )


def save_model(model: Any, tokenizer: Any, out: Path) -> None:
    """Write model and tokenizer to the folder `out`, whole or not at all."""
    with new_folder(out) as folder:
        model.save_pretrained(str(folder))
        tokenizer.save_pretrained(str(folder))
        for name in RUN_FILES:
            (folder / name).unlink(missing_ok=True)


def _is_complete(checkpoint: Path, processes: int) -> bool:
    random_states = ["rng_state.pth"] if processes == 1 else [f"rng_state_{rank}.pth" for rank in range(processes)]
    if not all((checkpoint / name).is_file() for name in random_states):
        return False
    try:
        json.loads((checkpoint / STATE_FILE).read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return False
    return True
