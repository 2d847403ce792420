"""How published judges write their decision, and how it is read; a reply that does not hold it is unreadable.

A thought decides nothing, finished or not: all rules but `anywhere` read what stands behind the thinking
(`verdict.after_thinking`), and a reply that ends inside it has no verdict.
"""

import math
import re
from collections.abc import Callable
from enum import StrEnum

from stages.judging.samples import verdict_of_scores
from stages.judging.verdict import UNWRITTEN, Unreadable, Verdict, after_thinking, read_verdict
from stages.records.comparison import Side
from stages.records.reply import Finish, Reply

Reading = tuple[Side | Unreadable, tuple[float, float] | None]
"""A side or the reason why there is none, and the scores of A and B for judges that give scores."""


class ReplyReader(StrEnum):
    """The rules."""

    LAST_ANSWER = "last_answer"
    """`<answer>[[A]]</answer>`, the last one after any thinking: our own judges and RM-R1."""
    ANYWHERE = "anywhere"
    """`[[A]]` or `[[B]]` anywhere, thoughts included, but not both: what RM-R1's harness counts, hence its figures."""
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
    if reply.finish in UNWRITTEN:
        return UNWRITTEN[reply.finish], None
    if not reply.text.strip():
        return (Unreadable.EMPTY if reply.finish is Finish.STOP else Unreadable.TRUNCATED), None
    if reader is ReplyReader.LAST_ANSWER:
        read = read_verdict(reply.text, reply.finish)
        return (read.side if isinstance(read, Verdict) else read), None
    start = 0 if reader is ReplyReader.ANYWHERE else after_thinking(reply.text)
    side, scores = (Unreadable.UNCLOSED, None) if start is None else _RULES[reader](reply.text[start:])
    if side in _UNFINISHED and reply.finish is Finish.LENGTH:
        return Unreadable.TRUNCATED, None
    return side, scores


def _anywhere(text: str) -> Reading:
    named = set(_BRACKETS.findall(text))
    if len(named) != 1:
        return (Unreadable.MALFORMED if named else Unreadable.NO_ANSWER), None
    return Side(named.pop()), None


def _last_brackets(text: str) -> Reading:
    named = _BRACKETS.findall(text)
    return (Side(named[-1]) if named else Unreadable.NO_ANSWER), None


def _answer_scores(text: str) -> Reading:
    answers = _ANSWER.findall(text)
    return _two_scores(" ".join(answers)) if answers else (Unreadable.NO_ANSWER, None)


def _boxed_scores(text: str) -> Reading:
    boxes = _BOXED.findall(text)
    return _two_scores(boxes[-1]) if boxes else (Unreadable.NO_ANSWER, None)


def _two_scores(text: str) -> Reading:
    numbers = [float(number) for number in _NUMBER.findall(text)]
    if len(numbers) != 2 or not all(math.isfinite(number) for number in numbers):
        return Unreadable.BAD_SCORE, None
    return verdict_of_scores(numbers[0], numbers[1]), (numbers[0], numbers[1])


_UNFINISHED = frozenset({Unreadable.NO_ANSWER, Unreadable.BAD_SCORE, Unreadable.UNCLOSED})
"""What a reply that the token limit cut off may still have been about to mend."""

_RULES: dict[ReplyReader, Callable[[str], Reading]] = {
    ReplyReader.ANYWHERE: _anywhere,
    ReplyReader.LAST_BRACKETS: _last_brackets,
    ReplyReader.ANSWER_SCORES: _answer_scores,
    ReplyReader.BOXED_SCORES: _boxed_scores,
}
