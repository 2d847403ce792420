"""How published judges write their verdict, and how it is read; a reply that does not hold it is unreadable.

A thought decides nothing, finished or not, nor does a quotation: all rules but `anywhere` read the reply proper
(`verdict.after_thinking`) without its quotations, and a reply that ends inside a thought has no verdict. `anywhere` is
kept exactly as RM-R1's harness counts, so that its figures can be reproduced. What labels say is the prompt's
(`bracket_labels`), what scores are is `written_scores`.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from reasrm.evaluation.published_judges.bracket_labels import (
    SIDES_ALONE,
    SIDES_OR_TIE,
    Alphabet,
    last_label,
    only_label,
)
from reasrm.evaluation.published_judges.written_scores import WrittenScores, read_scores
from reasrm.judging.aggregation import Reading, verdict_of_scores
from reasrm.judging.quotations import blanked, whole_quotations
from reasrm.judging.verdict import (
    UNWRITTEN,
    Unreadable,
    after_thinking,
    answer_contents,
    last_answer,
)
from reasrm.judging.visible_text import visible
from reasrm.records.comparison import Side
from reasrm.records.reply import Finish, Reply

Read = TypeVar("Read")


class ReplyReader(StrEnum):
    """The rules by which a verdict is read."""

    LAST_ANSWER = "last_answer"
    """`<answer>[[A]]</answer>`, the last one after any thinking: our own judges and RM-R1."""
    ANYWHERE = "anywhere"
    """`[[A]]` or `[[B]]` anywhere, thoughts included, but not both: what RM-R1's harness counts, hence its figures."""
    LAST_BRACKETS = "last_brackets"
    """The last label in double brackets after any thinking: MT-Bench's form, Self-taught evaluator, most API judges."""
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


_SIDE = re.compile(r"\[\[([AB])\]\]")
_BOX = re.compile(r"\\boxed\s{0,8}\{")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)


def read_reply(reader: ReplyReader, reply: Reply, alphabet: Alphabet | None = None) -> Reading:
    """Read `reply`, which judges both answers, by the rule `reader`.

    Args:
        reader: the rule.
        reply: what the judge wrote.
        alphabet: the labels that its prompt defines; None: both sides, with `last_brackets` also a tie.
    """
    if reader is ReplyReader.LAST_ANSWER:
        return _last_answer(reply, alphabet or SIDES_ALONE), None
    part = _reply_proper(reply, thoughts_count=reader is ReplyReader.ANYWHERE)
    if isinstance(part, Unreadable):
        return part, None
    if reader is ReplyReader.ANYWHERE:
        return _unfinished(_anywhere(part), reply), None
    if reader is ReplyReader.LAST_BRACKETS:
        said = last_label(part, alphabet or SIDES_OR_TIE, cut=reply.finish is Finish.LENGTH)
        return _unfinished(said, reply), None
    scores = _unfinished(_NUMBERS[reader](part, 2), reply)
    if isinstance(scores, Unreadable):
        return scores, None
    a, b = scores.values
    return verdict_of_scores(a, b), (a, b)


def read_ratings(reader: ReplyReader, replies: Sequence[Reply]) -> Reading:
    """Read two replies that rate A and B alone; the higher number wins, equal ones are a tie.

    Raises:
        KeyError: `reader` gives no numbers.
    """
    ratings = [_rating(reader, reply) for reply in replies]
    unread = [one for one in ratings if isinstance(one, Unreadable)]
    if unread:
        return unread[0], None
    of_a, of_b = (one for one in ratings if isinstance(one, WrittenScores))
    if of_a.scale != of_b.scale:
        return Unreadable.BAD_SCORE, None
    (a,), (b,) = of_a.values, of_b.values
    return verdict_of_scores(a, b), (a, b)


def _rating(reader: ReplyReader, reply: Reply) -> WrittenScores | Unreadable:
    part = _reply_proper(reply, thoughts_count=False)
    return part if isinstance(part, Unreadable) else _unfinished(_NUMBERS[reader](part, 1), reply)


def _last_answer(reply: Reply, alphabet: Alphabet) -> Side | Unreadable:
    """As `read_verdict`, but the last `<answer>` may hold what the prompt defines."""
    answer = last_answer(reply.text, reply.finish)
    return answer if isinstance(answer, Unreadable) else only_label(answer.content, alphabet)


def _reply_proper(reply: Reply, *, thoughts_count: bool) -> str | Unreadable:
    """What is seen behind the thoughts, quotations blanked, or why nothing is; all as written if thoughts count."""
    if reply.finish in UNWRITTEN:
        return UNWRITTEN[reply.finish]
    if not visible(reply.text).text.strip():
        return Unreadable.EMPTY if reply.finish is Finish.STOP else Unreadable.TRUNCATED
    if thoughts_count:
        return reply.text
    start = after_thinking(reply.text)
    if start is None:
        return _unfinished(Unreadable.UNCLOSED, reply)
    part = visible(reply.text[start:]).text
    return blanked(part, whole_quotations(part), sign="-")


def _unfinished(read: Read, reply: Reply) -> Read | Unreadable:
    """`read`, but what a reply lacks because the token limit cut it off is no fault of its form: it is truncated."""
    lacking = read in (Unreadable.NO_ANSWER, Unreadable.BAD_SCORE, Unreadable.UNCLOSED)
    return Unreadable.TRUNCATED if lacking and reply.finish is Finish.LENGTH else read


def _anywhere(text: str) -> Side | Unreadable:
    named = set(_SIDE.findall(text))
    if len(named) != 1:
        return Unreadable.MALFORMED if named else Unreadable.NO_ANSWER
    return Side(named.pop())


def _answer_scores(text: str, count: int) -> WrittenScores | Unreadable:
    contents = answer_contents(text)
    if isinstance(contents, Unreadable):
        return contents
    return read_scores(" ; ".join(content.rstrip(" \n.!") for content in contents), count) or Unreadable.BAD_SCORE


def _boxed_scores(text: str, count: int) -> WrittenScores | Unreadable:
    boxes = list(_BOX.finditer(text))
    if not boxes:
        return Unreadable.NO_ANSWER
    content = _up_to_closing_brace(text, boxes[-1].end())
    return Unreadable.UNCLOSED if content is None else read_scores(content, count) or Unreadable.BAD_SCORE


def _up_to_closing_brace(text: str, start: int) -> str | None:
    """What stands between an opening brace, behind which `start` is, and its closing one; None if there is none."""
    depth = 1
    for brace in _BRACE.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(brace.group(), 0)
        if not depth:
            return text[start : brace.start()]
    return None


_NUMBERS: dict[ReplyReader, Callable[[str, int], WrittenScores | Unreadable]] = {
    ReplyReader.ANSWER_SCORES: _answer_scores,
    ReplyReader.BOXED_SCORES: _boxed_scores,
}
