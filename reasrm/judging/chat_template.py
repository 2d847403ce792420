"""Messages to the text and tokens that a model is given: one way for training and for inference.

Both must give identical ids, so both come here. Contents cannot smuggle in a special token: text that spells one is
broken up before it is rendered. The template writes its own special tokens, hence none is added on tokenising (a
doubled beginning-of-sequence token is the classic fault).
"""

from collections.abc import Iterable
from typing import Any

from reasrm.records.pair import Message, Role

WORD_JOINER = "\u2060"
"""Invisible; put behind the first character of a text that spells a special token."""


def neutral_messages(tokenizer: Any, messages: Iterable[Message]) -> list[dict[str, str]]:
    """The messages as chat templates take them, with every special token that a content spells broken up."""
    return [{"role": m.role.value, "content": _break_up(m.content, tokenizer.all_special_tokens)} for m in messages]


def render_chat(tokenizer: Any, messages: Iterable[Message]) -> str:
    """The prompt text of `messages` in the model's own template, ready for the model's reply."""
    chat = neutral_messages(tokenizer, messages)
    return str(tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True))


def prompt_token_ids(tokenizer: Any, messages: Iterable[Message]) -> list[int]:
    """The token ids of `render_chat`."""
    return list(tokenizer(render_chat(tokenizer, messages), add_special_tokens=False)["input_ids"])


def answered_token_ids(tokenizer: Any, prompt: Iterable[Message], response: str) -> list[int]:
    """The token ids of a conversation with its answer, as a scalar reward model reads them."""
    chat = neutral_messages(tokenizer, [*prompt, Message(role=Role.ASSISTANT, content=response)])
    text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=False)
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def _break_up(text: str, special_tokens: Iterable[str]) -> str:
    for token in special_tokens:
        if token in text:
            text = text.replace(token, token[0] + WORD_JOINER + token[1:])
    return text
