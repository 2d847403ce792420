"""Reward term `grounded`: 1 for a reply that quotes both answers and quotes nothing that they do not say.

What makes a quotation true is `reasrm.judging.quoted_text`, as in the filter of traces. The shortest quotation counts
like a telling one, so the term keeps a judge from inventing words and says nothing of what it does with them.
"""

from typing import Any

from reasrm.judging.trace_structure import is_grounded, read_structure
from reasrm.judging.verdict import Verdict
from reasrm.training.grpo.rewards.sampled_replies import (
    Completions,
    LogMetric,
    cut_at_stop,
    read_verdicts,
    reply_texts,
)


def grounded_reward(
    completions: Completions, response_a: list[str], response_b: list[str], log_metric: LogMetric, **_: Any
) -> list[float]:
    """1 if both answers are quoted and every quotation stands in the answer that it is ascribed to, else 0.

    Only what stands before the verdict and behind any thought counts; an unreadable reply earns 0.
    """
    texts, verdicts = reply_texts(completions), read_verdicts(completions, log_metric)
    return [
        float(isinstance(verdict, Verdict) and is_grounded(read_structure(cut_at_stop(text)), a, b))
        for text, verdict, a, b in zip(texts, verdicts, response_a, response_b, strict=True)
    ]
