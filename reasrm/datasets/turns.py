"""Conversations as data sets write them, to messages.

A turn is `{role, content}` (OpenAI, TRL) or `{from, value}` (ShareGPT). Its content is a text or a list of parts
(https://platform.openai.com/docs/api-reference/chat): text parts are joined by newlines. What a judge of texts cannot
be shown (images, audio, tool calls, what a tool answered) refuses the row: without it, it is another conversation.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from reasrm.datasets.row_fields import Refusal, RowRefusedError, quoted
from reasrm.records.pair import Message, Role

ROLES = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,  # OpenAI's name for it since the o1 models
    "user": Role.USER,
    "human": Role.USER,  # ShareGPT
    "assistant": Role.ASSISTANT,
    "gpt": Role.ASSISTANT,  # ShareGPT
    "model": Role.ASSISTANT,  # Gemini
}
"""What the roles of published turns mean."""
TOOL_ROLES = {"tool", "function", "function_call", "observation", "ipython"}
TOOL_FIELDS = ("tool_calls", "function_call")
TEXT_PARTS = {"text", "input_text", "output_text"}
Turns = tuple[Message, ...]


class SharedTurns(NamedTuple):
    """Two conversations that differ in their last turn, which is the assistant's."""

    before: Turns
    chosen: str
    rejected: str


def conversation(value: Any, field: str) -> Turns:
    """The messages of a list of turns that ends with a question.

    Raises:
        RowRefusedError: not such a list, or the last turn is not the user's.
    """
    messages = turns(value, field)
    if messages[-1].role is not Role.USER:
        raise RowRefusedError(Refusal.WRONG_SHAPE, f"the last turn of `{field}` is the {messages[-1].role}'s")
    return messages


def turns(value: Any, field: str) -> Turns:
    """The messages of a list of turns; other keys of a turn (`language`) and empty system turns are left out.

    Raises:
        RowRefusedError: not a list of turns, or one of them is not all text.
    """
    if not isinstance(value, list) or not value:
        raise RowRefusedError(Refusal.WRONG_TYPE, f"`{field}` must be a list of turns, it is {quoted(value)}")
    messages = tuple(message(turn, field) for turn in value)
    said = tuple(one for one in messages if one.role is not Role.SYSTEM or one.content.strip())
    if not said:
        raise RowRefusedError(Refusal.WRONG_SHAPE, f"`{field}` has an empty system turn only")
    return said


def message(turn: Any, field: str) -> Message:
    """One turn.

    Raises:
        RowRefusedError: it is no turn, or not all text.
    """
    if not isinstance(turn, Mapping):
        raise RowRefusedError(Refusal.WRONG_TYPE, f"a turn of `{field}` has no role and text: {quoted(turn)}")
    role, content = (turn.get(key) for key in (("from", "value") if "from" in turn else ("role", "content")))
    if not isinstance(role, str) or role not in {*ROLES, *TOOL_ROLES}:
        raise RowRefusedError(Refusal.WRONG_TYPE, f"a turn of `{field}` has the role {quoted(role)}")
    if role in TOOL_ROLES or any(turn.get(name) for name in TOOL_FIELDS):
        raise RowRefusedError(Refusal.NO_TEXT, f"a turn of `{field}` is a tool's or calls one ({quoted(role)})")
    return Message(role=ROLES[role], content=_text_of(content, field))


def _text_of(content: Any, field: str) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list) or not content:
        raise RowRefusedError(Refusal.WRONG_TYPE, f"a turn of `{field}` has no text: {quoted(content)}")
    return "\n".join(_part(part, field) for part in content)


def _part(part: Any, field: str) -> str:
    if isinstance(part, str):
        return part
    kind = part.get("type", "text") if isinstance(part, Mapping) else None
    if isinstance(part, Mapping) and isinstance(kind, str) and kind in TEXT_PARTS and isinstance(part.get("text"), str):
        other = [name for name in ("image", "image_url", "audio", "video", "file") if part.get(name) is not None]
        if not other:
            return str(part["text"])
        kind = other[0]
    raise RowRefusedError(Refusal.NO_TEXT, f"a turn of `{field}` has a part that is no text ({quoted(kind)})")


def shared_turns(chosen: Turns, rejected: Turns) -> SharedTurns:
    """Two whole conversations, as what they share and the last turn of each.

    Raises:
        RowRefusedError: they differ before the last turn, or a last turn is not the assistant's.
    """
    for name, turns_of in (("chosen", chosen), ("rejected", rejected)):
        if turns_of[-1].role is not Role.ASSISTANT:
            raise RowRefusedError(Refusal.WRONG_SHAPE, f"the last turn of `{name}` is the {turns_of[-1].role}'s")
    if chosen[:-1] != rejected[:-1]:
        at = next((n for n, (one, other) in enumerate(zip(chosen, rejected, strict=False)) if one != other), 0)
        raise RowRefusedError(
            Refusal.WRONG_SHAPE, f"`chosen` and `rejected` differ before their last turn (from turn {at + 1} on)"
        )
    return SharedTurns(chosen[:-1], chosen[-1].content, rejected[-1].content)


def with_system(said: Any, messages: Turns) -> Turns:
    """A conversation after the text of a row's own `system` field.

    Raises:
        RowRefusedError: the field is no text, or the conversation has another system turn.
    """
    if said is None or (isinstance(said, str) and not said.strip()):
        return messages
    if not isinstance(said, str):
        raise RowRefusedError(Refusal.WRONG_TYPE, f"`system` must be a string, it is {quoted(said)}")
    system = Message(role=Role.SYSTEM, content=said)
    own = [one for one in messages if one.role is Role.SYSTEM]
    if own and own != [system]:
        raise RowRefusedError(Refusal.CONTRADICTORY, "`system` is not the system turn of the conversation")
    return messages if own else (system, *messages)


def same_question(asked: str, before: Sequence[Message]) -> bool:
    """Whether a prompt given as text is the first or the last question of the turns that it is given beside."""
    questions = [one.content.strip() for one in before if one.role is Role.USER]
    return bool(questions) and asked.strip() in (questions[0], questions[-1])
