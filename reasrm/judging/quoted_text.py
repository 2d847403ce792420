# ruff: noqa: RUF001  (typographic signs are its matter)
"""Whether a text quotes another word for word, whatever happened to signs and markup on the way.

A judge copies words, not code points: it writes an accent in another normal form, straightens quotation marks, leaves
out bold type, list marks and line breaks, or types an HTML entity's sign. None of that makes a quotation false. Both
sides are therefore compared in one form (`comparable`), first with their markup, then without. What would change the
meaning stays apart: other words, a negation, another number (`10²` is not `102`, `5` not `15`, `0.5` not `5`), accents,
the order of the parts around an ellipsis. A long quotation may be cut inside a word, but not behind the prefix that
negates it; a short one is whole words, and a number is never cut. Scripts without letter case are not parted into words
by spaces, so there a quotation may begin anywhere.
"""

import html
import re
import unicodedata
from functools import lru_cache

from reasrm.judging.folded_text import ANGLE_LOOKALIKES, SQUARE_LOOKALIKES, is_invisible

SHORTEST_PART = 8
"""Characters that each part of a quotation with an ellipsis needs, so that no stray word counts as found; a quotation
of as many may be cut inside a word."""
WIDE_CHARACTER = 3
"""What a character of a script without letter case counts towards that: it is about a word."""

_SIGNS = {
    "'": '"“”„‟‘’‚‛′″‴´ʼ«»',
    "-": "‐‑‒–—―−﹘",
    "<": "‹" + ANGLE_LOOKALIKES["<"],
    ">": "›" + ANGLE_LOOKALIKES[">"],
    "[": "⟦" + SQUARE_LOOKALIKES["["],
    "]": "⟧" + SQUARE_LOOKALIKES["]"],
}
"""Signs that are written for each other; those for brackets are what a judge sees of a defused text."""
_SIGN_OF = {fancy: plain for plain, fancies in _SIGNS.items() for fancy in fancies}
_ELLIPSIS = re.compile(r"[\[(]?\s?(?:\.{3,}|\. \. \.|…|⋯)\s?[\])]?")
_OUTER = " '.,;:"
_NEGATION = re.compile(r"(?<![^\W\d_])(?:un|in|im|ir|il|dis|non|mis|anti)$")

_COMMANDS = {"times": "×", "cdot": "·", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠", "neq": "≠", "pi": "π"}
_MARKUP: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.MULTILINE), plain)
    for pattern, plain in (
        (r"^[ \t]*(?:```|~~~)[^`~\n]*$", ""),  # fences of code
        (r"^[ \t]*(?:[-*_=][ \t]*){3,}+$", ""),  # rules
        (r"^(?=[^\n]*\|)(?=[^\n]*-)[ \t:|\-]++$", ""),  # and those of tables
        (r"^(?:[ \t]*>)+", ""),  # quoted lines
        (r"^[ \t]*(?:#{1,6}[ \t]+|[-*+•◦▪●‣·][ \t]+)(?:\[[ xX]\][ \t]+)?", ""),  # headings, items
        (r"!?\[([^\[\]\n]{0,300})\]\([^()\s]{0,500}\)", r"\1"),  # links, images
        (r"\[\^\w{1,20}\]", ""),  # footnotes
        (r"(?i)</?(?:b|i|u|em|strong|code|span|mark|small|del|ins|tt|font|a)(?:\s[^<>]{0,200})?>", ""),
        (r"(?i)</?(?:br|p|div|li|ul|ol|pre|h[1-6]|blockquote|table|tr|td|th)(?:\s[^<>]{0,200})?/?>", " "),
        (r"(?i)<su([pb])>([^<>]{0,60})</su[pb]>", r"<\1>\2"),
        (r"<[pP]>(?=[^<>])", "^"),
        (r"<[bB]>(?=[^<>])", "_"),
        (r"\\[()\[\]]", ""),  # TeX
        (r"\$\$", ""),
        (r"\$(?=\S)([^$\n]{1,200}?)(?<=\S)\$(?!\d)", r"\1"),
        (r"\\(?:text|mathrm|mathbf|textbf|textit|emph|boxed)\{([^{}\n]{0,200})\}", r"\1"),
        (r"\\[dt]?frac\{([^{}\n]{0,100})\}\{([^{}\n]{0,100})\}", r"\1/\2"),
        *((rf"\\{name}(?![a-zA-Z])", sign) for name, sign in _COMMANDS.items()),
        (r"([\^_])\{([^{}\n]{1,60})\}", r"\1\2"),
        (r"\\([!-/:-@\[-`{-~])", r"\1"),  # escapes
        (r"`|~~", ""),
        (r"(?<![A-Za-z0-9)\]*])\*{1,3}(?=[^\s*])|(?<=[^\s*])\*{1,3}(?![A-Za-z0-9(\[*])", ""),  # bold, italics
        (r"(?<![^\W_])_{1,3}(?=[^\s_])|(?<=[^\s_])_{1,3}(?![^\W_])", ""),
        (r"\|", " "),  # cells
    )
)
_ORDINAL = re.compile(r"^[ \t]*\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.)][ \t]+", re.MULTILINE)


def found_whole(quote: str, answer: str) -> bool:
    """Whether `quote` stands in `answer` as one piece."""
    texts = _answer_forms(answer)
    return any(_find(trimmed, text, 0) >= 0 for trimmed in _quote_forms(quote) for text in texts)


def found_in_parts(quote: str, answer: str) -> bool:
    """Whether `quote` holds an ellipsis, and each of its parts stands in `answer`, in their order."""
    pieces = [piece for piece in _ELLIPSIS.split(quote) if _trimmed(comparable(piece))]
    if not pieces or not _ELLIPSIS.search(quote):
        return False
    parts = [_quote_forms(piece) for piece in pieces]
    if min(_weight(part) for forms in parts for part in forms[:1]) < SHORTEST_PART:
        return False
    return any(_in_order(parts, text) for text in _answer_forms(answer))


def comparable(text: str) -> str:
    """`text` with white space, case, typographic signs, compatibility forms and invisible characters made equal."""
    plain = unicodedata.normalize("NFKC", html.unescape(text).translate(_PLAIN))
    plain = unicodedata.normalize("NFKC", plain.casefold())
    plain = " ".join(plain.split())
    plain = re.sub(r"(?<=\S) (?:-+ )+(?=\S)|--+", "-", plain)
    return re.sub(r"''+|``", "'", plain)


def without_markup(text: str) -> str:
    """`text` without the marks of Markdown, HTML and TeX that only dress it; what they dress stays."""
    for pattern, plain in _MARKUP:
        text = pattern.sub(plain, text)
    return text


def _quote_forms(quote: str) -> tuple[str, ...]:
    """The quotation as it may stand in an answer; one that is nothing but signs is taken as it is."""
    forms = (comparable(quote), comparable(without_markup(html.unescape(quote))))
    trimmed = [_trimmed(form) or form for form in forms if form]
    return tuple(dict.fromkeys(trimmed))


@lru_cache(maxsize=32)
def _answer_forms(answer: str) -> tuple[str, ...]:
    """The answer with its markup, without it, and also without the numbers of its list items."""
    bare = without_markup(html.unescape(answer))
    return tuple(dict.fromkeys((comparable(answer), comparable(bare), comparable(_ORDINAL.sub("", bare)))))


def _trimmed(form: str) -> str:
    return form.strip(_OUTER).removeprefix("- ").removesuffix(" -").strip(_OUTER)


def _weight(part: str) -> int:
    return sum(WIDE_CHARACTER if one.isalpha() and not _spelled(one) else 1 for one in part)


def _in_order(parts: list[tuple[str, ...]], text: str) -> bool:
    at = 0
    for forms in parts:
        found = [(place, form) for form in forms if (place := _find(form, text, at)) >= 0]
        if not found:
            return False
        place, form = min(found)
        at = place + len(form)
    return True


def _find(part: str, text: str, start: int) -> int:
    """Where `part` first stands in `text`, or -1: no number is cut, nor a word by a short part or behind a negation."""
    short = _weight(part) < SHORTEST_PART
    at = text.find(part, start) if part else -1
    while at >= 0 and (_cuts_start(text, at, short) or _cuts_end(text, at + len(part), short)):
        at = text.find(part, at + 1)
    return at


def _cuts_start(text: str, at: int, short: bool) -> bool:
    if at == 0 or not _spelled(text[at]):
        return False
    before = text[at - 1]
    if text[at].isdigit() and before in ".,":
        return at > 1 and text[at - 2].isdigit()
    if text[at].isdigit() and before == "-":
        return at == 1 or not (text[at - 2].isalnum() or text[at - 2] in ")]")
    if not _spelled(before):
        return False
    return short or text[at].isdigit() or _NEGATION.search(text, max(at - 5, 0), at) is not None


def _cuts_end(text: str, end: int, short: bool) -> bool:
    if end >= len(text) or not _spelled(text[end - 1]):
        return False
    if text[end - 1].isdigit() and text[end] in ".,":
        return text[end + 1 : end + 2].isdigit()
    return _spelled(text[end]) and (short or text[end - 1].isdigit())


def _spelled(character: str) -> bool:
    """Whether it is a digit or a letter of a script that has upper and lower case."""
    return character.isdigit() or character.upper() != character.lower()


class _PlainSigns(dict[int, str]):
    """What each sign is written as, for `str.translate`; worked out once for each."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kind, _, digits = unicodedata.decomposition(character).partition(" ")
        plain = unicodedata.normalize("NFKC", character)
        if is_invisible(character):
            plain = ""
        elif kind in ("<super>", "<sub>") and plain.isdigit():
            plain = ("^" if kind == "<super>" else "_") + plain
        elif kind == "<fraction>":
            plain = " " + plain.replace("⁄", "/")
        elif kind == "<circle>" and digits:
            plain = f"({plain})"
        else:
            plain = _SIGN_OF.get(character, character)
        self[code] = plain
        return plain


_PLAIN = _PlainSigns()
