"""From settings to a judge that can be asked: the one place that knows the engines."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from reasrm.inference.checkpoint_loading import refuse_scalar
from reasrm.inference.engine import Engine, Prompt
from reasrm.inference.prompt_rendering import load_tokenizer, render_all
from reasrm.inference.served_model import ServedModel, load_served_model
from reasrm.inference.transformers_engine import LocalModelSettings, TransformersEngine
from reasrm.records.pair import Message

Conversation = tuple[Message, ...]


class EngineName(StrEnum):
    """What runs or stands for a generative judge."""

    TRANSFORMERS = "transformers"
    VLLM = "vllm"
    API = "api"
    """A service; `checkpoint` is the YAML file that describes it (`served_model`)."""
    REPLAY = "replay"
    """Replies that were kept; `checkpoint` is the ledger, or an identity.json that names one of its judges."""


@dataclass(frozen=True, slots=True)
class OpenModel:
    """An engine and the way its prompts are made."""

    engine: Engine
    render: Callable[..., dict[Conversation, Prompt]]
    """The prompt of each distinct conversation; a second argument is what the replies begin with (`Prompt.begun`)."""
    tokenizer: Any = None
    """The checkpoint's; None for a service."""
    unsent: frozenset[str] = frozenset()
    """Settings of drawing that a service is not sent."""


def open_model(name: EngineName, settings: LocalModelSettings) -> OpenModel:
    """Open a model; weights are loaded, or a service asked, with the first prompt."""
    if name is EngineName.API:
        return open_service(load_served_model(settings.checkpoint))
    if name is EngineName.REPLAY:
        from reasrm.inference.replay_engine import ReplayEngine

        return OpenModel(ReplayEngine(settings.checkpoint), plain_prompts)
    tokenizer = load_tokenizer(settings.checkpoint)
    refuse_scalar(settings.checkpoint)
    return OpenModel(_local_engine(name, settings, tokenizer), partial(render_all, tokenizer), tokenizer)


def open_service(served: ServedModel) -> OpenModel:
    """A service that can be asked."""
    from reasrm.inference.api_engine import ApiEngine

    return OpenModel(ApiEngine(served), plain_prompts, unsent=frozenset(served.unsent))


def plain_prompts(conversations: Iterable[Conversation], begun: str = "") -> dict[Conversation, Prompt]:
    """Prompts for engines that render by themselves."""
    return {messages: Prompt(messages, begun=begun) for messages in dict.fromkeys(conversations)}


def _local_engine(name: EngineName, settings: LocalModelSettings, tokenizer: Any) -> Engine:
    if name is EngineName.VLLM:
        from reasrm.inference.vllm_engine import VllmEngine

        return VllmEngine(settings, tokenizer)
    return TransformersEngine(settings, tokenizer)
