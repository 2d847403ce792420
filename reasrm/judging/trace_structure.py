"""The structure of a judge's reply: type, rubric with weights, solution, quotations; and whether quotations are true.

Nothing is decided here: the filter of traces, the report and the probes each have their own rules. Only what stands
before the verdict counts, and behind any thought. Where a quotation ends, however carelessly it is closed, is said in
`quotations.py`, what makes it true in `quoted_text.py`, what a weight is in `rubric_weights.py`.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from reasrm.judging.question_types import QuestionType
from reasrm.judging.quotations import quoted_words
from reasrm.judging.quoted_text import found_in_parts, found_whole
from reasrm.judging.rubric_weights import rubric_weights, without_justification
from reasrm.judging.verdict import Verdict, after_thinking, read_verdict
from reasrm.records.comparison import Side


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


_TYPE = re.compile(rf"<type>\s*({'|'.join(QuestionType)})\s*</type>", re.IGNORECASE)


def read_structure(text: str) -> TraceStructure:
    """The parts of a reply."""
    proper = _reply_proper(text)
    kind = _TYPE.search(proper)
    rubric = _inside(proper, "rubric")
    quoted = [(tag[:-2], Side(tag[-1]), words) for tag, words in quoted_words(proper)]
    return TraceStructure(
        text=proper,
        type=QuestionType(kind.group(1).capitalize()) if kind else None,
        rubric=None if rubric is None else without_justification(rubric).strip(),
        weights=rubric_weights(rubric or ""),
        justification=_inside(proper, "justify"),
        solution=_inside(proper, "solution"),
        evaluation=_inside(proper, "eval"),
        quotes=tuple(Quote(side, words) for tag, side, words in quoted if tag == "quote"),
        summarised=frozenset(side for tag, side, words in quoted if tag == "summary" and words.strip()),
    )


def grounding(quote: Quote, response_a: str, response_b: str) -> Grounding:
    """Where `quote` is found."""
    answers = {Side.A: response_a, Side.B: response_b}
    found = _found_in(quote.text, answers[quote.side])
    if found is not None:
        return found
    return Grounding.ABSENT if _found_in(quote.text, answers[quote.side.other]) is None else Grounding.OTHER_ANSWER


def is_grounded(structure: TraceStructure, response_a: str, response_b: str) -> bool:
    """Whether both answers are quoted and every quotation stands in the answer that it is ascribed to."""
    whole = len(structure.quoted) == len(Side)
    return whole and all(grounding(quote, response_a, response_b).holds for quote in structure.quotes)


def _found_in(quote: str, answer: str) -> Grounding | None:
    if found_whole(quote, answer):
        return Grounding.VERBATIM
    return Grounding.ELLIPSIS if found_in_parts(quote, answer) else None


def _reply_proper(text: str) -> str:
    verdict = read_verdict(text)
    end = len(text)
    if isinstance(verdict, Verdict):
        end = verdict.end
    return text[after_thinking(text[:end]) or 0 : end].strip()


def _inside(text: str, tag: str) -> str | None:
    found = re.search(rf"<{tag}>(.*?)(?:</{tag}>|\Z)", text, re.DOTALL)
    return found.group(1).strip() if found else None
