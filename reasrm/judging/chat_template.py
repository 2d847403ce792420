"""From messages to the text and token ids that a model is given, by the chat template of its own tokenizer.

Training and inference must give identical ids, so both come here. Contents cannot smuggle in a special token: text that
spells one is broken up before it is rendered. The template writes its own special tokens, hence none is added on
tokenising (a doubled beginning-of-sequence token is the usual fault).

A chat template belongs to a checkpoint (`chat_template.jinja` beside its tokenizer; the miniature's is in
`miniature/tiny_model.py`), so a model with a new one needs no code here. What may need a line for it:

- `judging/untrusted_text.py`: its turn marks, if the patterns there lack them, so that no answer can open a turn;
- `judging/thought_marks.py`: a line in its table, if it marks thoughts in a way that is not there. A template that
  opens the thought itself is known by that: its prompts end with the start of one (`opened_thought`);
- `judging/chain_of_rubrics.py` and `judging/prompt.py` hold the texts of the protocol, which no template changes.
"""

from collections.abc import Iterable
from typing import Any

from reasrm.judging.thought_marks import opened_start
from reasrm.records.pair import Message, Role

WORD_JOINER = "\u2060"
"""An invisible character that is put behind the first one of a text that spells a special token."""


def neutral_messages(tokenizer: Any, messages: Iterable[Message]) -> list[dict[str, str]]:
    """The messages as chat templates take them, with every special token that a content spells broken up."""
    return [{"role": m.role.value, "content": _break_up(m.content, tokenizer.all_special_tokens)} for m in messages]


def render_chat(tokenizer: Any, messages: Iterable[Message]) -> str:
    """The prompt text of `messages` in the model's own template, ready for the model's reply."""
    chat = neutral_messages(tokenizer, messages)
    return str(tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True))


def opened_thought(prompt_text: str) -> str:
    """The start of a thought (`<think>`) with which the template ended the prompt, so that the model goes on inside it.

    Empty if it ended it with none. Whoever reads such a reply puts it in front: no verdict that the thought rehearses
    may count.
    """
    return opened_start(prompt_text)


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
