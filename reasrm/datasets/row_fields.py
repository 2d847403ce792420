"""Rows that others wrote: reading their fields; each fault says which field, which value, what was expected."""

import math
import re
import reprlib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from reasrm.records.content_hash import content_hash
from reasrm.records.pair import Message, Role

_SPACE = re.compile(r"\s+")

Row = Mapping[str, Any]
"""One parsed JSON object."""


class Refusal(StrEnum):
    """Why a row cannot be used."""

    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_SUBSET = "unknown_subset"
    DUPLICATE_ID = "duplicate_id"
    WRONG_SHAPE = "wrong_shape"
    """Not the number of answers, styles or turns that the benchmark has."""
    NEEDS_RATINGS = "needs_ratings"
    """The official rule asks for ratings of single answers, which a judge of pairs does not give."""
    USED_FOR_TRAINING = "used_for_training"
    OVER_LIMIT = "over_limit"
    NOT_IN_LAYOUT = "not_in_layout"
    """A file beside the benchmark's own that nothing reads."""
    FILE_NOT_READ = "file_not_read"
    """A file in the right place that nothing can be read of: hidden, empty, a link to nowhere, of another kind."""
    UNREADABLE = "unreadable"
    """What is written there is not what the file's ending says: no JSON, broken table, cut off."""
    UNKNOWN_FORMAT = "unknown_format"
    CONTRADICTORY = "contradictory"
    """The row says two things at once: two formats, two prompts, a label against its scores."""
    NO_TEXT = "no_text"
    """Images, audio, tool calls: what a judge of texts cannot be shown."""
    TIE = "tie"
    """The source prefers neither answer."""
    IDENTICAL = "identical_answers"


NOT_ROWS = frozenset({Refusal.NOT_IN_LAYOUT, Refusal.FILE_NOT_READ})
"""What is refused for these is a file, not a row."""


class RowRefusedError(ValueError):
    """A row cannot be used; says why and what was found."""

    def __init__(self, reason: Refusal, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail


def text(row: Row, field: str) -> str:
    """The string in `field`.

    Raises:
        RowRefusedError: the field is missing or no string.
    """
    value = required(row, field)
    if not isinstance(value, str):
        raise RowRefusedError(Refusal.WRONG_TYPE, f"`{field}` must be a string, it is {quoted(value)}")
    return value


def author_labels(chosen: object, rejected: object) -> dict[str, str]:
    """The labels of a pair that name the models which wrote its answers, as far as a row says so."""
    named = {"chosen_model": chosen, "rejected_model": rejected}
    return {label: author for label, author in named.items() if isinstance(author, str) and author}


def identifier(row: Row, field: str) -> str | int:
    """The string or whole number in `field`; a number of more than 64 bits as its digits, since JSON readers round it.

    Raises:
        RowRefusedError: the field is missing or something else.
    """
    value = required(row, field)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise RowRefusedError(Refusal.WRONG_TYPE, f"`{field}` must be a string or whole number, it is {quoted(value)}")
    return value if isinstance(value, str) or -(2**63) <= value < 2**64 else str(value)


def whole_number(row: Row, field: str, count: int | None = None) -> int:
    """The whole number from 0 in `field`, below `count` if given.

    Raises:
        RowRefusedError: the field is missing or something else.
    """
    value = required(row, field)
    if type(value) is int and value >= 0 and (count is None or value < count):
        return int(value)
    wanted = "a whole number from 0" if count is None else ", ".join(map(str, range(count)))
    raise RowRefusedError(Refusal.WRONG_TYPE, f"`{field}` must be {wanted}, it is {quoted(value)}")


def text_list(row: Row, field: str, count: int) -> list[str]:
    """The `count` strings in `field`.

    Raises:
        RowRefusedError: the field is missing, no list, of another length, or holds something else.
    """
    value = required(row, field)
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise RowRefusedError(Refusal.WRONG_TYPE, f"`{field}` must be a list of strings, it is {quoted(value)}")
    if len(value) != count:
        raise RowRefusedError(Refusal.WRONG_SHAPE, f"`{field}` must hold {count} texts, it holds {len(value)}")
    return list(value)


def required(row: Row, field: str) -> Any:
    """The value of `field`.

    Raises:
        RowRefusedError: there is none.
    """
    if field not in row:
        raise RowRefusedError(Refusal.MISSING_FIELD, f"no field `{field}`; there are {names(row)}")
    return row[field]


def number(row: Row, field: str) -> float:
    """The finite number in `field`, which may be written as text (tables of text have nothing else).

    Raises:
        RowRefusedError: the field is missing or something else.
    """
    value = required(row, field)
    found = finite(value)
    if found is None:
        raise RowRefusedError(Refusal.WRONG_TYPE, f"`{field}` must be a number, it is {quoted(value)}")
    return found


def finite(value: Any) -> float | None:
    """A finite number, also one written as text; None for anything else."""
    try:
        found = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def names(fields: Iterable[str]) -> str:
    """Names of fields as an error lists them, the first of many."""
    found = sorted(fields)
    return ", ".join(repr(name[:40]) for name in found[:12]) + (f" and {len(found) - 12} more" if found[12:] else "")


def quoted(value: Any) -> str:
    """A value as an error shows it, cut to a readable length; of big ones only that much is looked at."""
    return f"{(value if isinstance(value, str) else reprlib.repr(value))[:80]!r}"


def prompt_group(prompt: tuple[Message, ...]) -> str:
    """The cluster of all items with this conversation, whatever benchmark they belong to."""
    return content_hash([(message.role.value, message.content) for message in prompt])[:16]


def user_turn(question: str) -> tuple[Message, ...]:
    """A conversation of one question."""
    return (Message(role=Role.USER, content=question),)


def normalised(text: str) -> str:
    """Text for comparison: lower case, white space as single blanks."""
    return _SPACE.sub(" ", text).strip().lower()
