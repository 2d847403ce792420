"""How published judges write their decision, and how it is read; a reply that does not hold it is unreadable."""

import math
import re
from collections.abc import Callable
from enum import StrEnum

from stages.judging.samples import verdict_of_scores
from stages.judging.verdict import Unreadable, Verdict, read_verdict
from stages.records.comparison import Side
from stages.records.reply import Finish, Reply

Reading = tuple[Side | Unreadable, tuple[float, float] | None]
"""A side or the reason why there is none, and the scores of A and B for judges that give scores."""


class ReplyReader(StrEnum):
    """The rules."""

    LAST_ANSWER = "last_answer"
    """`<answer>[[A]]</answer>`, the last one after any thinking: our own judges and RM-R1."""
    ANYWHERE = "anywhere"
    """`[[A]]` or `[[B]]` anywhere, but not both: what RM-R1's harness counts, hence its published figures."""
    LAST_BRACKETS = "last_brackets"
    """The last `[[A]]` or `[[B]]` after any thinking: MT-Bench's form, Self-taught evaluator, most API judges."""
    ANSWER_SCORES = "answer_scores"
    """Two numbers after the thinking, in one `<answer>` or in two: JudgeLRM (arXiv 2504.00050)."""
    BOXED_SCORES = "boxed_scores"
    r"""Two numbers in the last `\boxed{7, 5}`: DeepSeek-GRM, pairwise (arXiv 2504.02495)."""


_BRACKETS = re.compile(r"\[\[([AB])\]\]")
_ANSWER = re.compile(r"<answer>(.*?)</answer>", re.DOTALL)
_BOXED = re.compile(r"\\boxed\s*\{([^{}]*)\}")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def read_reply(reader: ReplyReader, reply: Reply) -> Reading:
    """Read `reply` by the rule `reader`."""
    if reply.finish is Finish.REFUSED:
        return Unreadable.REFUSED, None
    if not reply.text.strip():
        return (Unreadable.EMPTY if reply.finish is Finish.STOP else Unreadable.TRUNCATED), None
    side, scores = _RULES[reader](reply)
    if side in (Unreadable.NO_ANSWER, Unreadable.BAD_SCORE) and reply.finish is Finish.LENGTH:
        return Unreadable.TRUNCATED, None
    return side, scores


def _last_answer(reply: Reply) -> Reading:
    read = read_verdict(reply.text, reply.finish)
    return (read.side if isinstance(read, Verdict) else read), None


def _anywhere(reply: Reply) -> Reading:
    named = set(_BRACKETS.findall(reply.text))
    if len(named) != 1:
        return (Unreadable.MALFORMED if named else Unreadable.NO_ANSWER), None
    return Side(named.pop()), None


def _last_brackets(reply: Reply) -> Reading:
    named = _BRACKETS.findall(_after_thinking(reply.text))
    return (Side(named[-1]) if named else Unreadable.NO_ANSWER), None


def _answer_scores(reply: Reply) -> Reading:
    answers = _ANSWER.findall(_after_thinking(reply.text))
    return _two_scores(" ".join(answers)) if answers else (Unreadable.NO_ANSWER, None)


def _boxed_scores(reply: Reply) -> Reading:
    boxes = _BOXED.findall(_after_thinking(reply.text))
    return _two_scores(boxes[-1]) if boxes else (Unreadable.NO_ANSWER, None)


def _two_scores(text: str) -> Reading:
    numbers = [float(number) for number in _NUMBER.findall(text)]
    if len(numbers) != 2 or not all(math.isfinite(number) for number in numbers):
        return Unreadable.BAD_SCORE, None
    return verdict_of_scores(numbers[0], numbers[1]), (numbers[0], numbers[1])


def _after_thinking(text: str) -> str:
    return text.rpartition("</think>")[2]


_RULES: dict[ReplyReader, Callable[[Reply], Reading]] = {
    ReplyReader.LAST_ANSWER: _last_answer,
    ReplyReader.ANYWHERE: _anywhere,
    ReplyReader.LAST_BRACKETS: _last_brackets,
    ReplyReader.ANSWER_SCORES: _answer_scores,
    ReplyReader.BOXED_SCORES: _boxed_scores,
}
