"""From settings to a judge that can be asked: the one place that knows the engines."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from stages.inference.engine import Engine, Prompt
from stages.inference.prompt_rendering import load_tokenizer, render
from stages.inference.transformers_engine import LocalModelSettings, TransformersEngine
from stages.records.pair import Message


class EngineName(StrEnum):
    """What runs a generative judge from a checkpoint."""

    TRANSFORMERS = "transformers"
    VLLM = "vllm"


@dataclass(frozen=True, slots=True)
class OpenModel:
    """An engine and the way its prompts are made."""

    engine: Engine
    render: Callable[..., Prompt]
    """`render(messages, begun="")`: the prompt of `messages` whose reply starts with `begun`."""


def open_checkpoint(name: EngineName, settings: LocalModelSettings) -> OpenModel:
    """Open the checkpoint of `settings` with the engine `name`; the weights are loaded with the first prompt."""
    tokenizer = load_tokenizer(settings.checkpoint)
    engine: Engine
    if name is EngineName.VLLM:
        from stages.inference.vllm_engine import VllmEngine

        engine = VllmEngine(settings, tokenizer)
    else:
        engine = TransformersEngine(settings, tokenizer)
    return OpenModel(engine, partial(_render, tokenizer))


def _render(tokenizer: object, messages: tuple[Message, ...], begun: str = "") -> Prompt:
    return render(tokenizer, messages, begun)
