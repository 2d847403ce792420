"""How a checkpoint is run in this process, whichever engine runs it; and loading one that transformers runs."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from reasrm.inference.checkpoint_loading import load_config
from reasrm.inference.workers.gpu_shares import share_gpus
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
    FLASH_ATTENTION_2 = "flash_attention_2"
    """Needs a CUDA device, the package flash-attn and weights of two bytes."""


NEUTRAL = frozenset({"cache_tokens", "data_parallel", "memory_share"})
"""Settings that are no part of an engine's identity: they say where and when a batch is computed and how many fit, and
which prompts a batch holds stands in the ledger's key of it anyway."""


class LocalModelSettings(BaseModel):
    """How a checkpoint is run on this machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    checkpoint: Path
    """A folder written by `save_pretrained`."""
    dtype: Dtype
    attention: Attention
    batch_size: int = Field(gt=0)
    """Most prompts in a batch."""
    batch_tokens: int = Field(gt=0)
    """Most prompt tokens in a batch, padding included: long prompts make small batches."""
    cache_tokens: int = Field(gt=0)
    """Most tokens in the cache of a batch: prompts with padding, and replies of the greatest length. Of the engine
    transformers; vLLM fills the memory that `memory_share` gives it."""
    max_context_tokens: int = Field(gt=0)
    """Prompt and reply together never get longer; must fit the model."""
    threads: int = Field(gt=0)
    """CPU threads of each process."""
    tensor_parallel: int = Field(gt=0)
    """GPUs that share each layer of one model (vLLM's `tensor_parallel_size`). Sums are split, so last bits differ."""
    data_parallel: int = Field(gt=0)
    """Processes that each hold the whole model and answer a part of the prompts; on GPUs, `tensor_parallel` GPUs each.
    The replies are those of one process."""
    memory_share: float = Field(gt=0, le=1)
    """Of a GPU's memory, which vLLM takes for weights and cache (its `gpu_memory_utilization`)."""


def load_model(load: Callable[..., Any], settings: LocalModelSettings) -> Any:
    """Load the checkpoint of `settings` with `load`, ready to judge, on the GPU if there is one.

    Raises:
        StageError: it lacks weights, has fewer positions than `max_context_tokens`, or this machine lacks the
            attention.
    """
    import torch
    from transformers.utils.logging import disable_progress_bar

    _require_positions(settings)
    _require_attention(settings)
    share_gpus(1, 1)
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


def _require_attention(settings: LocalModelSettings) -> None:
    if settings.attention is not Attention.FLASH_ATTENTION_2:
        return
    import torch
    from transformers.utils import is_flash_attn_2_available

    if settings.dtype is Dtype.FLOAT32 or not torch.cuda.is_available() or not is_flash_attn_2_available():
        raise StageError(
            "`judge.attention: flash_attention_2` needs a CUDA device, the package flash-attn, and `dtype` bfloat16 or "
            "float16, which are not all here: take `sdpa`"
        )


def refuse_tensor_parallel(what: str, settings: LocalModelSettings) -> None:
    """Do nothing if one GPU holds the whole model, which is all that `what` can do.

    Raises:
        StageError: `tensor_parallel` is above 1.
    """
    if settings.tensor_parallel > 1:
        raise StageError(
            f"`judge.tensor_parallel` is {settings.tensor_parallel}, and {what} does not split a model: set it to 1 "
            "(for this model alone in `judge_variants`), and `judge_running.data_parallel` for several copies; the "
            "engine vllm does split"
        )
