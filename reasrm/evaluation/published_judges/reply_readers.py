"""How published judges write their verdict, and how it is read; a reply that does not hold it is unreadable.

A thought decides nothing, finished or not: all rules but `anywhere` read what stands behind the thinking
(`verdict.after_thinking`), and a reply that ends inside it has no verdict.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from reasrm.judging.aggregation import Reading, verdict_of_scores
from reasrm.judging.verdict import UNWRITTEN, Unreadable, Verdict, after_thinking, read_verdict
from reasrm.records.comparison import Side
from reasrm.records.reply import Finish, Reply

Numbers = tuple[float, ...]
Read = TypeVar("Read")


class ReplyReader(StrEnum):
    """The rules by which a verdict is read."""

    LAST_ANSWER = "last_answer"
    """`<answer>[[A]]</answer>`, the last one after any thinking: our own judges and RM-R1."""
    ANYWHERE = "anywhere"
    """`[[A]]` or `[[B]]` anywhere, thoughts included, but not both: what RM-R1's harness counts, hence its figures."""
    LAST_BRACKETS = "last_brackets"
    """The last `[[A]]` or `[[B]]` after any thinking: MT-Bench's form, Self-taught evaluator, most API judges."""
    ANSWER_SCORES = "answer_scores"
    """Two numbers after the thinking, in one `<answer>` or in two: JudgeLRM (arXiv 2504.00050)."""
    BOXED_SCORES = "boxed_scores"
    r"""Two numbers in the last `\boxed{7, 5}`, one where answers are rated alone: DeepSeek-GRM (arXiv 2504.02495)."""

    @property
    def scores(self) -> bool:
        """Whether the reply holds numbers instead of a side."""
        return self in _NUMBERS


@dataclass(frozen=True, slots=True)
class ForcedVerdict:
    """How a judge whose token budget is used up is made to write its verdict and nothing else."""

    opening: str
    """What its verdict begins with; the judge goes on behind it."""
    tokens: int
    """What the rest of the verdict takes at most."""


FORCED_VERDICTS = {
    ReplyReader.LAST_ANSWER: ForcedVerdict("<answer>[[", 8),
    ReplyReader.ANYWHERE: ForcedVerdict("<answer>[[", 8),
    ReplyReader.LAST_BRACKETS: ForcedVerdict("[[", 8),
    ReplyReader.ANSWER_SCORES: ForcedVerdict("<answer>", 16),
    ReplyReader.BOXED_SCORES: ForcedVerdict("\\boxed{", 12),
}


_BRACKETS = re.compile(r"\[\[([AB])\]\]")
_ANSWER = re.compile(r"<answer>(.*?)</answer>", re.DOTALL)
_BOXED = re.compile(r"\\boxed\s*\{([^{}]*)\}")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def read_reply(reader: ReplyReader, reply: Reply) -> Reading:
    """Read `reply`, which judges both answers, by the rule `reader`."""
    if reader is ReplyReader.LAST_ANSWER:
        read = read_verdict(reply.text, reply.finish)
        return (read.side if isinstance(read, Verdict) else read), None
    part = _after_thinking(reply, thoughts_count=reader is ReplyReader.ANYWHERE)
    if isinstance(part, Unreadable):
        return part, None
    if not reader.scores:
        return _unfinished(_SIDES[reader](part), reply), None
    numbers = _unfinished(_NUMBERS[reader](part, 2), reply)
    if isinstance(numbers, Unreadable):
        return numbers, None
    return verdict_of_scores(*numbers), (numbers[0], numbers[1])


def read_ratings(reader: ReplyReader, replies: Sequence[Reply]) -> Reading:
    """Read two replies that rate A and B alone; the higher number wins, equal ones are a tie.

    Raises:
        KeyError: `reader` gives no numbers.
    """
    ratings = [_rating(reader, reply) for reply in replies]
    unread = [one for one in ratings if isinstance(one, Unreadable)]
    if unread:
        return unread[0], None
    (a,), (b,) = (one for one in ratings if not isinstance(one, Unreadable))
    return verdict_of_scores(a, b), (a, b)


def _rating(reader: ReplyReader, reply: Reply) -> Numbers | Unreadable:
    part = _after_thinking(reply, thoughts_count=False)
    return part if isinstance(part, Unreadable) else _unfinished(_NUMBERS[reader](part, 1), reply)


def _after_thinking(reply: Reply, *, thoughts_count: bool) -> str | Unreadable:
    """What stands behind the thinking, or why nothing does."""
    if reply.finish in UNWRITTEN:
        return UNWRITTEN[reply.finish]
    if not reply.text.strip():
        return Unreadable.EMPTY if reply.finish is Finish.STOP else Unreadable.TRUNCATED
    start = 0 if thoughts_count else after_thinking(reply.text)
    return reply.text[start:] if start is not None else _unfinished(Unreadable.UNCLOSED, reply)


def _unfinished(read: Read, reply: Reply) -> Read | Unreadable:
    """`read`, but what a reply lacks because the token limit cut it off is no fault of its form: it is truncated."""
    lacking = read in (Unreadable.NO_ANSWER, Unreadable.BAD_SCORE, Unreadable.UNCLOSED)
    return Unreadable.TRUNCATED if lacking and reply.finish is Finish.LENGTH else read


def _anywhere(text: str) -> Side | Unreadable:
    named = set(_BRACKETS.findall(text))
    if len(named) != 1:
        return Unreadable.MALFORMED if named else Unreadable.NO_ANSWER
    return Side(named.pop())


def _last_brackets(text: str) -> Side | Unreadable:
    named = _BRACKETS.findall(text)
    return Side(named[-1]) if named else Unreadable.NO_ANSWER


def _answer_scores(text: str, count: int) -> Numbers | Unreadable:
    answers = _ANSWER.findall(text)
    return _numbers(" ".join(answers), count) if answers else Unreadable.NO_ANSWER


def _boxed_scores(text: str, count: int) -> Numbers | Unreadable:
    boxes = _BOXED.findall(text)
    return _numbers(boxes[-1], count) if boxes else Unreadable.NO_ANSWER


def _numbers(text: str, count: int) -> Numbers | Unreadable:
    numbers = tuple(float(number) for number in _NUMBER.findall(text))
    return numbers if len(numbers) == count and all(map(math.isfinite, numbers)) else Unreadable.BAD_SCORE


_SIDES: dict[ReplyReader, Callable[[str], Side | Unreadable]] = {
    ReplyReader.ANYWHERE: _anywhere,
    ReplyReader.LAST_BRACKETS: _last_brackets,
}
_NUMBERS: dict[ReplyReader, Callable[[str, int], Numbers | Unreadable]] = {
    ReplyReader.ANSWER_SCORES: _answer_scores,
    ReplyReader.BOXED_SCORES: _boxed_scores,
}
