"""A text without its invisible characters, and where each of its characters stood.

Zero-width spaces, joiners, byte order marks and the like come in replies for no reason that anyone sees; a verdict with
one in it is the verdict that a reader sees.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

INVISIBLE = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Unicode's Default_Ignorable_Code_Point, as the inside of a character class."""
_ONE = re.compile(f"[{INVISIBLE}]")
_RUN = re.compile(f"[^{INVISIBLE}]+")


@dataclass(frozen=True, slots=True)
class VisibleText:
    """What is seen of a text."""

    text: str
    places: Sequence[int]
    """Where each of its characters stands in the original."""

    def start(self, place: int) -> int:
        """Where the character at `place` stands in the original."""
        return self.places[place]

    def end(self, place: int) -> int:
        """Where what ends before `place` ends in the original."""
        return self.places[place - 1] + 1 if place else 0


@lru_cache(maxsize=4)
def visible(text: str) -> VisibleText:
    """`text` without invisible characters; kept, since one reply is looked at several times."""
    if text.isascii() or not _ONE.search(text):
        return VisibleText(text, range(len(text)))
    runs = [found.span() for found in _RUN.finditer(text)]
    return VisibleText("".join(text[since:until] for since, until in runs), [at for run in runs for at in range(*run)])
