"""Reward term `format`: 1 for a reply of the demanded form, 0 otherwise (RM-R1, eq. 11: the cold-start ablation).

A tag counts if something stands between it and its closing tag, outside quotations; what is said there is not looked
at, but that the type is one of those that the prompt offers.
"""

import re
from typing import Any

from reasrm.judging.chain_of_rubrics import OFFERED_TYPES, PromptVariant
from reasrm.judging.quotations import blanked, quotations
from reasrm.judging.trace_structure import read_structure
from reasrm.judging.verdict import Verdict
from reasrm.training.grpo.rewards.sampled_replies import (
    Completions,
    LogMetric,
    cut_at_stop,
    read_verdicts,
    reply_texts,
)

DEMANDED_PARTS: dict[PromptVariant, tuple[str, ...]] = {
    PromptVariant.FULL: ("eval",),
    PromptVariant.FULL_CATEGORIES: ("eval",),
    PromptVariant.RUBRICS: ("rubric", "eval"),
    PromptVariant.PLAIN: (),
    PromptVariant.ANSWER_ONLY: (),
}
"""What a reply must contain before a readable verdict, outside its thoughts; besides a type where types are offered."""


def format_reward(completions: Completions, prompt_variant: list[str], log_metric: LogMetric, **_: Any) -> list[float]:
    """R_format = 1 if the format matches, else 0 (eq. 11, left): a readable verdict and all that is demanded."""
    texts, verdicts = reply_texts(completions), read_verdicts(completions, log_metric)
    return [
        float(isinstance(verdict, Verdict) and _in_form(cut_at_stop(text), PromptVariant(variant)))
        for text, verdict, variant in zip(texts, verdicts, prompt_variant, strict=True)
    ]


def _in_form(text: str, variant: PromptVariant) -> bool:
    proper = read_structure(text).text
    unquoted = blanked(proper, quotations(proper, strict=False, ended=True), sign="_")
    offered = OFFERED_TYPES.get(variant)
    if offered is not None and read_structure(unquoted).type not in offered:
        return False
    found = (re.search(rf"<{tag}>(.*?)</{tag}>", unquoted, re.DOTALL) for tag in DEMANDED_PARTS[variant])
    return all(part is not None and part[1].strip() for part in found)
