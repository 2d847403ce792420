"""From settings to an engine with its way of rendering prompts: the one place that knows all engines.

A new engine is a class with the methods of `engine.Engine`, a name in `EngineName`, and a line in `open_model`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from reasrm.inference.checkpoint_loading import refuse_scalar
from reasrm.inference.engine import Engine, Prompt
from reasrm.inference.local_model import LocalModelSettings, refuse_tensor_parallel
from reasrm.inference.prompt_rendering import load_tokenizer, render_all
from reasrm.inference.prompt_run import Scorer
from reasrm.inference.scalar_engine import ScalarEngine
from reasrm.inference.served_model import ServedModel, load_served_model
from reasrm.inference.transformers_engine import TransformersEngine
from reasrm.inference.workers.parallel_engine import ParallelEngine, ParallelScorer
from reasrm.records.pair import Message

Conversation = tuple[Message, ...]


class EngineName(StrEnum):
    """What generates the replies of a generative judge."""

    TRANSFORMERS = "transformers"
    VLLM = "vllm"
    API = "api"
    """An API; `checkpoint` is the YAML file of a served model (`served_model`)."""
    REPLAY = "replay"
    """Replies of a ledger; `checkpoint` is the ledger, or an identity.json that names one of its engines."""


@dataclass(frozen=True, slots=True)
class OpenModel:
    """An engine and how its prompts are rendered."""

    engine: Engine
    render: Callable[..., dict[Conversation, Prompt]]
    """Gives the prompt of each distinct conversation; its second argument becomes `Prompt.begun`."""
    tokenizer: Any = None
    """The checkpoint's; None for a service."""
    unsent: frozenset[str] = frozenset()
    """Sampling settings that an API is not sent."""


def open_model(name: EngineName, settings: LocalModelSettings) -> OpenModel:
    """Open a model; weights are loaded, or requests sent, with the first prompt.

    Raises:
        StageError: the checkpoint, the served model's file or the ledger cannot be used; says why.
    """
    if name is EngineName.API:
        return open_service(load_served_model(settings.checkpoint))
    if name is EngineName.REPLAY:
        from reasrm.inference.replay_engine import ReplayEngine

        return OpenModel(ReplayEngine(settings.checkpoint), plain_prompts)
    tokenizer = load_tokenizer(settings.checkpoint)
    refuse_scalar(settings.checkpoint)
    return OpenModel(_local_engine(name, settings, tokenizer), partial(render_all, tokenizer), tokenizer)


def open_service(served: ServedModel) -> OpenModel:
    """A model behind an API; nothing is sent yet."""
    from reasrm.inference.api_engine import ApiEngine

    return OpenModel(ApiEngine(served), plain_prompts, unsent=frozenset(served.unsent))


def plain_prompts(conversations: Iterable[Conversation], begun: str = "") -> dict[Conversation, Prompt]:
    """Prompts for engines that render by themselves."""
    return {messages: Prompt(messages, begun=begun) for messages in dict.fromkeys(conversations)}


def open_scorer(settings: LocalModelSettings, tokenizer: Any) -> Scorer:
    """What scores with the classifier of one label of `settings`; it is loaded with the first conversation.

    Raises:
        StageError: `tensor_parallel` is above 1.
    """
    refuse_tensor_parallel("a scalar judge", settings)
    scorer = ScalarEngine(settings, tokenizer)
    return ParallelScorer(scorer, settings) if settings.data_parallel > 1 else scorer


def _local_engine(name: EngineName, settings: LocalModelSettings, tokenizer: Any) -> Engine:
    most_prompts = 1
    if name is EngineName.VLLM:
        from reasrm.inference.vllm_engine import CHUNK, VllmEngine

        engine: Engine = VllmEngine(settings, tokenizer)
        most_prompts = CHUNK
    else:
        refuse_tensor_parallel("the engine transformers", settings)
        engine = TransformersEngine(settings, tokenizer)
    return ParallelEngine(engine, name.value, settings, most_prompts) if settings.data_parallel > 1 else engine
