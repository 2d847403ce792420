"""Reading fields of rows that others wrote: each fault says which field, which value, what was expected."""

from typing import Any

from reasrm.datasets.refused_rows import Refusal, Row, RowRefusedError
from reasrm.records.content_hash import content_hash
from reasrm.records.pair import Message, PreferencePair, Role


def text(row: Row, field: str) -> str:
    """The string in `field`.

    Raises:
        RowRefusedError: the field is missing or no string.
    """
    value = present(row, field)
    if not isinstance(value, str):
        raise RowRefusedError(Refusal.WRONG_TYPE, f"`{field}` must be a string, it is {shown(value)}")
    return value


def key(row: Row, field: str) -> str | int:
    """The string or whole number in `field`.

    Raises:
        RowRefusedError: the field is missing or something else.
    """
    value = present(row, field)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise RowRefusedError(Refusal.WRONG_TYPE, f"`{field}` must be a string or whole number, it is {shown(value)}")
    return value


def place(row: Row, field: str, count: int | None = None) -> int:
    """The whole number from 0 in `field`, below `count` if given.

    Raises:
        RowRefusedError: the field is missing or something else.
    """
    value = present(row, field)
    if type(value) is int and value >= 0 and (count is None or value < count):
        return int(value)
    wanted = "a whole number from 0" if count is None else ", ".join(map(str, range(count)))
    raise RowRefusedError(Refusal.WRONG_TYPE, f"`{field}` must be {wanted}, it is {shown(value)}")


def texts(row: Row, field: str, count: int) -> list[str]:
    """The `count` strings in `field`.

    Raises:
        RowRefusedError: the field is missing, no list, of another length, or holds something else.
    """
    value = present(row, field)
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise RowRefusedError(Refusal.WRONG_TYPE, f"`{field}` must be a list of strings, it is {shown(value)}")
    if len(value) != count:
        raise RowRefusedError(Refusal.WRONG_SHAPE, f"`{field}` must hold {count} texts, it holds {len(value)}")
    return list(value)


def present(row: Row, field: str) -> Any:
    """The value of `field`.

    Raises:
        RowRefusedError: there is none.
    """
    if field not in row:
        raise RowRefusedError(Refusal.MISSING_FIELD, f"no field `{field}`; there are {sorted(row)}")
    return row[field]


def shown(value: Any) -> str:
    """A value as an error shows it, cut to a readable length."""
    return f"{str(value)[:80]!r}"


def conversation(turns: Any, field: str) -> tuple[Message, ...]:
    """Messages out of a list of `{role, content}`; other keys of a turn (`language`) are left out.

    Raises:
        RowRefusedError: not such a list, or the last turn is not the user's.
    """
    if not isinstance(turns, list) or not turns:
        raise RowRefusedError(Refusal.WRONG_TYPE, f"`{field}` must be a list of turns, it is {shown(turns)}")
    messages = tuple(_message(turn, field) for turn in turns)
    if messages[-1].role is not Role.USER:
        raise RowRefusedError(Refusal.WRONG_SHAPE, f"the last turn of `{field}` is the {messages[-1].role}'s")
    return messages


def _message(turn: Any, field: str) -> Message:
    if not isinstance(turn, dict) or not isinstance(turn.get("content"), str):
        raise RowRefusedError(Refusal.WRONG_TYPE, f"a turn of `{field}` has no text: {shown(turn)}")
    if turn.get("role") not in tuple(Role):
        raise RowRefusedError(Refusal.WRONG_TYPE, f"a turn of `{field}` has the role {shown(turn.get('role'))}")
    return Message(role=Role(turn["role"]), content=turn["content"])


def prompt_group(prompt: tuple[Message, ...]) -> str:
    """The cluster of all items with this conversation, whatever benchmark they belong to."""
    return content_hash([(message.role.value, message.content) for message in prompt])[:16]


def pair_of(
    prompt: tuple[Message, ...], chosen: str, rejected: str, source: str, labels: dict[str, str]
) -> PreferencePair:
    """A pair as this room makes them."""
    return PreferencePair(prompt=prompt, chosen=chosen, rejected=rejected, source=source, labels=labels)


def with_family(keys: dict[str, str | int], row: Row) -> dict[str, str | int]:
    """`keys` and the row's `family`, a column that our own miniature adds to the official schemas."""
    return {**keys, "family": row["family"]} if isinstance(row.get("family"), str) else keys
