"""The criteria of a rubric by name and weight, and where an evaluation takes each of them up.

Weights are those of `rubric_weights`; a name is what stands with a weight, up to a colon or a dash that explains it. A
rubric whose weights cannot be ascribed to one name each has no criteria here.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from reasrm.judging.rubric_weights import rubric_weights

_LIST_MARK = re.compile(r"^[\s>#*_•◦+-]*(?:(?:criterion|point)\s*)?(?:\(?\d{1,2}\s*[.):])?[\s*_]*", re.IGNORECASE)
_WEIGHT = re.compile(
    r"[(\[]?\s*(?:weight(?:ed|ing)?\s*(?:of|is|:|=)?\s*)?\d+(?:\.\d+)?\s*(?:%|percent|points?|pts?|/\s*100?)?\s*[)\]]?",
    re.IGNORECASE,
)
_EXPLAINED = re.compile(r":\s|\s[-–—]\s|:$")  # noqa: RUF001
_OUTER = " \t*_`'\"()[]{}.,:;=|-–—"  # noqa: RUF001
_CLAUSES = re.compile(r"(?<=\d),\s|(?<=[%)]),\s|;\s|(?<=\d)\.\s|(?<=%)\.\s")
_SUMS_UP = re.compile(
    r"\n\s*\n[\s*_#]*(?:overall|in (?:conclusion|summary)|to sum up|total|conclusion)\b", re.IGNORECASE
)
_ABOUT = re.compile(r"^\s*(?:on|for|regarding|in terms of)\s+", re.IGNORECASE)
_TITLE_END = re.compile(r"[:.(]|\s[-–—]\s")  # noqa: RUF001
_OTHER_HEADING = re.compile(r"[\s*_#]*(?:\d{1,2}[.)]|#+|on\b)[^\n]{1,80}:[\s*_]*", re.IGNORECASE)
_FILLERS = frozenset({"the", "of", "a", "an", "and", "in", "to", "for", "on"})


class Criterion(NamedTuple):
    """One criterion of a rubric."""

    name: str
    weight: float


@lru_cache(maxsize=4096)
def criteria(rubric: str) -> tuple[Criterion, ...]:
    """The criteria of a rubric, in their order; none where names and weights do not match one to one."""
    weights = rubric_weights(rubric)
    found: list[Criterion] = []
    for line in rubric.splitlines():
        of_line = rubric_weights(line)
        parts = [line] if len(of_line) == 1 else _CLAUSES.split(line)
        for part in parts:
            weight = rubric_weights(part)
            if len(weight) == 1 and (name := _name(part)):
                found.append(Criterion(name, weight[0]))
    if not weights or tuple(one.weight for one in found) != weights or len({one.name for one in found}) < len(found):
        return ()
    return tuple(found)


def segments(evaluation: str, rubric: tuple[Criterion, ...]) -> dict[str, str]:
    """What an evaluation says under a heading with a criterion's name, by that name; those without one are missing.

    A heading begins a line, or a sentence inside one (`Clarity: B is clearer.`). A criterion ends where the next
    heading begins, whatever it names, or at a paragraph that sums up.
    """
    headings = list(_headings(evaluation, rubric))
    named = {one.name for one in headings}
    headings += [found for one in rubric if one.name not in named for found in _inline(evaluation, one.name)]
    headings.sort(key=lambda one: one.start)
    if not headings:
        return {}
    sums_up = _SUMS_UP.search(evaluation, headings[-1].end)
    ends = [one.start for one in headings[1:]] + [sums_up.start() if sums_up else len(evaluation)]
    found: dict[str, str] = {}
    for one, end in zip(headings, ends, strict=True):
        if one.name:
            found.setdefault(one.name, evaluation[one.end : end])
    return found


class _Heading(NamedTuple):
    name: str
    """The criterion's; empty for a heading that names none."""
    start: int
    end: int


def _headings(evaluation: str, rubric: tuple[Criterion, ...]) -> Iterator[_Heading]:
    """Lines that begin with a criterion's name, up to a colon, a full stop or the end; other numbered headings."""
    for line in re.finditer(r"^.+$", evaluation, re.MULTILINE):
        title = _TITLE_END.split(_LIST_MARK.sub("", _ABOUT.sub("", line.group())), maxsplit=1)[0]
        named = [one.name for one in rubric if _same_name(title, one.name)]
        if len(named) == 1:
            yield _Heading(named[0], line.start(), line.start() + line.group().find(title) + len(title))
        elif _OTHER_HEADING.fullmatch(line.group()):
            yield _Heading("", *line.span())


def _inline(evaluation: str, name: str) -> Iterator[_Heading]:
    """`Name:` where a sentence begins inside a line."""
    for found in re.finditer(rf"(?<=[.!?;>])\s*{re.escape(name)}\s*:", evaluation, re.IGNORECASE):
        yield _Heading(name, found.start(), found.end())


def mentions(text: str, name: str) -> bool:
    """Whether all words of a criterion's name that say something occur in `text`, in any form with the same stem."""
    words = _words(text)
    stems = {_stem(word) for word in words}
    return all(_stem(word) in stems for word in _words(name) - _FILLERS)


def _name(part: str) -> str:
    plain = _LIST_MARK.sub("", part)
    for candidate in (_EXPLAINED.split(plain, maxsplit=1)[0], plain):
        name = " ".join(_WEIGHT.sub(" ", candidate).split()).strip(_OUTER)
        if re.search(r"[^\W\d_]", name):
            return name.lower()
    return ""


def _same_name(title: str, name: str) -> bool:
    plain = " ".join(_WEIGHT.sub(" ", title).split()).strip(_OUTER).lower()
    return bool(plain) and (plain == name or (_words(plain) - _FILLERS) == (_words(name) - _FILLERS))


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[^\W\d_]+", text.lower()))


def _stem(word: str) -> str:
    return word[:5]
