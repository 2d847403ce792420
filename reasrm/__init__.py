"""Reasoning reward models: judges that reason before they decide, trained and evaluated.

    reasrm.judge(prompt, a, b, model=..., base_url=...)     two answers judged in both orders
    reasrm.open_judge(...)                                  a judge that stays open
    reasrm.judge_pairs(judge, [Pair(prompt, a, b), ...])    many pairs judged by it, each in both orders
    reasrm.judge_reward(url)                                a served judge as TRL's reward function
    reasrm.score(benchmark, outcomes)                       outcomes from anywhere, by a benchmark's own rule
    reasrm.compare(benchmark, a, b)                         two judges on the same comparisons
    reasrm.read_verdict(reply)                              the side that a reply names, or why it names none

and the records: `Message`, `Pair`, `PreferencePair`, `Comparison`, `Side`, `Reply`, `ComparisonJudgment`,
`PairwiseJudgment`, `Verdict`, `Unreadable`. A name is imported when it is first used, so that `import reasrm` costs
nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reasrm.evaluation.judge_opening import judge_once as judge
    from reasrm.evaluation.judge_opening import open_judge
    from reasrm.evaluation.pairwise_judgment import Pair, PairwiseJudgment, judge_pairs
    from reasrm.judging.verdict import Unreadable, Verdict, read_verdict
    from reasrm.records.comparison import Comparison, Side
    from reasrm.records.judgment import ComparisonJudgment
    from reasrm.records.pair import Message, PreferencePair
    from reasrm.records.reply import Reply
    from reasrm.scoring.outcome_scores import compare_outcomes as compare
    from reasrm.scoring.outcome_scores import score_outcomes as score
    from reasrm.serving.judge_reward import judge_reward

FINGERPRINT_EXEMPT = "it names what users import; no stage takes a name from here"

_PUBLIC = {
    "Comparison": ("records.comparison", "Comparison"),
    "ComparisonJudgment": ("records.judgment", "ComparisonJudgment"),
    "Message": ("records.pair", "Message"),
    "Pair": ("evaluation.pairwise_judgment", "Pair"),
    "PairwiseJudgment": ("evaluation.pairwise_judgment", "PairwiseJudgment"),
    "PreferencePair": ("records.pair", "PreferencePair"),
    "Reply": ("records.reply", "Reply"),
    "Side": ("records.comparison", "Side"),
    "Unreadable": ("judging.verdict", "Unreadable"),
    "Verdict": ("judging.verdict", "Verdict"),
    "compare": ("scoring.outcome_scores", "compare_outcomes"),
    "judge": ("evaluation.judge_opening", "judge_once"),
    "judge_pairs": ("evaluation.pairwise_judgment", "judge_pairs"),
    "judge_reward": ("serving.judge_reward", "judge_reward"),
    "open_judge": ("evaluation.judge_opening", "open_judge"),
    "read_verdict": ("judging.verdict", "read_verdict"),
    "score": ("scoring.outcome_scores", "score_outcomes"),
}
"""Public name to the module below `reasrm` and the name in it."""

__all__ = [
    "Comparison",
    "ComparisonJudgment",
    "Message",
    "Pair",
    "PairwiseJudgment",
    "PreferencePair",
    "Reply",
    "Side",
    "Unreadable",
    "Verdict",
    "compare",
    "judge",
    "judge_pairs",
    "judge_reward",
    "open_judge",
    "read_verdict",
    "score",
]


def __getattr__(name: str) -> Any:
    """The public name, imported now.

    Raises:
        AttributeError: there is none of this name.
    """
    if name not in _PUBLIC:
        raise AttributeError(f"module 'reasrm' has no attribute {name!r}; it has {', '.join(__all__)}")
    module, inside = _PUBLIC[name]
    return getattr(importlib.import_module(f"reasrm.{module}"), inside)


def __dir__() -> list[str]:
    """The public names."""
    return list(__all__)
