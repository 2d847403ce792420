"""The structure of a judge's reply: type, rubric with weights, solution, quotations; and whether quotations are true.

Nothing is decided here: the filter of traces, the report and the probes each have their own rules. Only what stands
before the verdict counts, and after any `</think>`. A quotation is looked for in the answer as it is, and
as the judge saw it (defused), with white space, letter case and typographic signs made equal.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from reasrm.judging.untrusted_text import defuse
from reasrm.judging.verdict import Verdict, after_thinking, read_verdict
from reasrm.records.comparison import Side


class QuestionType(StrEnum):
    """What a judge takes the question for."""

    CHAT = "Chat"
    REASONING = "Reasoning"


class Grounding(StrEnum):
    """Where a quotation is found."""

    VERBATIM = "verbatim"
    """Word for word in the answer that it is ascribed to."""
    ELLIPSIS = "ellipsis"
    """In that answer in parts, around an ellipsis."""
    OTHER_ANSWER = "other_answer"
    """Not there, but in the other answer."""
    ABSENT = "absent"
    """In neither answer: invented, or a retelling that is passed off as a quotation."""

    @property
    def holds(self) -> bool:
        """Whether the answer that it is ascribed to does say it."""
        return self in (Grounding.VERBATIM, Grounding.ELLIPSIS)


@dataclass(frozen=True, slots=True)
class Quote:
    """One quotation."""

    side: Side
    text: str


@dataclass(frozen=True, slots=True)
class TraceStructure:
    """The parts of a reply; None or empty where there is none."""

    text: str
    """The reply proper: behind any thinking, up to and with the verdict."""
    type: QuestionType | None
    rubric: str | None
    """Without the justification in it."""
    weights: tuple[float, ...]
    """Weights that the rubric gives its criteria, in their order."""
    justification: str | None
    solution: str | None
    evaluation: str | None
    quotes: tuple[Quote, ...]
    summarised: frozenset[Side]
    """Sides that are retold between summary tags."""

    @property
    def quoted(self) -> frozenset[Side]:
        """Sides of which something is quoted."""
        return frozenset(quote.side for quote in self.quotes if quote.text.strip())


SHORTEST_PART = 8
"""Characters that each part of a quotation with an ellipsis needs, so that no stray word counts as found."""

_TYPE = re.compile(r"<type>\s*(Chat|Reasoning)\s*</type>", re.IGNORECASE)
_QUOTE = re.compile(r"<quote_([AB])>(.*?)</quote_\1>", re.DOTALL)
_SUMMARY = re.compile(r"<summary_([AB])>(.*?)</summary_\1>", re.DOTALL)
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_ORDINAL = re.compile(r"^\s*(?:[-*•]\s*)?\(?\d+\s*[.):](?!\d)", re.MULTILINE)
_NUMBER = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)(?:\s*/\s*100)?(?![\w.]*\w)")
_ELLIPSIS = re.compile(r"\s*[\[(]?\s*(?:\.{3,}|…)\s*[\])]?\s*")
_FOLDED = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "′": "'", "–": "-", "—": "-", "‑": "-", "\u00a0": " "}  # noqa: RUF001
)
_OUTER = " \"'.,;:"


def read_structure(text: str) -> TraceStructure:
    """The parts of a reply."""
    proper = _reply_proper(text)
    kind = _TYPE.search(proper)
    rubric = _inside(proper, "rubric")
    return TraceStructure(
        text=proper,
        type=QuestionType(kind.group(1).capitalize()) if kind else None,
        rubric=None if rubric is None else re.sub(r"<justify>.*?(</justify>|\Z)", "", rubric, flags=re.DOTALL).strip(),
        weights=rubric_weights(rubric or ""),
        justification=_inside(proper, "justify"),
        solution=_inside(proper, "solution"),
        evaluation=_inside(proper, "eval"),
        quotes=tuple(Quote(Side(found.group(1)), found.group(2)) for found in _QUOTE.finditer(proper)),
        summarised=frozenset(Side(found.group(1)) for found in _SUMMARY.finditer(proper) if found.group(2).strip()),
    )


def rubric_weights(rubric: str) -> tuple[float, ...]:
    """The weights that a rubric gives its criteria.

    Percentages if there are any (the first of each line, where they stand on several lines); otherwise the numbers that
    neither count the lines nor belong to a word. The justification repeats weights and is left out.
    """
    listed = re.sub(r"<justify>.*?(</justify>|\Z)", "", rubric, flags=re.DOTALL)
    per_line = [found for line in listed.splitlines() if (found := _PERCENT.findall(line))]
    if len(per_line) > 1:
        return tuple(float(line[0]) for line in per_line)
    if per_line:
        return tuple(float(number) for number in per_line[0])
    return tuple(float(number) for number in _NUMBER.findall(_ORDINAL.sub("", listed)))


def grounding(quote: Quote, response_a: str, response_b: str) -> Grounding:
    """Where `quote` is found."""
    answers = {Side.A: response_a, Side.B: response_b}
    found = _found_in(quote.text, answers[quote.side])
    if found is not None:
        return found
    return Grounding.ABSENT if _found_in(quote.text, answers[quote.side.other]) is None else Grounding.OTHER_ANSWER


def folded(text: str) -> str:
    """`text` with white space, letter case and typographic signs made equal."""
    return " ".join(text.translate(_FOLDED).casefold().split())


def _found_in(quote: str, answer: str) -> Grounding | None:
    whole = folded(quote).strip(_OUTER) or folded(quote)
    haystacks = (folded(answer), folded(defuse(answer)))
    if whole and any(whole in haystack for haystack in haystacks):
        return Grounding.VERBATIM
    parts = [part for part in (folded(part).strip(_OUTER) for part in _ELLIPSIS.split(quote)) if part]
    if not parts or not _ELLIPSIS.search(quote) or min(map(len, parts)) < SHORTEST_PART:
        return None
    in_parts = any(all(part in haystack for part in parts) for haystack in haystacks)
    return Grounding.ELLIPSIS if in_parts else None


def _reply_proper(text: str) -> str:
    verdict = read_verdict(text)
    end = len(text)
    if isinstance(verdict, Verdict):
        end = verdict.end
    return text[after_thinking(text[:end]) or 0 : end].strip()


def _inside(text: str, tag: str) -> str | None:
    found = re.search(rf"<{tag}>(.*?)(?:</{tag}>|\Z)", text, re.DOTALL)
    return found.group(1).strip() if found else None
