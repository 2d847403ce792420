"""The replies of the miniature's oracle: a pure function of the prompt's text and the model's name.

The oracle can solve every problem of the world, and the careful model, which the demo asks, always does. The lazy model
(profile `lazy-oracle`) has a PLANTED weakness, stated here and on its page: for a fixed share of the prompts of a
family it ignores the answers' content and argues from their style. The prompt's hash decides which prompts.

With the right verdict as a hint (second pass) its verdict is the hinted one; its analysis is lazy with the same share,
then a rationalisation. Of an answer in which other words stand beside the world's own, as a policy may write it, the
world's own count (`answer_contents`); one without any loses. Where both answers are worth the same, its verdict is one
side whatever stands there, so asking in both orders shows that it prefers neither. To a question from outside the world
it gives a well-formed reply that prefers the longer answer.
"""

import re
from dataclasses import dataclass

from reasrm.fake_vendor.protocols import InvalidRequestError
from reasrm.judging.chain_of_rubrics import HINT, PromptVariant, instruction
from reasrm.judging.prompt import QUESTION_END, QUESTION_START, RESPONSE_END, RESPONSE_START
from reasrm.judging.question_types import QuestionType
from reasrm.miniature.answer_contents import world_content
from reasrm.miniature.slices import Family, slice_of
from reasrm.miniature.traces import Analysis, answer_tag, careful_analysis, greater_side, layout_analysis, quote
from reasrm.records.comparison import Side
from reasrm.records.content_hash import unit_interval

LAZY_SHARES = {Family.DIAL: 0.1, Family.TURN: 0.75, Family.BOXES: 0.4, Family.CHAT: 0.7, Family.SAFE: 0.0}
"""Share of the prompts of each family that the lazy oracle judges by style alone (planted)."""
CAREFUL_MODEL = "careful"
"""A model id that contains this word names the oracle that is never lazy."""
QUOTED_WORDS = 6
"""How many words of an answer from outside the world are quoted."""

_COMPARISON = re.compile(
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


class PromptFormatError(InvalidRequestError):
    """A user turn does not hold a framed comparison; answered with a 400."""


@dataclass(frozen=True)
class FramedComparison:
    """The comparison in a judge's prompt, read back from its text."""

    question: str
    answers: tuple[str, str]
    """A and B."""
    hint: Side | None
    """The right verdict that the second pass names; None in the first."""


def oracle_reply(system: str, user: str, model: str) -> str:
    """The judgment of the prompt (`system`, `user`) by the oracle that is called `model`.

    Raises:
        PromptFormatError: the user turn does not hold a framed comparison.
    """
    comparison = read_comparison(user)
    analysis = _analyse(comparison, model)
    answers = sorted(comparison.answers)  # the same in both orders
    random_side = Side.A if unit_interval("coin", comparison.question, *answers) < 0.5 else Side.B
    return analysis.text(_variant_of(system)) + answer_tag(comparison.hint or analysis.preferred or random_side)


def _variant_of(system: str) -> PromptVariant:
    """The form that the instruction asks for; the full one where it is not one of ours."""
    return next((variant for variant in PromptVariant if instruction(variant) == system), PromptVariant.FULL)


def read_comparison(user: str) -> FramedComparison:
    """Read the framed comparison, and the hint if there is one, out of a user turn."""
    found = _COMPARISON.search(user)
    if found is None:
        raise PromptFormatError(f"no framed comparison in the user turn, which begins {user[:120]!r}")
    hinted = _HINTED.search(user, found.end())
    hint = Side(hinted["side"]) if hinted else None
    return FramedComparison(found["question"], (found["a"], found["b"]), hint)


def is_lazy(comparison: FramedComparison, family: Family, model: str) -> bool:
    """Whether `model` judges this prompt by style alone; decided by the prompt's hash, independently for each pass."""
    if CAREFUL_MODEL in model:
        return False
    return unit_interval("lazy", str(comparison.hint), comparison.question, *comparison.answers) < LAZY_SHARES[family]


def _analyse(comparison: FramedComparison, model: str) -> Analysis:
    found = slice_of(comparison.question)
    if found is None:
        return _prefer_longer(comparison)
    if is_lazy(comparison, found.family, model):
        return layout_analysis(*comparison.answers)
    a, b = (world_content(comparison.question, answer) for answer in comparison.answers)
    if a is None or b is None:
        return _prefer_an_answer(comparison, (a is not None, b is not None))
    return careful_analysis(comparison.question, a, b)


def _prefer_an_answer(comparison: FramedComparison, answered: tuple[bool, bool]) -> Analysis:
    """Where one text at least is no answer of the world to the question: the other wins."""
    rubric = "<rubric>An answer 100<justify>The question must be answered.</justify></rubric>"
    said = ["answers the question." if one else "gives no answer." for one in answered]
    return _by_excerpts(comparison, rubric, said, greater_side(*answered))


def _prefer_longer(comparison: FramedComparison) -> Analysis:
    """For a question from outside the world: the longer answer wins."""
    lengths = [len(text) for text in comparison.answers]
    rubric = "<rubric>Depth 100<justify>More text covers more of the question.</justify></rubric>"
    said = [f"{length} characters." for length in lengths]
    return _by_excerpts(comparison, rubric, said, greater_side(*lengths))


def _by_excerpts(comparison: FramedComparison, rubric: str, said: list[str], preferred: Side | None) -> Analysis:
    """The analysis that quotes the beginning of each answer and says one thing of it."""
    checks = "".join(
        f"{quote(side, _excerpt(text))} {words} "
        for side, text, words in zip(Side, comparison.answers, said, strict=True)
    )
    return Analysis(type=QuestionType.CONVERSATION, work="", rubric=rubric, checks=checks, preferred=preferred)


def _excerpt(text: str) -> str:
    """The first words of a text, exactly as they stand."""
    found = re.match(rf"\s*(\S+(?:\s+\S+){{0,{QUOTED_WORDS - 1}}})", text)
    return found.group(1)[:200] if found else text[:200]
