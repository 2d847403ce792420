"""Reading a verdict out of a reply: a side, or the reason why there is none. Never a guess.

The verdict is what stands in the last `<answer>` of the reply proper: behind the last thought (`thought_marks`) and
outside quotations (`quotations`). A reply that ends inside a thought has none. Tags count in any letter case and with
spaces in them; spaces, mark-up and invisible characters around the verdict's brackets say nothing. All else in the last
`<answer>` than exactly one of [[A]] and [[B]] is no verdict: neither a tie nor an echo of the format.

The reference implementation takes `[[A]]` anywhere in the text for A (its RewardBench harness) or looks at the last 80
characters (its reward); both can be moved by what a judge quotes.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from reasrm.judging.quotations import GAP, MARKUP, blanked, open_quotation, quotations, whole_quotations
from reasrm.judging.thought_marks import Thoughts, read_thoughts
from reasrm.judging.visible_text import visible
from reasrm.records.comparison import Side
from reasrm.records.reply import Finish


class Unreadable(StrEnum):
    """Why a reply holds no verdict."""

    EMPTY = "empty"
    REFUSED = "refused"
    TRUNCATED = "truncated"
    """The token limit came before the verdict."""
    NO_ANSWER = "no_answer"
    """No `<answer>` after the thoughts."""
    UNCLOSED = "unclosed"
    """The last `<answer>` has no `</answer>`, or a thought has no end."""
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
    UNRENDERABLE = "unrenderable"
    """The checkpoint's chat template does not render this prompt as it is; the model was not asked."""


UNWRITTEN = {
    Finish.REFUSED: Unreadable.REFUSED,
    Finish.TOO_LONG: Unreadable.TOO_LONG,
    Finish.UNRENDERABLE: Unreadable.UNRENDERABLE,
}
"""Ends of a reply that leave nothing to read."""
NEVER_ASKED = frozenset({Unreadable.TOO_LONG, Unreadable.UNRENDERABLE})
"""Reasons for which a judge was not asked at all."""


@dataclass(frozen=True)
class Verdict:
    """The side that a reply names as the better one."""

    side: Side
    start: int
    """Where the verdict's `<answer>` begins in the reply, in characters."""
    letter: int
    """Where the letter stands that names the side."""
    end: int
    """Where the verdict's `</answer>` ends."""


@dataclass(frozen=True)
class Answer:
    """The last `<answer>` of a reply, whatever it holds."""

    content: str
    """What is seen in it."""
    start: int
    """Where it begins in the reply, in characters."""
    end: int
    """Where its `</answer>` ends."""
    places: Sequence[int]
    """Where each character of `content` stands."""


STOP = "</answer>"
"""The text that ends a verdict; nothing counts behind a verdict, so a reply is cut there (`reply_end`)."""
OPENING, CLOSING = rf"<{GAP}answer{GAP}>", rf"<{GAP}/{GAP}answer{GAP}>"
"""Patterns of the tags around a verdict, in any letter case."""

_ANSWER = re.compile(rf"{OPENING}(?P<content>.*?)(?P<closing>{CLOSING}|(?={OPENING})|\Z)", re.DOTALL | re.IGNORECASE)
_CLOSING = re.compile(CLOSING, re.IGNORECASE)


def bracketed(labels: str) -> str:
    """The pattern of one of `labels` (a pattern) in double brackets, whatever brackets, spaces and mark-up are used."""
    opening, closing = r"[\[［【]", r"[\]］】]"  # noqa: RUF001
    return rf"\\?{MARKUP.join((opening, opening, f'(?P<label>{labels})', closing, closing))}"


LETTERS = "[ABab\uff21\uff22\uff41\uff42]"
"""The letters that name a side, East Asian full-width ones too."""
_SIDE = re.compile(f"{MARKUP}{bracketed(LETTERS)}{MARKUP}")
_LAST_SIDE = re.compile(rf"{bracketed(LETTERS)}{MARKUP}\Z")


def read_verdict(text: str, finish: Finish = Finish.STOP) -> Verdict | Unreadable:
    """Read the verdict of a reply that ended for the reason `finish`."""
    answer = last_answer(text, finish)
    if isinstance(answer, Unreadable):
        return answer
    named = _SIDE.fullmatch(answer.content)
    if named is None:
        return Unreadable.MALFORMED
    side = Side(unicodedata.normalize("NFKC", named["label"]).upper())
    return Verdict(side, answer.start, answer.places[named.start("label")], answer.end)


def last_answer(text: str, finish: Finish = Finish.STOP) -> Answer | Unreadable:
    """The last `<answer>` of a reply proper, outside quotations; or why there is none."""
    if finish in UNWRITTEN:
        return UNWRITTEN[finish]
    seen = visible(text)
    if not seen.text.strip():
        return Unreadable.EMPTY if finish is Finish.STOP else Unreadable.TRUNCATED
    start = _reply_proper(seen.text)
    if start is None:
        return _cut(finish, Unreadable.UNCLOSED)
    quoted = quotations(seen.text, start, strict=False, ended=finish is Finish.STOP)
    answers = list(_ANSWER.finditer(blanked(seen.text, quoted), start))
    if not answers:
        only_quoted = _ANSWER.search(seen.text, start)
        return _cut(finish, Unreadable.ONLY_QUOTED if only_quoted else Unreadable.NO_ANSWER)
    last = answers[-1]
    if not last["closing"]:
        return _cut(finish, Unreadable.UNCLOSED)
    places = seen.places[last.start("content") : last.end("content")]
    return Answer(last["content"], seen.start(last.start()), seen.end(last.end()), places)


def answer_contents(text: str) -> list[str] | Unreadable:
    """What stands in each `<answer>` of a reply proper, quotations not looked for; or why nothing does."""
    answers = list(_ANSWER.finditer(visible(text).text))
    if not answers:
        return Unreadable.NO_ANSWER
    return [found["content"] for found in answers] if answers[-1]["closing"] else Unreadable.UNCLOSED


def ending_letter(text: str) -> int | None:
    """Where the letter stands in the brackets that end a reply, behind its thoughts; None if no such brackets do."""
    seen = visible(text)
    start = _reply_proper(seen.text)
    found = None if start is None else _LAST_SIDE.search(seen.text, start)
    return seen.start(found.start("label")) if found else None


def reply_end(text: str, stop: str = STOP) -> int | None:
    """Where a reply is cut: behind its first `stop` outside quotations; None if it goes on to its own end.

    A reply that thinks is never cut: its thoughts may rehearse a verdict, or quote the tag that would end them.
    """
    seen = visible(text)
    if not stop or _thoughts(seen.text).marked:
        return None
    unquoted = blanked(seen.text, quotations(seen.text, strict=True))
    pattern = _CLOSING if stop == STOP else re.compile(re.escape(stop))
    found = pattern.search(unquoted)
    return seen.end(found.end()) if found else None


def drawing_end(text: str, stop: str = STOP) -> int | None:
    """Where an engine that looks at a reply while it is drawn ends it; None if it lets it run to its own end.

    That is `reply_end` of the first beginning of `text` that has one. What a sampler that does not stop there writes
    behind it, be it the mark of a thought, cannot undo a verdict with which every engine would have ended.
    """
    seen = visible(text)
    pattern = _CLOSING if stop == STOP else re.compile(re.escape(stop))
    beginnings = (text[: seen.end(found.end())] for found in pattern.finditer(seen.text))
    return next((end for one in beginnings if (end := reply_end(one, stop)) is not None), None)


def thinks(text: str) -> bool:
    """Whether there is any mark of a thought in `text`, outside quotations."""
    return _thoughts(visible(text).text).marked


def forced_ending(text: str, opening: str = "<answer>[[") -> str:
    """What, written behind the unfinished reply `text`, leaves a judge nothing to write but its verdict.

    Thoughts and quotations that are open are closed; then comes `opening`, with which a verdict of this judge begins.
    """
    seen = visible(text).text
    thoughts = _thoughts(seen)
    closed = "".join(f"\n{mark.closing}" for mark in reversed(thoughts.still_open))
    open_tag = None if closed else open_quotation(seen, thoughts.end)
    return f"{closed}{f'</{open_tag}>' if open_tag else ''}\n{opening}"


def after_thinking(text: str) -> int | None:
    """Where the reply proper begins; None if a thought never ends. Marks of thoughts in quotations do not count."""
    seen = visible(text)
    start = _reply_proper(seen.text)
    return None if start is None else seen.end(start)


def _reply_proper(text: str) -> int | None:
    thoughts = _thoughts(text)
    return None if thoughts.still_open else thoughts.end


def _thoughts(text: str) -> Thoughts:
    return read_thoughts(blanked(text, whole_quotations(text), sign="_"))


def _cut(finish: Finish, otherwise: Unreadable) -> Unreadable:
    return Unreadable.TRUNCATED if finish is Finish.LENGTH else otherwise
