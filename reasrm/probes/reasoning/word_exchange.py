"""Words of a text exchanged by rings: each word of a ring becomes the next one, the last one the first."""

import re
from collections.abc import Callable, Sequence
from functools import partial

Ring = tuple[str, ...]
"""Words or phrases in lower case, at least two."""


def exchanged(text: str, shown: str, rings: Sequence[Ring], *, last_only: bool) -> str | None:
    """`text` with the words of the first of `rings` that occurs in it exchanged; None where none does.

    One ring alone: of two, the second could take back what the first says.

    Args:
        text: what is changed.
        shown: `text` with everything blanked that must stay, of the same length.
        rings: tried in this order; whole words count, in any letter case, and a capital stays one.
        last_only: change the last occurrence alone.
    """
    for ring in rings:
        following = dict(zip(ring, (*ring[1:], ring[0]), strict=True))
        words = "|".join(map(re.escape, sorted(ring, key=len, reverse=True)))
        found = list(re.finditer(rf"(?<![\w-])(?:{words})(?![\w-])", shown, re.IGNORECASE))
        if found:
            return replaced(text, found[-1:] if last_only else found, partial(_cased, following))
    return None


def replaced(text: str, found: Sequence[re.Match[str]], by: Callable[[str], str]) -> str:
    """`text` with the passages `found`, in order, replaced."""
    parts, end = [], 0
    for one in found:
        parts += [text[end : one.start()], by(text[slice(*one.span())])]
        end = one.end()
    return "".join((*parts, text[end:]))


def _cased(following: dict[str, str], word: str) -> str:
    new = following[word.lower()]
    return new[0].upper() + new[1:] if word[0].isupper() else new
