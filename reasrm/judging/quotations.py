"""Quotations in a judge's reply: where they begin and end, however carelessly they are closed.

A quotation (`<quote_A>`, `<summary_B>` …) ends at its own closing tag; what stands before that is quoted, tags of the
protocol included. A judge sometimes never writes that tag: it is not there, or the same opening tag comes before it, so
that it closes a later quotation. Then the quotation ends at the next other tag of the protocol: a closing one
(`</quote_B>`, `</eval>`) or a new one. `<answer>` is the exception, for what is judged may hold one: in a quotation
without an end it is quoted too, unless it begins a line and the reply ended behind it by itself.

Two rules are needed. Who reads a finished reply takes that one. Who cuts a reply while it grows cannot know whether the
closing tag is still to come: there, only its own closing tag ends a quotation (`strict`).
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from reasrm.judging.untrusted_text import PROTOCOL_TAGS

Span = tuple[int, int]
QUOTATION_TAGS = ("quote_A", "quote_B", "summary_A", "summary_B")
GAP = r"\s{0,8}"
"""Space inside a tag or between brackets."""
MARKUP = (
    r"(?:[\s*_~`\"'“”„‘’«»「」『』.。;!#(){}$\\]|\\(?:boxed|text|textbf|mathbf|mathrm|bf)\b"  # noqa: RUF001
    r"|</?(?:b|strong|em|i|u|code|span|mark|p|br|div|center)\s?/?>)*"
)
"""What may surround a verdict without saying anything: spaces, quotation and end signs, Markdown, HTML and LaTeX."""

_FIRST_LETTERS = "".join(sorted({tag[0] for tag in PROTOCOL_TAGS}))
_TAG = re.compile(rf"<(?={GAP}/?{GAP}[{_FIRST_LETTERS}]){GAP}(/?){GAP}({'|'.join(PROTOCOL_TAGS)}){GAP}>", re.IGNORECASE)
_QUOTATION = re.compile("quote_|summary_", re.IGNORECASE)
_WRITTEN = {tag.lower(): tag for tag in QUOTATION_TAGS}
_ONLY_MARKUP = re.compile(MARKUP)


class _Tag(NamedTuple):
    start: int
    end: int
    name: str
    closing: bool

    @property
    def opens_quotation(self) -> bool:
        return self.name in _WRITTEN and not self.closing


def quotations(text: str, start: int = 0, *, strict: bool, ended: bool = False) -> list[Span]:
    """The quotations of `text` behind `start`, in order.

    Args:
        text: a reply.
        start: where its reply proper begins.
        strict: whether only its own closing tag ends a quotation.
        ended: whether the reply ended by itself.
    """
    tags = [tag for tag in _tags(text) if tag.start >= start]
    own_ends = _own_ends(tags, nearest=not strict)
    spans: list[Span] = []
    place = 0
    while place < len(tags):
        tag, place = tags[place], place + 1
        if not tag.opens_quotation:
            continue
        own_end = own_ends.get(place - 1)
        if own_end is not None:
            spans.append((tag.start, tags[own_end].end))
            place = own_end + 1
            continue
        while place < len(tags) and (strict or not _ends_careless(text, tags, place, ended=ended)):
            place += 1
        spans.append((tag.start, tags[place].start if place < len(tags) else len(text)))
    return spans


def quoted_words(text: str) -> list[tuple[str, str]]:
    """The tag (`quote_A` …) and the words of each quotation of a finished reply, in order.

    Carelessly closed ones count too, and so do those that stand whole inside a retelling.
    """
    found = []
    for span in quotations(text, strict=False, ended=True):
        tag, words = _tag_and_words(text[slice(*span)])
        found.append((tag, words))
        if tag.startswith("summary"):
            found += [_tag_and_words(words[slice(*inner)]) for inner in whole_quotations(words)]
    return found


def _tag_and_words(quotation: str) -> tuple[str, str]:
    """The tag and the words of one quotation, with its own closing tag or without."""
    opening, *others = _TAG.finditer(quotation)
    name = opening.group(2).lower()
    last = others[-1] if others else None
    own_end = last is not None and last.group(1) and last.group(2).lower() == name and last.end() == len(quotation)
    return _WRITTEN[name], quotation[opening.end() : last.start() if last is not None and own_end else None]


def whole_quotations(text: str) -> list[Span]:
    """The quotations with their own closing tag, in order, each from its last opening tag on.

    So a tag that thoughts merely mention (`I will use <quote_A>`) makes no quotation of all that follows.
    """
    opened: dict[str, int] = {}
    spans: list[Span] = []
    for tag in _tags(text):
        if tag.opens_quotation:
            opened[tag.name] = tag.start
        elif tag.name in opened:
            spans.append((opened.pop(tag.name), tag.end))
    return spans


def quotation_tags(text: str) -> list[Span]:
    """Where the tags of quotations stand, opening and closing ones, in order."""
    return [(tag.start, tag.end) for tag in _tags(text) if tag.name in _WRITTEN]


def open_quotation(text: str, start: int) -> str | None:
    """The tag of the quotation in which `text` ends, if it ends in one (`strict`)."""
    last = quotations(text, start, strict=True)[-1:]
    if not last or last[0][1] < len(text):
        return None
    tags = [tag for tag in _tags(text) if tag.start >= last[0][0]]
    own_end = any(tag.closing and tag.name == tags[0].name for tag in tags)
    return None if own_end else _WRITTEN[tags[0].name]


def blanked(text: str, spans: Iterable[Span], sign: str = " ") -> str:
    """`text` of the same length with `spans` filled with `sign`."""
    parts, end = [], 0
    for since, until in sorted(spans):
        if until > end:
            parts += [text[end:since], sign * (until - max(since, end))]
            end = until
    return "".join((*parts, text[end:]))


@lru_cache(maxsize=4)
def _tags(text: str) -> tuple[_Tag, ...]:
    """All tags of the protocol, kept since one reply is looked at several times; none where nothing is quoted."""
    if not _QUOTATION.search(text):
        return ()
    return tuple(
        _Tag(found.start(), found.end(), found.group(2).lower(), bool(found.group(1))) for found in _TAG.finditer(text)
    )


def _own_ends(tags: Sequence[_Tag], *, nearest: bool) -> dict[int, int]:
    """The place of each opening tag's own closing tag; `nearest`: only where the same opening tag does not come first.

    Whoever reads a finished reply takes the nearest; whoever cuts one must not, for a quotation may hold its own tag.
    """
    ends: dict[int, int] = {}
    next_closing: dict[str, int] = {}
    for place in reversed(range(len(tags))):
        name = tags[place].name
        if tags[place].closing:
            next_closing[name] = place
        elif name in next_closing:
            ends[place] = next_closing.pop(name) if nearest else next_closing[name]
    return ends


def _ends_careless(text: str, tags: Sequence[_Tag], place: int, *, ended: bool) -> bool:
    """Whether the tag at `place` ends a quotation that has no closing tag of its own."""
    tag = tags[place]
    if tag.name != "answer":
        return True
    last_pair = place + 2 == len(tags) and not tag.closing and tags[-1].closing and tags[-1].name == "answer"
    if not (ended and last_pair):
        return False
    line = text[text.rfind("\n", 0, tag.start) + 1 : tag.start]
    begins_line = "\n" in text[: tag.start] and _ONLY_MARKUP.fullmatch(line)
    return bool(begins_line and _ONLY_MARKUP.fullmatch(text, tags[-1].end))
