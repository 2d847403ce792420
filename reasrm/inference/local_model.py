"""How a checkpoint is run in this process, whichever engine runs it; and loading one that transformers runs."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from reasrm.inference.checkpoint_loading import load_config
from reasrm.runtime.stage_main import StageError


class Dtype(StrEnum):
    """Number format of the weights while judging."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


class Attention(StrEnum):
    """Which of the library's attention implementations runs."""

    EAGER = "eager"
    SDPA = "sdpa"


class LocalModelSettings(BaseModel):
    """How a checkpoint is run in this process."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    checkpoint: Path
    """A folder written by `save_pretrained`."""
    dtype: Dtype
    attention: Attention
    batch_size: int = Field(gt=0)
    """Most prompts in a batch."""
    batch_tokens: int = Field(gt=0)
    """Most prompt tokens in a batch, padding included: long prompts make small batches."""
    max_context_tokens: int = Field(gt=0)
    """Prompt and reply together never get longer; must fit the model."""
    threads: int = Field(gt=0)
    """CPU threads of this engine."""


def load_model(load: Callable[..., Any], settings: LocalModelSettings) -> Any:
    """Load the checkpoint of `settings` with `load`, ready to judge, on the GPU if there is one.

    Raises:
        StageError: it lacks weights, or has fewer positions than `max_context_tokens`.
    """
    import torch
    from transformers.utils.logging import disable_progress_bar

    _require_positions(settings)
    disable_progress_bar()
    torch.set_num_threads(settings.threads)
    dtype = getattr(torch, settings.dtype.value)
    model = load(settings.checkpoint, dtype=dtype, attn_implementation=settings.attention.value)
    return model.eval().to("cuda" if torch.cuda.is_available() else "cpu")


def _require_positions(settings: LocalModelSettings) -> None:
    positions = getattr(load_config(settings.checkpoint).get_text_config(), "max_position_embeddings", None)
    if positions is not None and positions < settings.max_context_tokens:
        raise StageError(
            f"{settings.checkpoint}: the model has {positions} positions, `judge.max_context_tokens` is "
            f"{settings.max_context_tokens}: lower it, or train with a longer context"
        )
