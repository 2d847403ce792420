"""A checkpoint in this process, run by transformers: the embedded default, on CPU or one GPU."""

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from reasrm.inference.checkpoint_loading import load_causal
from reasrm.inference.engine import Answered, Prompt, Sampling, batches_by_tokens
from reasrm.inference.prompt_rendering import template_hash
from reasrm.inference.replies import reply_from_tokens
from reasrm.runtime.stage_main import StageError
from reasrm.runtime.work_folder import file_hash


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


class TransformersEngine:
    """Runs a causal language model; loads it when the first prompt is asked."""

    def __init__(self, settings: LocalModelSettings, tokenizer: Any) -> None:
        """Prepare for `settings`; `tokenizer` is the checkpoint's own."""
        self._settings = settings
        self._tokenizer = tokenizer
        self._model: Any = None
        self.starts = 0

    def identity(self) -> dict[str, Any]:
        """Everything besides prompt and sampling that the replies depend on, batch shape included."""
        return {
            "engine": "transformers",
            "versions": {name: version(name).split("+")[0] for name in ("torch", "transformers")},
            "checkpoint": file_hash(self._settings.checkpoint),
            "template": template_hash(self._tokenizer),
            **self._settings.model_dump(mode="json", exclude={"checkpoint"}),
        }

    def batches(self, prompts: Sequence[Prompt]) -> list[range]:
        """Batches limited in prompts and in padded tokens."""
        lengths = [len(prompt.token_ids) for prompt in prompts]
        return batches_by_tokens(lengths, self._settings.batch_size, self._settings.batch_tokens)

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[Answered]:
        """Yield each prompt with its reply, in the given order, batch by batch."""
        from reasrm.inference.decoding import draw_batch
        from reasrm.inference.stop_tokens import StopTokens, end_of_turn_ids

        model = self._loaded()
        ends = end_of_turn_ids(model, self._tokenizer)
        pad_id = self._tokenizer.pad_token_id if self._tokenizer.pad_token_id is not None else ends[0]
        stops = StopTokens(self._tokenizer, sampling.stop, model.get_output_embeddings().weight.shape[0], ends)
        for batch in self.batches(prompts):
            part = prompts[batch.start : batch.stop]
            drawn = draw_batch(model, part, sampling, stops, pad_id)
            for prompt, tokens in zip(part, drawn, strict=True):
                yield prompt, reply_from_tokens(self._tokenizer, tokens, prompt, sampling.stop)

    def close(self) -> None:
        """Let the model go."""
        self._model = None

    def _loaded(self) -> Any:
        if self._model is None:
            self.starts += 1
            self._model = load_model(load_causal, self._settings)
        return self._model


def load_model(load: Callable[..., Any], settings: LocalModelSettings) -> Any:
    """Load the checkpoint of `settings` with `load`, ready to judge, on the GPU if there is one.

    Raises:
        StageError: it lacks weights, or has fewer positions than `max_context_tokens`.
    """
    import torch
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    torch.set_num_threads(settings.threads)
    dtype = getattr(torch, settings.dtype.value)
    model = load(settings.checkpoint, dtype=dtype, attn_implementation=settings.attention.value)
    positions = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if positions is not None and positions < settings.max_context_tokens:
        raise StageError(
            f"{settings.checkpoint}: the model has {positions} positions, `judge.max_context_tokens` is "
            f"{settings.max_context_tokens}: lower it, or train with a longer context"
        )
    return model.eval().to("cuda" if torch.cuda.is_available() else "cpu")
