"""Scores as judges write them, read as numbers only where they are meant as scores and there is one way to read them.

The whole text must be scores: numbers, each perhaps with what it is out of (`7/10`, `8 out of 10`, `70%`, `4 stars`)
and with a label before it (`Score: 7`, `Assistant A: 7`, `Response 2 = 9`), with separators between them. Anything else
in it (a name without a score, a range, a word) makes it unreadable. Further rules:

- A comma between digits is a decimal comma only if the text then holds as many scores as were asked for, and does not
  otherwise; before three digits it may also group thousands, so it is unreadable.
- A dash between two numbers is a range. A minus stands directly before its number, and not alone between a number and
  the next.
- Labels name both answers or neither; then the scores are those of the answers that they name.
- Scores that are compared are out of the same: `7/10` and `9` are not, nor are `4/5` and `9/10`.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WrittenScores:
    """The scores of a text."""

    values: tuple[float, ...]
    """In the order of the answers."""
    scale: str
    """What they are out of, as written (`/10`, `%`); empty if that is not said."""


@dataclass(frozen=True, slots=True)
class _Score:
    value: float
    scale: str
    answer: int | None
    """Which answer its label names, from 0; None if none."""


_SPACES = re.compile(
    r"\\(?:boxed|text|textbf|mathbf|mathrm|bf|left|right|quad|qquad)\b|\\[,;:! ()\[\]]|[*_`\"“”$\[\]{}【】]|'(?!s\b)|"
    r"</?(?:b|strong|em|i|u|code)>"
)
"""Mark-up, quotation signs and brackets of lists and JSON: they say nothing."""
_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
_SIGNS = str.maketrans("−⁄／％：＝，；、０１２３４５６７８９．", "-//%:=,;,0123456789.")  # noqa: RUF001

_NOUN = (
    r"(?:the|my|final|overall|total|scores?|ratings?|grade|marks?|of|for|to|given|assistant|response|answer|model|output|"
    r"chatbot|candidate|option|system|conversation|reply|completion|ai|no\.?|number|'s|’s|#)"  # noqa: RUF001
)
_KEYS = {"a": 0, "1": 0, "one": 0, "first": 0, "b": 1, "2": 1, "two": 1, "second": 1}
_SIDE_NOUN = rf"(?:{_NOUN}\s{{0,3}}){{0,6}}"
_LABEL = re.compile(
    rf"(?P<nouns>{_SIDE_NOUN})(?:\b(?P<key>[ab12]|one|two|first|second)\b\s{{0,3}}(?P<more>{_SIDE_NOUN}))?"
    r"(?P<marker>(?:[:=]|->|→|\b(?:is|gets|receives)\b)\s{0,3})?",
    re.IGNORECASE,
)
_UNIT = (
    r"(?P<unit>\s{0,3}(?:%|(?:/|\(?\s{0,3}\bout\s{1,3}of\b|\bof\b)\s{0,3}(?P<top>\d+(?:\.\d+)?)\s{0,3}\)?"
    r"|\b(?:points?|pts?|stars?)\b))?"
)
_POINT, _COMMA = r"\d+(?:\.\d+)?(?:e[+-]?\d{1,3})?|\.\d+", r"\d+(?:,\d+)?|,\d+"
_VALUES = tuple(
    re.compile(rf"(?P<round>\()?(?P<sign>[+\-–]?)(?P<number>{number})(?![\d.]*\d){_UNIT}(?(round)\))", re.IGNORECASE)  # noqa: RUF001
    for number in (_POINT, _COMMA)
)
_SEPARATORS = (
    re.compile(r"\s*(?:[,;|&]|\band\b|\b(?:vs|versus)\b\.?)\s*(?:and\b\s*)?|\s+", re.IGNORECASE),
    re.compile(r"\s*(?:[;|&]|,(?=\s)|\band\b|\b(?:vs|versus)\b\.?)\s*(?:and\b\s*)?|\s+", re.IGNORECASE),
)
"""Where points, and where commas begin the decimals."""
_THOUSANDS = re.compile(r"\d,\d{3}(?!\d)")
MOST_CHARACTERS = 400
"""A longer text holds more than scores."""


def read_scores(text: str, count: int) -> WrittenScores | None:
    """The `count` scores that `text` is; None where it is anything else."""
    plain = _FRACTION.sub(r"\1/\2", text) if "frac" in text else text
    plain = _SPACES.sub(" ", plain.replace("\\%", "%").translate(_SIGNS)).strip().rstrip(".!")
    if plain.startswith("(") and plain.endswith(")") and plain.count("(") == 1:
        plain = plain[1:-1].strip()
    if len(plain) > MOST_CHARACTERS or _THOUSANDS.search(plain):
        return None
    readings = {
        scores
        for value, separator in zip(_VALUES, _SEPARATORS, strict=True)
        if (scores := _in_order(_scores(plain, value, separator), count)) is not None
    }
    return readings.pop() if len(readings) == 1 else None


def _scores(text: str, value: re.Pattern[str], separator: re.Pattern[str]) -> list[_Score]:
    """The scores that `text` consists of; empty if it is no sequence of scores."""
    found: list[_Score] = []
    place = 0
    while True:
        label = _LABEL.match(text, place)
        if label is None or not label.group() or not _names(label):
            label = None
        number = value.match(text, label.end() if label else place)
        score = _score(label, number) if number else None
        if number is None or score is None:
            return []
        found.append(score)
        place = number.end()
        if place == len(text):
            return found
        between = separator.match(text, place)
        if between is None or (not between.group().strip() and _may_be_range(text, between.end(), score)):
            return []
        place = between.end()


def _names(label: re.Match[str]) -> bool:
    """Whether words and letter before a number name what it is the score of; a letter needs no sign behind it."""
    return bool(label["marker"]) or (label["key"] or "").lower() in ("a", "b")


def _score(label: re.Match[str] | None, number: re.Match[str]) -> _Score | None:
    key = label["key"] if label else None
    digits = number["number"].replace(",", ".")
    value = float(digits) * (-1 if number["sign"] in ("-", "–") else 1)  # noqa: RUF001
    written = number["unit"] or ""
    top = number["top"]
    beyond = top and not 0 <= value <= float(top)
    if beyond or not math.isfinite(value) or re.match(r"0\d\d", digits) or (number["round"] and not key):
        return None
    scale = f"/{float(top):g}" if top else re.sub(r"\s+", "", written).lower().removesuffix("s")
    return _Score(value, scale, _KEYS[key.lower()] if key else None)


def _may_be_range(text: str, place: int, before: _Score) -> bool:
    """Whether a sign at `place`, behind a number and a space, may be a dash between both."""
    return text[place : place + 1] in "-–" and before.value >= 0  # noqa: RUF001


def _in_order(scores: Sequence[_Score], count: int) -> WrittenScores | None:
    """`scores` in the order of the answers, if there are as many as asked for and they can be compared."""
    named = [score.answer for score in scores if score.answer is not None]
    whole = len(scores) == count and len({score.scale for score in scores}) == 1
    if not whole or (named and (len(named) != count or len(set(named)) != count)):
        return None
    ordered = sorted(scores, key=lambda score: score.answer or 0) if count > 1 else scores
    return WrittenScores(tuple(score.value for score in ordered), scores[0].scale)
