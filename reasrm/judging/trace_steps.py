"""A judge's trace cut into steps: criteria of a rubric, lines of a solution, sentences of an evaluation, thoughts.

No character is lost: the pieces joined are the trace. Nothing is cut inside a quotation, whose words are an answer's.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from reasrm.judging.quotations import GAP, blanked, quotations
from reasrm.judging.verdict import after_thinking


class Section(StrEnum):
    """What part of a trace a step belongs to."""

    THOUGHT = "thought"
    RUBRIC = "rubric"
    """Criteria and their justification."""
    SOLUTION = "solution"
    EVALUATION = "evaluation"
    FREE = "free"
    """Outside all tags: how a judge writes that is asked for no parts."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A step of a trace, or what stands between steps."""

    text: str
    section: Section | None
    """None: no step but tags, the type of the question, or space."""


_SECTIONS = {
    "type": None,
    "rubric": Section.RUBRIC,
    "justify": Section.RUBRIC,
    "solution": Section.SOLUTION,
    "eval": Section.EVALUATION,
    "answer": None,
}
_TAG = re.compile(rf"<{GAP}(/?){GAP}({'|'.join(_SECTIONS)}|think(?:ing)?|thought|reasoning){GAP}>", re.IGNORECASE)
_QUOTED = "\x00"
"""Stands for the characters of quotations while cuts are looked for."""
_SENTENCE = rf"[.!?]+[)\]\"'*_]*(?=\s|{_QUOTED}|\Z)|\n+"
_CUTS = {
    None: re.compile(r"\Z"),
    Section.THOUGHT: re.compile(_SENTENCE),
    Section.RUBRIC: re.compile(rf"{_SENTENCE}|;|(?<=\d),(?=\s)|(?<=[%)]),(?=\s)"),
    Section.SOLUTION: re.compile(rf"{_SENTENCE}|;(?=\s)"),
    Section.EVALUATION: re.compile(_SENTENCE),
    Section.FREE: re.compile(_SENTENCE),
}
"""Behind what a section is cut. In a rubric the comma behind a weight ends a criterion."""
_WORD = re.compile(r"[^\W\d_]{2}")
"""A step says something: a number of a list, or a mark of emphasis, goes to the step behind it."""


def trace_pieces(trace: str) -> list[Piece]:
    """Cut `trace`, a reply or its beginning."""
    spans = quotations(trace, strict=False)
    shown = blanked(trace, spans, _QUOTED)
    thoughts_end = after_thinking(trace) or 0
    pieces: list[Piece] = []
    section: Section | None = _outside(0, thoughts_end)
    start = 0
    for tag in _TAG.finditer(shown):
        pieces += _cut(trace, shown, start, tag.start(), section)
        pieces.append(Piece(tag.group(), None))
        closing, name = tag.group(1), tag.group(2).lower()
        start = tag.end()
        if name == "justify" and closing:
            section = Section.RUBRIC
        elif closing or name not in _SECTIONS or start <= thoughts_end:
            section = _outside(start, thoughts_end)
        else:
            section = _SECTIONS[name]
    return [*pieces, *_cut(trace, shown, start, len(trace), section)]


def joined_to(pieces: list[Piece], most: int) -> list[Piece]:
    """The same text with at most `most` steps: neighbouring steps of a section are joined until there are no more.

    The shortest two neighbours first, the earlier ones of equals. Where only steps of different sections are left, or
    ones with tags between them, nothing is joined any more and there may be more than `most`.
    """
    found = list(pieces)
    while sum(piece.section is not None for piece in found) > most:
        pairs = [
            (len(one.text) + len(other.text), place)
            for place, (one, other) in enumerate(pairwise(found))
            if one.section is not None and one.section is other.section
        ]
        if not pairs:
            return found
        _, place = min(pairs)
        found[place : place + 2] = [Piece(found[place].text + found[place + 1].text, found[place].section)]
    return found


def _outside(start: int, thoughts_end: int) -> Section:
    return Section.THOUGHT if start < thoughts_end else Section.FREE


def _cut(trace: str, shown: str, start: int, end: int, section: Section | None) -> list[Piece]:
    """The pieces of a passage without tags. What says nothing goes to the step behind it, at the end to the last."""
    if start == end:
        return []
    ends = [found.end() for found in _CUTS[section].finditer(shown[:end], start)]
    pieces: list[Piece] = []
    since = start
    for until in [*ends, end]:
        if until > since and _WORD.search(trace, since, until):
            pieces.append(Piece(trace[since:until], section))
            since = until
    if since < end and pieces:
        pieces[-1] = Piece(pieces[-1].text + trace[since:end], section)
    elif since < end:
        pieces.append(Piece(trace[since:end], None))
    return pieces
