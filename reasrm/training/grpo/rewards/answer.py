"""Reward term `answer`: 1 for the right verdict, 0 otherwise (RM-R1, eq. 11: the cold-start ablation)."""

from typing import Any

from reasrm.training.grpo.rewards.sampled_replies import Completions, LogMetric, right_verdicts


def answer_reward(completions: Completions, better: list[str], log_metric: LogMetric, **_: Any) -> list[float]:
    """R_answer = 1 if the answer matches, else 0 (eq. 11, right); unreadable replies earn 0."""
    return [1.0 if right else 0.0 for right in right_verdicts(completions, better, log_metric)]
