"""Text and figures as they may stand on the page: what the eye would miss is spelled out, long text is cut.

Escaping makes markup harmless. It does not help against characters that are invisible or that turn the direction of
what follows (Unicode technical report 36): those are shown as their code point, so a reader sees what is there.
"""

import re
import unicodedata

_SUSPECTS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, but not tab and newline
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e"  # soft hyphen, joiners and fillers
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, line separators, bidirectional marks and isolates
    "\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff9-\ufffb"  # fillers, variation selectors, byte order mark, interlinear notes
    "\ud800-\udfff"  # lone surrogates, which no encoder takes
    "\U000e0000-\U000e0fff]"  # tags and more variation selectors
    "|(?<=[\ufe00-\ufe0f])[\ufe0e\ufe0f]"  # one of these follows an emoji; a row of them hides a message
)


def visible(text: str) -> str:
    """`text` with each invisible or direction-turning character replaced by its code point in double brackets."""
    return _SUSPECTS.sub(_code_point, text.replace("\r\n", "\n"))


def _code_point(match: re.Match[str]) -> str:
    character = match.group()
    name = unicodedata.name(character, "")
    return f"⟦U+{ord(character):04X}{' ' + name if name else ''}⟧"


def shortened(text: str, limit: int) -> str:
    """`text`, cut in its middle to at most about `limit` characters, saying how many were left out."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half:,} characters left out …]\n{text[-half:]}"


def one_line(text: str, limit: int) -> str:
    """`text` on one line of at most `limit` characters, its end cut."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def percent(share: float) -> str:
    """A share of 1 in percent, with one digit."""
    return f"{100 * share:.1f}"


def points(difference: float) -> str:
    """A difference of shares in points of a hundred, always with its sign."""
    return f"{round(100 * difference, 1) + 0.0:+.1f}"


def p_value(p: float) -> str:
    """A probability of a test, with three digits."""
    return "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0")
