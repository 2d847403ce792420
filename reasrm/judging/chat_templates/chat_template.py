"""From messages to the text and token ids that a model is given, by the chat template of its own tokenizer.

Training and inference must give identical ids, so both come here. The template writes its own special tokens, hence
none is added on tokenising (a doubled beginning-of-sequence token is the usual fault), and no content can smuggle in
another one: every prompt is checked as it is rendered (`checked_template`).

A chat template belongs to a checkpoint (`chat_template.jinja` beside its tokenizer; the miniature's is in
`miniature/tiny_model.py`), so a model with a new one needs no code here. What may need a line for it:

- `judging/chat_marks.py`: its turn marks, if the patterns there lack them, so that no answer can open a turn;
- `judging/thought_marks.py`: a line in its table, if it marks thoughts in a way that is not there. A template that
  opens the thought itself is known by that: its prompts end with the start of one (`opened_thought`);
- `judging/chain_of_rubrics.py` and `judging/prompt.py` hold the texts of the protocol, which no template changes.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from reasrm.judging.chat_templates.checked_template import ChatTemplateError, RenderedChat, Rendering, checked_template
from reasrm.judging.thought_marks import opened_start
from reasrm.records.pair import Message, Role


def renderings(
    tokenizer: Any, conversations: Sequence[Sequence[Message]], *, answered: bool = False
) -> list[Rendering]:
    """Conversations in the model's own template, each ready for the model's reply, or `answered` by its last turn.

    In the place of one that the template does not render as it is stands why (`checked_template`).

    Raises:
        ChatTemplateError: there is no template, or it does not end.
    """
    return checked_template(tokenizer).render(conversations, answered)


def rendered_chats(tokenizer: Any, conversations: Sequence[Sequence[Message]]) -> list[RenderedChat]:
    """Conversations in the model's own template, ready for the model's replies.

    Raises:
        ChatTemplateError: the template does not render one as it is.
    """
    return [_rendered(one) for one in renderings(tokenizer, conversations)]


def neutral_contents(tokenizer: Any, messages: Iterable[Message]) -> list[str]:
    """The contents of `messages` with everything in them that spells a chat token broken up."""
    return checked_template(tokenizer).neutral_contents(messages)


def render_chat(tokenizer: Any, messages: Iterable[Message]) -> str:
    """The prompt text of `messages` in the model's own template, ready for the model's reply."""
    return rendered_chats(tokenizer, [tuple(messages)])[0].text


def opened_thought(prompt_text: str) -> str:
    """The start of a thought (`<think>`) with which the template ended the prompt, so that the model goes on inside it.

    Empty if it ended it with none. Whoever reads such a reply puts it in front: no verdict that the thought rehearses
    may count.
    """
    return opened_start(prompt_text)


def prompt_token_ids(tokenizer: Any, messages: Iterable[Message]) -> list[int]:
    """The token ids of `render_chat`."""
    return rendered_chats(tokenizer, [tuple(messages)])[0].token_ids


def answered_by(prompt: Iterable[Message], response: str) -> tuple[Message, ...]:
    """The conversation `prompt` with its answer as the last turn."""
    return (*prompt, Message(role=Role.ASSISTANT, content=response))


def answered_token_ids(tokenizer: Any, prompt: Iterable[Message], response: str) -> list[int]:
    """The token ids of a conversation with its answer, as a scalar reward model reads them."""
    return _rendered(*renderings(tokenizer, [answered_by(prompt, response)], answered=True)).token_ids


def _rendered(one: Rendering) -> RenderedChat:
    if isinstance(one, ChatTemplateError):
        raise one
    return one
