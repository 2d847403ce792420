"""A judge's reply taken apart for the eye: tags, quotations that can be found in the answers or not, and the verdict.

Whether a quotation is true is decided where the filter of traces decides it (`reasrm.judging.trace_structure`).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from reasrm.judging.quotations import GAP, Span, quotations, whole_quotations
from reasrm.judging.trace_structure import Grounding, Quote, grounding
from reasrm.judging.untrusted_text import PROTOCOL_TAGS
from reasrm.judging.verdict import Verdict, after_thinking, read_verdict
from reasrm.records.comparison import Side
from reasrm.records.reply import Finish, Reply


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
_TAG = re.compile(rf"</?(?:{'|'.join(PROTOCOL_TAGS)})\b[^<>]*>")
_QUOTATION = re.compile(
    rf"(?P<opening><{GAP}(?P<kind>quote|summary)_(?P<side>[AB]){GAP}>)(?P<words>.*?)"
    rf"(?P<closing><{GAP}/{GAP}(?P=kind)_(?P=side){GAP}>)?",
    re.DOTALL | re.IGNORECASE,
)


def segments(reply: Reply, response_a: str, response_b: str) -> tuple[Segment, ...]:
    """The reply's text in pieces; joined, the pieces' texts are the whole reply.

    What thoughts before the reply proper quote is not looked up, as nowhere else.
    """
    end, quoted = _read(reply.text, reply.finish)
    pieces = [*_pieces(reply.text[:end], quoted, response_a, response_b)]
    if end < len(reply.text):
        pieces.append(Segment(SegmentKind.VERDICT, reply.text[end:]))
    return tuple(_with_breaks(pieces))


@lru_cache(maxsize=8192)
def _read(text: str, finish: Finish) -> tuple[int, tuple[Span, ...]]:
    """Where the verdict begins, else the text ends, and the quotations; kept, since judges often write the same."""
    verdict = read_verdict(text, finish)
    end = verdict.start if isinstance(verdict, Verdict) else len(text)
    before = text[:end]
    return end, tuple(quotations(before, after_thinking(before) or 0, strict=False, ended=True))


@lru_cache(maxsize=4096)
def quote_kind(quote: Quote, response_a: str, response_b: str) -> SegmentKind:
    """Where a quotation is found; kept, since several judges quote the same words."""
    found = grounding(quote, response_a, response_b)
    if found.holds:
        return SegmentKind.FOUND
    return SegmentKind.OTHER_ANSWER if found is Grounding.OTHER_ANSWER else SegmentKind.MISSING


def _with_breaks(pieces: list[Segment]) -> Iterator[Segment]:
    previous = "\n"
    for piece in pieces:
        starts = piece.kind in (SegmentKind.TAG, SegmentKind.VERDICT) and _PARTS.match(piece.text) is not None
        yield replace(piece, starts_part=True) if starts and not previous.endswith("\n") else piece
        previous = piece.text


def _pieces(text: str, quoted: Iterable[Span], response_a: str, response_b: str) -> Iterator[Segment]:
    """`text` with the quotations that stand at `quoted` looked up in the answers."""
    position = 0
    for start, end in sorted(quoted):
        if start < position:
            continue
        yield from _plain(text[position:start])
        yield from _quotation(text[start:end], response_a, response_b)
        position = end
    yield from _plain(text[position:])


def _plain(text: str) -> Iterator[Segment]:
    position = 0
    for match in _TAG.finditer(text):
        if match.start() > position:
            yield Segment(SegmentKind.TEXT, text[position : match.start()])
        position = match.end()
        yield Segment(SegmentKind.TAG, match.group())
    if position < len(text):
        yield Segment(SegmentKind.TEXT, text[position:])


def _quotation(text: str, response_a: str, response_b: str) -> Iterator[Segment]:
    """One quotation; in the words of a retelling (`<summary_A>`) those that stand whole inside it."""
    match = _QUOTATION.fullmatch(text)
    assert match is not None, "that is how `quotations` delimits one"
    yield Segment(SegmentKind.TAG, match["opening"])
    if match["kind"].lower() == "summary":
        yield from _pieces(match["words"], whole_quotations(match["words"]), response_a, response_b)
    else:
        quote = Quote(Side(match["side"].upper()), match["words"])
        kind = quote_kind(quote, response_a, response_b)
        yield Segment(kind, quote.text, LABELS[kind].format(side=quote.side, other=quote.side.other))
    if match["closing"]:
        yield Segment(SegmentKind.TAG, match["closing"])
