"""Edits of one step of a trace: corruptions that turn what it says, and two controls that do not.

A corruption is of one kind, so that two do not take each other back (A is right: B is wrong): words of judgment or
negation, numbers, or the names A and B with the tags of quotations. What is quoted stays as it is: a false quotation
would be another fault. In a solution only the last word or number of a line is changed, its result.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from reasrm.judging.quotations import blanked, quotation_tags, quotations
from reasrm.judging.trace_steps import Piece, Section
from reasrm.probes.reasoning.word_exchange import Ring, exchanged, replaced
from reasrm.records.comparison import Side


class Kind(StrEnum):
    """What a corruption changes."""

    WORDS = "words"
    """Words of judgment or negation become their opposites."""
    NUMBERS = "numbers"
    """Several numbers of a step change places; a single one becomes another number of the section, or one more."""
    SIDES = "sides"
    """A becomes B and B becomes A, in quotation tags too."""


class Corruption(NamedTuple):
    """A corrupted step."""

    kind: Kind
    text: str


_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*(?!\w)")
_NAME = re.compile(r"(?<![\w'’])[AB](?!\w)")  # noqa: RUF001
_TAG_NAME = re.compile(r"[AB](?=\s*>)", re.IGNORECASE)
_ARTICLE = re.compile(
    r"(?:\A|[.!?:]\s|\n|\x00)\s*A\s+(?!\w+(?:s|ly)\b)"
    r"(?!(?:and|or|but|did|had|would|could|can|may|also|only|just|alone|gave|wrote|got)\b)[a-z]"
)
"""`A` at the beginning of a sentence is an article before an ordinary word, and a name before a verb or an adverb."""
_JOINED = re.compile(r"(?<![\w-])([^\W\d_]{2,}) and ([^\W\d_]{2,})(?![\w-])")
_EDGES = re.compile(r"(\s*)(.*?)([\s.,;!?]*)\Z", re.DOTALL)


def corrupted(pieces: Sequence[Piece], place: int, kinds: Sequence[Kind], rings: Sequence[Ring]) -> Corruption | None:
    """The step at `place` corrupted by the first of `kinds` that changes it; None where none does."""
    step = pieces[place]
    for kind in kinds:
        if kind is Kind.WORDS:
            new = exchanged(step.text, _shown(step.text), rings, last_only=step.section is Section.SOLUTION)
        else:
            new = _numbers_changed(pieces, place) if kind is Kind.NUMBERS else _sides_exchanged(step.text)
        if new is not None and new != step.text:
            return Corruption(kind, new)
    return None


def paraphrased(step: Piece, synonyms: Sequence[Ring]) -> str | None:
    """The step in other words that mean the same: synonyms, or `x and y` as `y and x`; None where neither is there."""
    shown = _shown(step.text)
    new = exchanged(step.text, shown, synonyms, last_only=False)
    joined = _JOINED.search(shown)
    if new is None and joined and joined.group(1) != joined.group(2):
        new = replaced(step.text, [joined], lambda text: " and ".join(reversed(text.split(" and "))))
    return new


def with_words_of(step: Piece, other: Piece) -> str | None:
    """The step with the words of `other` between its own spaces and end marks; None where they are the same."""
    own, foreign = _EDGES.match(step.text), _EDGES.match(other.text)
    if own is None or foreign is None or own.group(2) == foreign.group(2):
        return None
    return own.group(1) + foreign.group(2) + own.group(3)


def _shown(text: str) -> str:
    """`text` with quotations blanked, of the same length."""
    return blanked(text, quotations(text, strict=False), "\x00")


def _numbers_changed(pieces: Sequence[Piece], place: int) -> str | None:
    step = pieces[place]
    found = list(_NUMBER.finditer(_shown(step.text)))
    if not found:
        return None
    different = list(dict.fromkeys(one.group() for one in found))
    if len(different) > 1 and step.section is not Section.SOLUTION:
        following = dict(zip(different, (*different[1:], different[0]), strict=True))
        return replaced(step.text, found, following.__getitem__)
    last = found[-1:]
    others = [_last_number(other) for other in (*pieces[place + 1 :], *pieces[:place]) if other.section is step.section]
    other = next((number for number in others if number and number != last[0].group()), None)
    return replaced(step.text, last, lambda number: other or _one_more(number))


def _last_number(piece: Piece) -> str | None:
    found = _NUMBER.findall(_shown(piece.text))
    return found[-1] if found else None


def _one_more(number: str) -> str:
    whole = re.match(r"\d+", number)
    assert whole is not None
    return str(int(whole.group()) + 1) + number[whole.end() :]


def _sides_exchanged(text: str) -> str | None:
    """None where neither answer is named."""
    shown = _shown(text)
    articles = {shown.index("A", one.start()) for one in _ARTICLE.finditer(shown)}
    names = [one for one in _NAME.finditer(shown) if one.start() not in articles]
    tags = [found for start, end in quotation_tags(text) if (found := _TAG_NAME.search(text, start, end))]
    places = sorted([*names, *tags], key=lambda one: one.start())
    return replaced(text, places, lambda name: Side(name.upper()).other.value) if places else None
