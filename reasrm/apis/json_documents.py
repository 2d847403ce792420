r"""JSON as servers send it: read as it was meant where that is clear, or refused with its beginning.

Read are also: a byte order mark, UTF-16 and UTF-32, line ends within texts, NaN and Infinity (as null), numbers of any
size (as null where no float holds them), of equal keys the last. Damaged characters (bytes that are not UTF-8, half of
a surrogate pair, as `\ud83d`) become U+FFFD, and the document says how many there were. Nesting too deep to be read is
refused. Files that users give are read more strictly (`records.json_parsing`): they can be mended, a paid reply cannot.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Any

import orjson

BEGINNING = 80
"""Characters of what is no JSON that are shown: enough to distinguish a page of HTML from a stream."""
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.", re.DOTALL
)
"""A surrogate pair, half of one (the group), or any other escape."""


class UnreadableBodyError(ValueError):
    """A body is no JSON, or nested too deeply; the message shows how it begins."""


@dataclass(frozen=True, slots=True)
class Document:
    """The value of a JSON document."""

    value: Any
    damage: str = ""
    """How many damaged characters were replaced; empty if none was."""


def parsed(content: bytes, shortened: Callable[[str], str]) -> Document:
    """Read the body of a response, or a line of one.

    Args:
        content: its bytes.
        shortened: takes secrets out of a message; it sees the body before the beginning is cut from it.

    Raises:
        UnreadableBodyError: it cannot be read.
    """
    try:
        return Document(orjson.loads(content))
    except orjson.JSONDecodeError as error:
        try:
            return _lenient(content)
        except (ValueError, TypeError, RecursionError):
            begins = shortened(content[: 1 << 14].decode("utf-8", "replace"))[:BEGINNING]
            raise UnreadableBodyError(f"{error}; it begins with {begins!r}") from None


def _lenient(content: bytes) -> Document:
    """Read what orjson does not.

    Raises:
        ValueError: it is no JSON; RecursionError if it is nested too deeply.
    """
    text = content.decode(json.detect_encoding(content), "replace")
    damaged = text.count(REPLACEMENT) - content.count(REPLACEMENT.encode())

    def mended(escape: re.Match[str]) -> str:
        nonlocal damaged
        damaged += bool(escape.group(1))
        return REPLACEMENT if escape.group(1) else escape.group()

    whole = _ESCAPE.sub(mended, text)
    value = json.loads(
        whole, parse_constant=lambda _: None, parse_float=_number(float), parse_int=_number(int), strict=False
    )
    return Document(value, f"{damaged} damaged characters replaced" if damaged > 0 else "")


def _number(kind: type[int] | type[float]) -> Callable[[str], int | float | None]:
    def read(digits: str) -> int | float | None:
        try:
            number = kind(digits)
            return number if isfinite(number) else None
        except (ValueError, OverflowError):
            return None

    return read
