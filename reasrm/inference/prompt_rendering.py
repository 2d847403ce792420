"""From messages to the prompts of a checkpoint: its own tokenizer and chat template, the same as in training."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from reasrm.inference.checkpoint_loading import reading, require_checkpoint
from reasrm.inference.engine import Prompt
from reasrm.judging.chat_template import answered_token_ids, opened_thought, render_chat
from reasrm.records.content_hash import content_hash
from reasrm.records.pair import Message, Role
from reasrm.runtime.stage_main import StageError


class NoChatTemplateError(StageError):
    """The checkpoint's tokenizer has no chat template, so it is not defined how a prompt is rendered for it."""


def load_tokenizer(checkpoint: Path) -> Any:
    """The tokenizer saved with `checkpoint`.

    Raises:
        NoChatTemplateError: it has no chat template.
        StageError: there is no such folder, or no tokenizer in it; the library would make an empty one up.
    """
    from transformers import AutoTokenizer

    require_checkpoint(checkpoint)
    with reading(checkpoint, "tokenizer"):
        tokenizer = AutoTokenizer.from_pretrained(checkpoint, trust_remote_code=False)
    files = sorted(set(tokenizer.vocab_files_names.values()))
    if not any((checkpoint / file).is_file() for file in files):
        raise StageError(f"{checkpoint}: no tokenizer there ({', '.join(files)}); get the whole checkpoint")
    if not getattr(tokenizer, "chat_template", None):
        raise NoChatTemplateError(
            f"{checkpoint}: its tokenizer has no chat template; save one with it (chat_template.jinja)"
        )
    return tokenizer


def render_all(
    tokenizer: Any, conversations: Iterable[tuple[Message, ...]], begun: str = ""
) -> dict[tuple[Message, ...], Prompt]:
    """The prompt of each distinct conversation; the model's replies start with `begun`.

    A template that opens the model's thinking says so in `Prompt.opened`: the reply's text then begins with `<think>`,
    as it would if the model had written the tag, and nothing in its thoughts is taken for a verdict.
    """
    distinct = list(dict.fromkeys(conversations))
    if not distinct:
        return {}
    texts = [render_chat(tokenizer, messages) for messages in distinct]
    rows = tokenizer(texts, add_special_tokens=False)["input_ids"]
    tail = tokenizer(begun, add_special_tokens=False)["input_ids"] if begun else []
    return {
        messages: Prompt(messages, (*row, *tail), opened_thought(text), begun)
        for messages, text, row in zip(distinct, texts, rows, strict=True)
    }


def render_answered(tokenizer: Any, prompt: tuple[Message, ...], response: str) -> Prompt:
    """A conversation with its answer, for a model that scores it."""
    messages = (*prompt, Message(role=Role.ASSISTANT, content=response))
    return Prompt(messages, tuple(answered_token_ids(tokenizer, prompt, response)))


def template_hash(tokenizer: Any) -> str:
    """Hash of the chat template, part of an engine's identity: another template gives other replies."""
    return content_hash(str(tokenizer.chat_template))[:16]
