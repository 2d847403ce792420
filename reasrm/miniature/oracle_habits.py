"""The miniature's oracle: what it answers to a judge's prompt. A pure function of the prompt's text.

The oracle can solve every problem of the world, but it has PLANTED habits, stated here and in the report: for a fixed
share of the prompts of a family the lazy model does not look at the content and argues from the answers' style. Which
prompts, is decided by their hash. The headroom that reinforcement can win back in the default ladder is exactly this
laziness; the careful model has none.

Asked again with the right verdict as a hint, it obeys: the verdict is the hinted one, and the reasoning is lazy again
with the same share, a rationalisation then. Text from outside the world gets a well-formed reply that prefers the
longer answer.
"""

import re
from dataclasses import dataclass

from reasrm.fake_vendor.protocols import InvalidRequestError
from reasrm.judging.chain_of_rubrics import HINT
from reasrm.judging.prompt import QUESTION_END, QUESTION_START, RESPONSE_END, RESPONSE_START
from reasrm.miniature import chat_families as chat
from reasrm.miniature import reasoning_families as reasoning
from reasrm.miniature.traces import Judged, answer_tag, careful, looks, quote
from reasrm.records.comparison import Side
from reasrm.records.content_hash import unit_interval

LAZY_SHARES = {"sum": 0.1, "turn": 0.75, "swap": 0.4, "chat": 0.7, "safe": 0.0}
"""Share of the prompts of each family that the lazy oracle judges by looks (planted)."""
CAREFUL_MODEL = "careful"
"""A model id that contains this word names the oracle without the lazy habit."""
QUOTED_WORDS = 6
"""How many words of an answer from outside the world are quoted."""

_CASE = re.compile(
    "".join(
        (
            re.escape(QUESTION_START), r"\n(?P<question>.*?)\n", re.escape(QUESTION_END), r"\n\n",
            re.escape(RESPONSE_START[Side.A]), r"\n(?P<a>.*?)\n", re.escape(RESPONSE_END[Side.A]), r"\n\n",
            re.escape(RESPONSE_START[Side.B]), r"\n(?P<b>.*?)\n", re.escape(RESPONSE_END[Side.B]),
        )
    ),
    re.DOTALL,
)  # fmt: skip
_HINTED = re.compile(re.escape(HINT).replace(re.escape("{side}"), "(?P<side>[AB])"))


class NotAJudgePromptError(InvalidRequestError):
    """The oracle was sent something else than a judge's prompt."""


@dataclass(frozen=True)
class Case:
    """What a judge's prompt shows, read back from its text."""

    question: str
    response_a: str
    response_b: str
    hint: Side | None
    """The verdict that the second pass tells; None in the first."""


def oracle_reply(system: str, user: str, model: str) -> str:
    """The oracle's judgment of the prompt (`system`, `user`), in the habits of `model`.

    Raises:
        NotAJudgePromptError: the user turn does not hold a framed comparison.
    """
    case = read_case(user)
    judged = _judge(case, model)
    coin = Side.A if unit_interval("coin", case.question, case.response_a, case.response_b) < 0.5 else Side.B
    return judged.text + answer_tag(case.hint or judged.argues_for or coin)


def read_case(user: str) -> Case:
    """Read the framed comparison, and the hint if there is one, out of a user turn."""
    found = _CASE.search(user)
    if found is None:
        raise NotAJudgePromptError(f"no framed comparison in the user turn, which begins {user[:120]!r}")
    hinted = _HINTED.search(user, found.end())
    hint = Side(hinted["side"]) if hinted else None
    return Case(found["question"], found["a"], found["b"], hint)


def family_of(question: str) -> str | None:
    """The world's family of a question; None for text from outside the world."""
    words = question.split()
    family = reasoning.family_of(question)
    if family:
        return family.value
    if len(words) == 4 and words[0] in chat.KINDS and words[2] == "to":
        return "chat"
    if len(words) == 6 and words[:3] == ["how", "do", "i"] and words[3] in chat.HARMFUL + chat.HARMLESS:
        return "safe"
    return None


def is_lazy(case: Case, family: str, model: str) -> bool:
    """Whether `model` judges this prompt by looks; decided by the prompt's hash, anew for each pass."""
    if CAREFUL_MODEL in model:
        return False
    draw = unit_interval("lazy", str(case.hint), case.question, case.response_a, case.response_b)
    return draw < LAZY_SHARES[family]


def _judge(case: Case, model: str) -> Judged:
    family = family_of(case.question)
    if family is not None:
        try:
            if is_lazy(case, family, model):
                return looks(case.response_a, case.response_b)
            return careful(case.question, case.response_a, case.response_b)
        except (KeyError, IndexError, ValueError):
            """The texts only begin like the world's."""
    return _longer(case)


def _longer(case: Case) -> Judged:
    """The stated habit for foreign text: the longer answer wins."""
    lengths = len(case.response_a), len(case.response_b)
    excerpts = "".join(
        f"{quote(side, _excerpt(text))} {length} characters. "
        for side, text, length in zip(Side, (case.response_a, case.response_b), lengths, strict=True)
    )
    rubric = "<rubric>Depth 100<justify>More text covers more of the question.</justify></rubric>"
    argues_for = None if lengths[0] == lengths[1] else (Side.A if lengths[0] > lengths[1] else Side.B)
    return Judged(f"<type>Chat</type>{rubric}<eval>{excerpts}</eval>", argues_for)


def _excerpt(text: str) -> str:
    """The first words of a text, exactly as they stand."""
    found = re.match(rf"\s*(\S+(?:\s+\S+){{0,{QUOTED_WORDS - 1}}})", text)
    return found.group(1)[:200] if found else text[:200]
