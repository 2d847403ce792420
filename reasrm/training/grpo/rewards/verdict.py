"""Reward term `verdict`: +1 for the right verdict, -1 for a wrong or unreadable one (RM-R1, eq. 8)."""

from typing import Any

from reasrm.training.grpo.rewards.sampled_replies import Completions, LogMetric, right_verdicts


def verdict_reward(completions: Completions, better: list[str], log_metric: LogMetric, **_: Any) -> list[float]:
    """R(x, j | y_a, y_b) = 1 if l̂ = l, else -1, where the reply j names the side l̂ and l is the right one (eq. 8)."""
    return [1.0 if right else -1.0 for right in right_verdicts(completions, better, log_metric)]
