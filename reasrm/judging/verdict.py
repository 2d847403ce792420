"""Reading a verdict out of a reply: a side, or the reason why there is none. Never a guess.

The verdict is what stands in the last `<answer>` after any `</think>`, outside quotes. The reference implementation
takes `[[A]]` anywhere in the text for A (its RewardBench harness) or looks at the last 80 characters (its reward);
both can be moved by what a judge quotes.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from reasrm.records.comparison import Side
from reasrm.records.reply import Finish


class Unreadable(StrEnum):
    """Why a reply holds no verdict."""

    EMPTY = "empty"
    REFUSED = "refused"
    TRUNCATED = "truncated"
    """The token limit came before the verdict."""
    NO_ANSWER = "no_answer"
    """No `<answer>` after the reasoning."""
    UNCLOSED = "unclosed"
    """The last `<answer>` has no `</answer>`, or the reasoning no `</think>`."""
    ONLY_QUOTED = "only_quoted"
    """The only `<answer>` stands inside a quotation of what is judged."""
    MALFORMED = "malformed"
    """The last `<answer>` holds something else than exactly one of [[A]] and [[B]]."""
    BAD_SCORE = "bad_score"
    """A scoring judge gave no finite number for an answer."""
    TIE = "tie"
    """The scores of both answers are equal, or as many samples said A as said B."""
    TOO_LONG = "too_long"
    """The prompt does not fit into the model's context; the model was not asked."""


UNWRITTEN = {Finish.REFUSED: Unreadable.REFUSED, Finish.TOO_LONG: Unreadable.TOO_LONG}
"""Ends of a reply that leave nothing to read."""


@dataclass(frozen=True)
class Verdict:
    """The side that a reply names as the better one."""

    side: Side
    start: int
    """Where the verdict's `<answer>` begins in the reply, in characters."""


STOP = "</answer>"
"""The text that ends a verdict; nothing counts behind a verdict, so a reply is cut there (`reply_end`)."""
THINK_START, THINK_END = "<think>", "</think>"

_ANSWER = re.compile(r"<answer>(.*?)(</answer>|(?=<answer>)|\Z)", re.DOTALL)
_SIDE = re.compile(r"\s*\[\[([AB])\]\]\s*")
_QUOTED = re.compile(r"<(quote_[AB]|summary_[AB])>.*?(?:</\1>|\Z)", re.DOTALL)
_WHOLE_QUOTATION = re.compile(r"<(quote_[AB]|summary_[AB])>(?:(?!<\1>).)*?</\1>", re.DOTALL)
"""From the last opening tag to its end: a tag that thinking merely mentions hides nothing."""


def read_verdict(text: str, finish: Finish = Finish.STOP) -> Verdict | Unreadable:
    """Read the verdict of a reply that ended for the reason `finish`."""
    if finish in UNWRITTEN:
        return UNWRITTEN[finish]
    if not text.strip():
        return Unreadable.EMPTY if finish is Finish.STOP else Unreadable.TRUNCATED
    start = after_thinking(text)
    if start is None:
        return _cut(finish, Unreadable.UNCLOSED)
    visible = _blank_quotes(text, start)
    answers = list(_ANSWER.finditer(visible))
    if not answers:
        return _cut(finish, Unreadable.ONLY_QUOTED if "<answer>" in text[start:] else Unreadable.NO_ANSWER)
    last = answers[-1]
    if not last.group(2):
        return _cut(finish, Unreadable.UNCLOSED)
    side = _SIDE.fullmatch(last.group(1))
    return Verdict(Side(side.group(1)), last.start()) if side else Unreadable.MALFORMED


def reply_end(text: str, stop: str = STOP) -> int | None:
    """Where a reply is cut: behind its first `stop` outside quotations; None if it goes on to its own end.

    A reply that thinks is never cut: its thoughts may rehearse a verdict, or quote the tag that would end them.
    """
    unquoted = _WHOLE_QUOTATION.sub(_spaces, text)
    if not stop or THINK_START in unquoted or THINK_END in unquoted:
        return None
    at = _blank_quotes(text, 0).find(stop)
    return None if at < 0 else at + len(stop)


def forced_ending(text: str, opening: str = "<answer>[[") -> str:
    """What, written behind the unfinished reply `text`, leaves a judge nothing to write but its verdict.

    Thinking and quotations that are open are closed; then comes `opening`, with which a verdict of this judge begins.
    """
    closed = "\n" + THINK_END if after_thinking(text) is None else ""
    open_tag = None if closed else _open_quotation(text[after_thinking(text) or 0 :])
    return f"{closed}{f'</{open_tag}>' if open_tag else ''}\n{opening}"


def after_thinking(text: str) -> int | None:
    """Where the reply proper begins; None if its thinking never ends. Thinking tags in quotations do not count."""
    unquoted = _WHOLE_QUOTATION.sub(_spaces, text)
    end = unquoted.rfind(THINK_END)
    if end >= 0:
        return end + len(THINK_END)
    return None if THINK_START in unquoted else 0


def _blank_quotes(text: str, start: int) -> str:
    """`text` of the same length with thinking and quotations replaced by spaces."""
    return " " * start + _QUOTED.sub(_spaces, text[start:])


def _open_quotation(text: str) -> str | None:
    """The tag of the quotation in which `text` ends, if it ends in one."""
    last = list(_QUOTED.finditer(text))[-1:]
    return next((found.group(1) for found in last if not found.group().endswith(f"</{found.group(1)}>")), None)


def _spaces(match: re.Match[str]) -> str:
    return " " * len(match.group())


def _cut(finish: Finish, otherwise: Unreadable) -> Unreadable:
    return Unreadable.TRUNCATED if finish is Finish.LENGTH else otherwise
