"""From messages to the prompts of a checkpoint: its own tokenizer and chat template, the same as in training."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from reasrm.inference.checkpoint_loading import load_config, reading
from reasrm.inference.engine import Prompt
from reasrm.judging.chat_templates.chat_template import answered_by, opened_thought, renderings
from reasrm.judging.chat_templates.checked_template import ChatTemplateError, checked_template
from reasrm.records.content_hash import content_hash
from reasrm.records.pair import Message
from reasrm.runtime.stage_main import StageError

VOCABULARY_FILES = (
    "tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "sentencepiece.bpe.model",
    "tekken.json", "tiktoken.model", "qwen.tiktoken",
)  # fmt: skip
"""The files that the tokenizers of transformers are made from, of each at least one."""


class NoChatTemplateError(StageError):
    """The checkpoint's tokenizer has no chat template, so it is not defined how a prompt is rendered for it."""


AnsweredConversation = tuple[tuple[Message, ...], str]
"""A conversation and an answer to it."""


def load_tokenizer(checkpoint: Path) -> Any:
    """The tokenizer saved with `checkpoint`, with one chat template, the default one where it has several.

    Raises:
        NoChatTemplateError: it has no chat template.
        StageError: there is no such folder, or no tokenizer in it (the library would make an empty one up), or another
            model's, or the checkpoint cannot be run.
    """
    from transformers import AutoTokenizer

    config = load_config(checkpoint)
    _require_one_of(checkpoint, VOCABULARY_FILES)
    with reading(checkpoint, "tokenizer"):
        tokenizer = AutoTokenizer.from_pretrained(checkpoint, trust_remote_code=False)
    _require_one_of(checkpoint, sorted(set(tokenizer.vocab_files_names.values())))
    _refuse_tokens_without_weights(checkpoint, config, tokenizer)
    tokenizer.chat_template = _default_template(checkpoint, getattr(tokenizer, "chat_template", None))
    return tokenizer


def _require_one_of(checkpoint: Path, files: Sequence[str]) -> None:
    if not any((checkpoint / file).is_file() for file in files):
        raise StageError(f"{checkpoint}: no tokenizer there ({', '.join(files)}); get the whole checkpoint")


def _default_template(checkpoint: Path, stored: Any) -> str:
    """The template of a conversation without tools: the only one, the one named `default`, or the processor's."""
    if isinstance(stored, dict) and "default" not in stored:
        raise NoChatTemplateError(
            f"{checkpoint}: its tokenizer has the chat templates {', '.join(sorted(stored))} and none is named "
            "default; save one with it (chat_template.jinja)"
        )
    template = stored["default"] if isinstance(stored, dict) else stored
    legacy = checkpoint / "chat_template.json"
    if not template and legacy.is_file():
        with reading(checkpoint, "chat_template.json"):
            template = json.loads(legacy.read_bytes())["chat_template"]
    if not isinstance(template, str) or not template.strip():
        raise NoChatTemplateError(
            f"{checkpoint}: its tokenizer has no chat template; save one with it (chat_template.jinja)"
        )
    return template


def _refuse_tokens_without_weights(checkpoint: Path, config: Any, tokenizer: Any) -> None:
    """Refuse a tokenizer whose texts may give ids that the model has no embedding for.

    A special token beyond the embedding does no harm if nothing writes it: Gemma 3's smallest has one for images.
    """
    entries = getattr(config.get_text_config(), "vocab_size", None)
    added = tokenizer.added_tokens_decoder
    highest = max([len(tokenizer) - 1, *added])
    if not isinstance(entries, int) or highest < entries:
        return
    used = {tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.bos_token_id}
    template = str(tokenizer.chat_template)
    idle = {id_ for id_, token in added.items() if token.special and id_ not in used and token.content not in template}
    without = sorted({id_ for id_ in tokenizer.get_vocab().values() if id_ >= entries} - idle)
    if without:
        token = tokenizer.convert_ids_to_tokens(without[-1])
        raise StageError(
            f"{checkpoint}: its tokenizer gives ids up to {without[-1]} ({token!a}) and its model has "
            f"{entries} entries (vocab_size in config.json): take the tokenizer that belongs to the weights, or resize "
            "the model's embedding and train it"
        )


def render_all(
    tokenizer: Any, conversations: Iterable[tuple[Message, ...]], begun: str = ""
) -> dict[tuple[Message, ...], Prompt]:
    """The prompt of each distinct conversation; the model's replies start with `begun`.

    A template that opens the model's thinking says so in `Prompt.opened`: the reply's text then begins with `<think>`,
    as it would if the model had written the tag, and nothing in its thoughts is taken for a verdict. What the template
    does not render as it is has its reason in `Prompt.unrenderable`, and no ids.
    """
    distinct = list(dict.fromkeys(conversations))
    if not distinct:
        return {}
    tail = tokenizer(begun, add_special_tokens=False)["input_ids"] if begun else []
    return {
        messages: Prompt(messages, begun=begun, unrenderable=str(chat))
        if isinstance(chat, ChatTemplateError)
        else Prompt(messages, (*chat.token_ids, *tail), opened_thought(chat.text), begun)
        for messages, chat in zip(distinct, renderings(tokenizer, distinct), strict=True)
    }


def render_answered(tokenizer: Any, answers: Sequence[AnsweredConversation]) -> dict[AnsweredConversation, Prompt]:
    """Each conversation with its answer, for a model that scores it."""
    conversations = [answered_by(*answer) for answer in answers]
    chats = renderings(tokenizer, conversations, answered=True)
    return {
        answer: Prompt(messages, unrenderable=str(chat))
        if isinstance(chat, ChatTemplateError)
        else Prompt(messages, tuple(chat.token_ids))
        for answer, messages, chat in zip(answers, conversations, chats, strict=True)
    }


def template_identity(tokenizer: Any) -> dict[str, Any]:
    """What replies depend on in the chat template, part of an engine's identity: its hash, and what it refuses."""
    identity: dict[str, Any] = {"template": content_hash(str(tokenizer.chat_template))[:16]}
    folded = checked_template(tokenizer).folded
    return identity | ({"template_refuses": list(folded)} if folded else {})
