"""JSON that others wrote, to values, by one rule for all readers.

What is JSON in the wild is taken: a byte order mark, `NaN` and `Infinity` (Python and pandas write them), whole numbers
of any length, exactly. What would be a guess, or could not be written again, is refused with its reason: a key that
occurs twice, half of a character (a lone surrogate), bytes that are no UTF-8, and values nested deeper than `DEEPEST`,
which readers further down cannot walk.
"""

import json
import re
from collections import Counter
from typing import Any

DEEPEST = 100
"""Levels of lists and objects. Real rows have up to ten."""
_HALF = re.compile("[\ud800-\udfff]")


class NotJsonError(ValueError):
    """A text is no JSON that can be used; says why."""


def parse_json(text: bytes | str) -> Any:
    """The one value in `text`.

    Raises:
        NotJsonError: it is not valid JSON, or nothing that can be used.
    """
    written = decoded(text) if isinstance(text, bytes) else text
    try:
        value = DECODER.decode(written.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise NotJsonError(why_not(error)) from error
    require_usable(value, written)
    return value


def decoded(data: bytes) -> str:
    """UTF-8 as text; bytes that are none become lone surrogates, which only the row that holds them is refused for."""
    return data.decode("utf-8", "surrogateescape")


def require_usable(value: Any, written: str) -> None:
    """Do nothing for a value that can be walked and written again.

    Args:
        value: what was parsed.
        written: the text that it was parsed from.

    Raises:
        NotJsonError: it is nested too deeply, or a text in it is not valid Unicode.
    """
    if written.count("[") + written.count("{") > DEEPEST and _deeper(value):
        raise NotJsonError(f"nested deeper than {DEEPEST} levels")
    if not written.isascii() and (half := _HALF.search(written)):
        raise NotJsonError(f"not valid UTF-8 (byte {ord(half.group()) - 0xDC00:#x} at character {half.start()})")
    if "\\u" in written and (place := not_unicode(value)) is not None:
        raise NotJsonError(f"{place} holds half of a character (a lone surrogate)")


def not_unicode(value: Any, place: str = "") -> str | None:
    """Where in a value, which is not nested too deeply, the first text stands that cannot be written as UTF-8."""
    if isinstance(value, str):
        return (f"`{place}`" if place else "the text") if _HALF.search(value) else None
    if isinstance(value, dict):
        if any(_HALF.search(key) for key in value):
            return f"a key of `{place}`" if place else "a key"
        names = {key: key[:60] if key.isidentifier() else repr(key[:60]) for key in value}
        inside = ((entry, f"{place}.{names[key]}" if place else names[key]) for key, entry in value.items())
    elif isinstance(value, list):
        inside = ((entry, f"{place}[{at}]") for at, entry in enumerate(value))
    else:
        return None
    return next((found for entry, name in inside if (found := not_unicode(entry, name)) is not None), None)


def why_not(error: ValueError | RecursionError) -> str:
    """What an error of the decoder says about the text, in one line."""
    if isinstance(error, RecursionError):
        return f"nested deeper than {DEEPEST} levels"
    if isinstance(error, NotJsonError):
        return str(error)
    if isinstance(error, json.JSONDecodeError):
        return f"not valid JSON ({error})"
    return "not valid JSON (a number has too many digits)"


def _deeper(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST + 1):
        containers = [entry for entry in level if isinstance(entry, dict | list)]
        if not containers:
            return False
        level = [child for one in containers for child in (one.values() if isinstance(one, dict) else one)]
    return True


def object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these keys and values, as a decoder's `object_pairs_hook` makes it.

    Raises:
        NotJsonError: a key occurs twice.
    """
    found = dict(pairs)
    if len(found) != len(pairs):
        count = Counter(key for key, _ in pairs)
        twice = next(key for key, _ in pairs if count[key] > 1)
        raise NotJsonError(f"the key {twice[:60]!r} occurs twice")
    return found


DECODER = json.JSONDecoder(object_pairs_hook=object_without_repeats)
"""The standard decoder, which keeps numbers exact, without keys that occur twice."""
