"""A judge's reply taken apart for the eye: tags, quotations that can be found in the answers or not, and the verdict.

Whether a quotation is true is decided where the filter of traces decides it (`reasrm.judging.trace_structure`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from reasrm.judging.trace_structure import Grounding, Quote, grounding
from reasrm.judging.untrusted_text import PROTOCOL_TAGS
from reasrm.judging.verdict import Verdict, read_verdict
from reasrm.records.comparison import Side
from reasrm.records.reply import Reply


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
"""What is written behind a quotation, so that nothing is said by colour alone."""


@dataclass(frozen=True)
class Segment:
    """A piece of a reply."""

    kind: SegmentKind
    text: str
    label: str = ""
    starts_part: bool = False
    """Whether a part of the reply begins here in the middle of a line; the page then breaks the line."""


_PARTS = re.compile("<(?:type|rubric|solution|eval|answer)\\b")
_TAGS = "|".join(PROTOCOL_TAGS)
_PIECE = re.compile(
    rf"<quote_(?P<side>[AB])>(?P<quote>.*?)</quote_(?P=side)>|(?P<tag></?(?:{_TAGS})\b[^<>]*>)", re.DOTALL
)


def segments(reply: Reply, response_a: str, response_b: str) -> tuple[Segment, ...]:
    """The reply's text in pieces; joined, the pieces' texts are the whole reply."""
    verdict = read_verdict(reply.text, reply.finish)
    end = verdict.start if isinstance(verdict, Verdict) else len(reply.text)
    pieces = [*_pieces(reply.text[:end], response_a, response_b)]
    if end < len(reply.text):
        pieces.append(Segment(SegmentKind.VERDICT, reply.text[end:]))
    return tuple(_with_breaks(pieces))


def quote_kind(quote: Quote, response_a: str, response_b: str) -> SegmentKind:
    """Where a quotation is found."""
    found = grounding(quote, response_a, response_b)
    if found.holds:
        return SegmentKind.FOUND
    return SegmentKind.OTHER_ANSWER if found is Grounding.OTHER_ANSWER else SegmentKind.MISSING


def _with_breaks(pieces: list[Segment]) -> Iterator[Segment]:
    previous = "\n"
    for piece in pieces:
        starts = piece.kind in (SegmentKind.TAG, SegmentKind.VERDICT) and _PARTS.match(piece.text) is not None
        yield replace(piece, starts_part=starts and not previous.endswith("\n"))
        previous = piece.text


def _pieces(text: str, response_a: str, response_b: str) -> Iterator[Segment]:
    position = 0
    for match in _PIECE.finditer(text):
        if match.start() > position:
            yield Segment(SegmentKind.TEXT, text[position : match.start()])
        position = match.end()
        if match["tag"]:
            yield Segment(SegmentKind.TAG, match["tag"])
        else:
            quote = Quote(Side(match["side"]), match["quote"])
            yield from _quotation(quote, quote_kind(quote, response_a, response_b))
    if position < len(text):
        yield Segment(SegmentKind.TEXT, text[position:])


def _quotation(quote: Quote, kind: SegmentKind) -> Iterator[Segment]:
    yield Segment(SegmentKind.TAG, f"<quote_{quote.side}>")
    yield Segment(kind, quote.text, LABELS[kind].format(side=quote.side, other=quote.side.other))
    yield Segment(SegmentKind.TAG, f"</quote_{quote.side}>")
