"""Reward term `concise`: a readable reply earns more the fewer tokens it takes.

It is blind to what the tokens say. Where all replies of a group are right, or all wrong, it is all that tells them
apart, and `scale_rewards: group` makes its small differences as large as any (docs/training.md).
"""

from collections.abc import Sequence
from typing import Any

from reasrm.judging.verdict import Verdict
from reasrm.training.grpo.rewards.sampled_replies import Completions, LogMetric, read_verdicts


def concise_reward(
    completions: Completions,
    completion_ids: Sequence[Sequence[int]],
    max_reply_tokens: list[int],
    log_metric: LogMetric,
    **_: Any,
) -> list[float]:
    """1 - n / `max_reply_tokens` for a readable reply of n tokens, and 0 for an unreadable one.

    n counts all tokens that were sampled: thoughts, what follows the verdict, and the end of the turn.
    """
    return [
        1.0 - len(ids) / most if isinstance(verdict, Verdict) else 0.0
        for verdict, ids, most in zip(
            read_verdicts(completions, log_metric), completion_ids, max_reply_tokens, strict=True
        )
    ]
