"""Reward term `consistency`: whether a reply prefers the answer that the other order of its pair prefers.

A judge that always errs in the same way earns it as well as one that is always right: it rewards agreement, not truth,
so it belongs beside a term that looks at the better answer.
"""

from collections import Counter
from typing import Any

from reasrm.judging.verdict import Verdict
from reasrm.records.comparison import Side
from reasrm.training.grpo.rewards.sampled_replies import Completions, LogMetric, read_verdicts


def consistency_reward(
    completions: Completions, better: list[str], group: list[int], log_metric: LogMetric, **_: Any
) -> list[float]:
    """1 for the answer that most readable replies to the other order of the same group prefer, -1 for the other one.

    0 where they have no majority: as many for each answer, or none is readable. An unreadable reply earns -1 in any
    case. Which answer a reply prefers does not depend on where it is shown. `group` numbers the groups over all
    processes, of which a group's replies may lie in several.
    """
    from accelerate.utils import gather_object

    preferred = [
        verdict.side is Side(side) if isinstance(verdict, Verdict) else None
        for verdict, side in zip(read_verdicts(completions, log_metric), better, strict=True)
    ]
    votes = Counter(gather_object(list(zip(group, better, preferred, strict=True))))

    def earned(number: int, side: str, prefers_better: bool | None) -> float:
        if prefers_better is None:
            return -1.0
        other = Side(side).other.value
        majority = votes[number, other, prefers_better] - votes[number, other, not prefers_better]
        return float((majority > 0) - (majority < 0))

    return [earned(*reply) for reply in zip(group, better, preferred, strict=True)]
