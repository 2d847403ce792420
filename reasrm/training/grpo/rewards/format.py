"""Reward term `format`: 1 for a reply of the demanded form, 0 otherwise (RM-R1, eq. 11: the cold-start ablation)."""

from typing import Any

from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.verdict import Verdict
from reasrm.training.grpo.rewards.sampled_replies import (
    Completions,
    LogMetric,
    cut_at_stop,
    read_verdicts,
    reply_proper,
    reply_texts,
)

DEMANDED_TAGS: dict[PromptVariant, tuple[str, ...]] = {
    PromptVariant.FULL: ("<type>", "<eval>"),
    PromptVariant.FULL_CATEGORIES: ("<type>", "<eval>"),
    PromptVariant.RUBRICS: ("<rubric>", "<eval>"),
    PromptVariant.PLAIN: (),
    PromptVariant.ANSWER_ONLY: (),
}
"""What a reply must contain before a readable verdict, outside its thoughts."""


def format_reward(completions: Completions, prompt_variant: list[str], log_metric: LogMetric, **_: Any) -> list[float]:
    """R_format = 1 if the format matches, else 0 (eq. 11, left): a readable verdict and all demanded tags."""
    texts, verdicts = reply_texts(completions), read_verdicts(completions, log_metric)
    return [
        1.0 if isinstance(verdict, Verdict) and all(tag in reply_proper(cut_at_stop(text)) for tag in demanded) else 0.0
        for text, verdict, demanded in zip(texts, verdicts, _demanded(prompt_variant), strict=True)
    ]


def _demanded(prompt_variant: list[str]) -> list[tuple[str, ...]]:
    return [DEMANDED_TAGS[PromptVariant(variant)] for variant in prompt_variant]
