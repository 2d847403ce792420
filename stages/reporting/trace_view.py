"""A judge's reply taken apart for the eye: tags, quotations that can be found in the answers or not, and the verdict.

A quotation counts as found if it stands in the answer it is ascribed to, after white space, letter case and
typographic quotation marks are made equal; around an ellipsis each part must be found. Judges see answers whose
imitations of our tags are defused, so quotations are looked up in the defused text as well as in the original.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from stages.judging.untrusted_text import PROTOCOL_TAGS, defuse
from stages.judging.verdict import Verdict, read_verdict
from stages.records.comparison import Side
from stages.records.reply import Reply


class SegmentKind(StrEnum):
    """What a piece of a reply is; also its CSS class."""

    TEXT = "text"
    TAG = "tag"
    FOUND = "found"
    """A quotation that stands in the answer it is ascribed to."""
    OTHER_ANSWER = "other-answer"
    """A quotation that stands in the other answer only."""
    MISSING = "missing"
    """A quotation that stands in neither answer."""
    VERDICT = "verdict"


LABELS = {
    SegmentKind.FOUND: "found in {side}",
    SegmentKind.OTHER_ANSWER: "not in {side}, but in {other}",
    SegmentKind.MISSING: "in neither answer",
}
"""What is written behind a quotation, so that nothing is told by colour alone."""


@dataclass(frozen=True)
class Segment:
    """A piece of a reply."""

    kind: SegmentKind
    text: str
    label: str = ""


_TAGS = "|".join(PROTOCOL_TAGS)
_PIECE = re.compile(
    rf"<quote_(?P<side>[AB])>(?P<quote>.*?)</quote_(?P=side)>|(?P<tag></?(?:{_TAGS})\b[^<>]*>)", re.DOTALL
)
_ELLIPSIS = re.compile(r"\s*(?:\[\s*)?(?:\.{3,}|…)(?:\s*\])?\s*")
_FOLDED = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "′": "'", "–": "-", "—": "-"})  # noqa: RUF001
_OUTER = " \n\t\"'.,;:"


def segments(reply: Reply, response_a: str, response_b: str) -> tuple[Segment, ...]:
    """The reply's text in pieces; joined, the pieces' texts are the whole reply."""
    verdict = read_verdict(reply.text, reply.finish)
    end = verdict.start if isinstance(verdict, Verdict) else len(reply.text)
    answers = {Side.A: response_a, Side.B: response_b}
    pieces = [*_pieces(reply.text[:end], answers)]
    if end < len(reply.text):
        pieces.append(Segment(SegmentKind.VERDICT, reply.text[end:]))
    return tuple(pieces)


def quote_kind(quote: str, side: Side, answers: dict[Side, str]) -> SegmentKind:
    """Where a quotation ascribed to `side` is found."""
    if stands_in(quote, answers[side]):
        return SegmentKind.FOUND
    return SegmentKind.OTHER_ANSWER if stands_in(quote, answers[side.other]) else SegmentKind.MISSING


def stands_in(quote: str, answer: str) -> bool:
    """Whether every part of `quote` between ellipses occurs in `answer`; an empty quotation occurs nowhere."""
    parts = [part for part in (_normal(part).strip(_OUTER) for part in _ELLIPSIS.split(quote)) if part]
    return bool(parts) and any(
        all(part in text for part in parts) for text in (_normal(answer), _normal(defuse(answer)))
    )


def _normal(text: str) -> str:
    return " ".join(text.translate(_FOLDED).casefold().split())


def _pieces(text: str, answers: dict[Side, str]) -> Iterator[Segment]:
    position = 0
    for match in _PIECE.finditer(text):
        if match.start() > position:
            yield Segment(SegmentKind.TEXT, text[position : match.start()])
        position = match.end()
        if match["tag"]:
            yield Segment(SegmentKind.TAG, match["tag"])
        else:
            yield from _quotation(Side(match["side"]), match["quote"], answers)
    if position < len(text):
        yield Segment(SegmentKind.TEXT, text[position:])


def _quotation(side: Side, quote: str, answers: dict[Side, str]) -> Iterator[Segment]:
    kind = quote_kind(quote, side, answers)
    yield Segment(SegmentKind.TAG, f"<quote_{side}>")
    yield Segment(kind, quote, LABELS[kind].format(side=side, other=side.other))
    yield Segment(SegmentKind.TAG, f"</quote_{side}>")
