"""Messages to prompts of a checkpoint: its own tokenizer and template, the same as in training."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stages.inference.engine import Prompt
from stages.records.content_hash import content_hash
from stages.records.pair import Message
from stages.runtime.chat_rendering import answered_token_ids, prompt_token_ids
from stages.runtime.stage_main import StageError


class NoChatTemplateError(StageError):
    """The checkpoint's tokenizer has no chat template, so there is no one way to show it a prompt."""


def load_tokenizer(checkpoint: Path) -> Any:
    """The tokenizer saved with `checkpoint`.

    Raises:
        NoChatTemplateError: it has no chat template.
        StageError: there is no such folder.
    """
    from transformers import AutoTokenizer

    if not (checkpoint / "config.json").is_file():
        raise StageError(f"{checkpoint}: no config.json there, so no model; which stage should have written it?")
    tokenizer = AutoTokenizer.from_pretrained(checkpoint, trust_remote_code=False)
    if not getattr(tokenizer, "chat_template", None):
        raise NoChatTemplateError(
            f"{checkpoint}: its tokenizer has no chat template; save one with it (chat_template.jinja)"
        )
    return tokenizer


def render(tokenizer: Any, messages: tuple[Message, ...], begun: str = "") -> Prompt:
    """The prompt of `messages`; the model's reply starts with `begun`."""
    ids = prompt_token_ids(tokenizer, messages)
    if begun:
        ids += tokenizer(begun, add_special_tokens=False)["input_ids"]
    return Prompt(messages=messages, token_ids=tuple(ids), begun=begun)


def render_answered(tokenizer: Any, prompt: Iterable[Message], response: str) -> tuple[int, ...]:
    """The ids of a conversation with its answer, for a model that scores it."""
    return tuple(answered_token_ids(tokenizer, prompt, response))


def template_hash(tokenizer: Any) -> str:
    """Hash of the chat template: a changed template is another judge."""
    return content_hash(str(tokenizer.chat_template))[:16]
