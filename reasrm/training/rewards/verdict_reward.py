"""The reward of a sampled reply: is its verdict the right one (paper, eq. 8), or answer plus format (eq. 11)."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.verdict import Unreadable, Verdict, read_verdict, reply_end
from reasrm.records.comparison import Side


class RewardRule(StrEnum):
    """What a reply earns."""

    VERDICT = "verdict"
    """+1 for the right verdict, -1 for a wrong or unreadable one (eq. 8)."""
    ANSWER_AND_FORMAT = "answer_and_format"
    """1 for the right verdict plus 1 for the demanded form, each 0 otherwise (eq. 11: the cold-start ablation)."""


DEMANDED_TAGS: dict[PromptVariant, tuple[str, ...]] = {
    PromptVariant.FULL: ("<type>", "<eval>"),
    PromptVariant.RUBRICS: ("<rubric>", "<eval>"),
    PromptVariant.PLAIN: (),
    PromptVariant.ANSWER_ONLY: (),
}
"""What a reply must contain besides a readable verdict to have the demanded form."""


def cut_at_stop(text: str) -> str:
    """The reply as every engine cuts it: nothing behind its verdict."""
    return text[: reply_end(text)]


def reply_reward(reply: str, better: Side, rule: RewardRule, variant: PromptVariant) -> float:
    """What one reply earns when the better answer stands on the side `better`."""
    verdict = read_verdict(cut_at_stop(reply))
    right = isinstance(verdict, Verdict) and verdict.side is better
    if rule is RewardRule.VERDICT:
        return 1.0 if right else -1.0
    return float(right) + float(_has_form(reply, verdict, variant))


def reward_function(rule: RewardRule, variant: PromptVariant) -> Callable[..., list[float]]:
    """The reward as TRL calls it; it also logs how many replies are readable and how many name A.

    TRL gives conversational `completions` and the data set's column `better`.
    """

    def verdict_reward(
        completions: list[list[dict[str, str]]], better: list[str], log_metric: Callable[[str, float], None], **_: Any
    ) -> list[float]:
        texts = [completion[0]["content"] for completion in completions]
        sides = [v.side for v in map(read_verdict, map(cut_at_stop, texts)) if isinstance(v, Verdict)]
        log_metric("readable", len(sides) / len(texts))
        if sides:
            log_metric("verdict_a_share", sides.count(Side.A) / len(sides))
        return [reply_reward(text, Side(side), rule, variant) for text, side in zip(texts, better, strict=True)]

    return verdict_reward


def _has_form(reply: str, verdict: Verdict | Unreadable, variant: PromptVariant) -> bool:
    return isinstance(verdict, Verdict) and all(tag in reply for tag in DEMANDED_TAGS[variant])
