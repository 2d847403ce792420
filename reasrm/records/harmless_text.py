"""Text of others as it may be shown: what an eye would miss or a terminal would obey is spelled out.

Escaping markup makes it harmless on a page. It does not help against characters that are invisible or that turn the
direction of what follows (Unicode technical report 36), and a terminal obeys control characters besides: it moves its
cursor, changes its title, fills the clipboard (ECMA-48). The rule for pages, terminals and printed JSON is this one:
such a character is shown as its code point, so a reader sees what is there.
"""

import json
import math
import re
import unicodedata
from typing import Any

_SUSPECT = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, but not tab and newline
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # soft hyphen, joiners and fillers
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, line separators, bidirectional marks and isolates
    "\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb"  # fillers, variation selectors, byte order mark, interlinear notes
    "\ud800-\udfff"  # lone surrogates, which no encoder takes
    "\U0001d173-\U0001d17a"  # invisible marks of music
    "\U000e0000-\U000e0fff"  # tags and more variation selectors
)
_SUSPECTS = re.compile(
    f"[{_SUSPECT}]|(?<=[\ufe00-\ufe0f])[\ufe0e\ufe0f]"  # one of these follows an emoji; a row of them hides a message
)
_SUSPECTS_OF_JSON = re.compile(f"[{_SUSPECT}]")
_NOT_ASCII = re.compile("[^\x00-\x7f]")


def harmless(text: str) -> str:
    """`text` with each invisible, direction-turning or control character replaced by its code point in brackets."""
    return _SUSPECTS.sub(_code_point, text.replace("\r\n", "\n"))


def one_line(text: str, limit: int) -> str:
    """`text` on one line of at most `limit` characters, its end cut."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def json_text(value: Any, *, indent: int | None = None, sort_keys: bool = False) -> str:
    """`value` as JSON that every reader takes (RFC 8259) and every terminal may be shown.

    NaN and the infinities, which JSON lacks, become null; a character that `harmless` would spell out is escaped, half
    of a surrogate pair among them.

    Args:
        value: dicts, lists, texts, numbers, booleans and None.
        indent: spaces per level; None for one line.
        sort_keys: the same text for the same value, whatever the order of its keys.
    """
    text = json.dumps(_finite(value), indent=indent, sort_keys=sort_keys, ensure_ascii=False, allow_nan=False)
    return _SUSPECTS_OF_JSON.sub(_json_escape, text)


def ascii_json(text: str) -> str:
    """The same JSON with every character beyond ASCII escaped, for outputs that take no more."""
    return _NOT_ASCII.sub(_json_escape, text)


def _finite(value: Any) -> Any:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {key: _finite(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_finite(inner) for inner in value]
        case _:
            return value


def _json_escape(match: re.Match[str]) -> str:
    return "".join(
        f"\\u{unit:04x}" for unit in memoryview(match.group().encode("utf-16-le", "surrogatepass")).cast("H")
    )


def _code_point(match: re.Match[str]) -> str:
    character = match.group()
    name = unicodedata.name(character, "")
    return f"⟦U+{ord(character):04X}{' ' + name if name else ''}⟧"
