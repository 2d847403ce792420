"""The criteria of a rubric by name and weight, and where an evaluation takes each of them up.

Weights are those of `rubric_weights`; a name is what stands with a weight, up to a colon or a dash that explains it. A
rubric whose weights cannot be ascribed to one name each has no criteria here.
"""

import re
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

    A heading begins a line, is the criterion's name or begins with it, and ends at a colon, a full stop or the line's
    end. A criterion ends where the next one begins, or at a paragraph that sums up.
    """
    starts: list[tuple[int, int, str]] = []
    for line in re.finditer(r"^.*$", evaluation, re.MULTILINE):
        heading = _LIST_MARK.sub("", re.sub(r"^\s*(?:on|for|regarding|in terms of)\s+", "", line.group(), flags=re.I))
        title = re.split(r"[:.(]|\s[-–—]\s", heading, maxsplit=1)[0]  # noqa: RUF001
        named = [one.name for one in rubric if _same_name(title, one.name)]
        if len(named) == 1 and named[0] not in {name for *_, name in starts}:
            begin = line.start() + line.group().find(title) + len(title)
            starts.append((line.start(), begin, named[0]))
    if not starts:
        return {}
    last = starts[-1][1]
    sums_up = _SUMS_UP.search(evaluation, last)
    ends = [start for start, *_ in starts[1:]] + [sums_up.start() if sums_up else len(evaluation)]
    return {name: evaluation[begin:end] for (_, begin, name), end in zip(starts, ends, strict=True)}


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
