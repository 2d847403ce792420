"""Whether a retrained judge takes the old one's place: better where the two differ, and no worse on the benchmarks.

Hard cases that were picked because the old judge failed on them flatter any other judge: errors that are chance happen
elsewhere the next time. So the two are compared on pairs of prompts that were held out, and the oracle referees where
they differ (`CandidateKind.CONTESTED`), a rule that favours neither. On all other pairs the difference is exactly zero,
which makes the gain over all of the policy's held-out pairs known as well.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from reasrm.records.comparison import Side
from reasrm.records.hard_case import RelabelledCandidate, RelabelOutcome, Verdicts
from reasrm.scoring.bootstrap import bootstrap_means
from reasrm.scoring.paired_differences import PairedDifference, difference

PERCENTILES = (2.5, 97.5)


class GateRules(BaseModel):
    """When a round is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    most_benchmark_loss: float = Field(ge=0, le=1)
    """The interval of the difference on the old benchmarks must not reach below minus this, nor lie below zero."""
    resamples: int = Field(ge=100)
    seed: int


class GateFigures(NamedTuple):
    """What the decision rests on; shares, new minus old."""

    hard_cases: PairedDifference | None
    """On the contested pairs that the oracle labelled; None if there are none."""
    hard_old: float
    hard_new: float
    pairs: int
    """The labelled contested pairs; `hard_cases.n` are their prompts."""
    overall: tuple[float, float, float]
    """Over all held-out pairs of the policy: value and interval."""
    benchmarks: PairedDifference
    benchmarks_old: float
    benchmarks_new: float


def order_accuracy(verdicts: Verdicts, better: Side) -> float:
    """Share of both orders in which a judge named the better answer; no verdict is not right."""
    return sum(side is better for side in verdicts) / len(verdicts)


def prompt_values(found: Sequence[RelabelledCandidate], judge: str) -> dict[str, float]:
    """A judge's accuracy on the labelled candidates of each prompt."""
    values: dict[str, list[float]] = defaultdict(list)
    for one in found:
        if one.better is not None:
            pair = one.candidate.pair
            values[pair.prompt_id].append(order_accuracy(one.candidate.verdicts[judge], one.better))
    return {prompt: sum(some) / len(some) for prompt, some in values.items()}


def figures(
    found: Sequence[RelabelledCandidate],
    held_out: Mapping[str, int],
    benchmarks: tuple[Mapping[str, float], Mapping[str, float]],
    judges: tuple[str, str],
    rules: GateRules,
) -> GateFigures:
    """All that the decision rests on.

    Args:
        found: the contested pairs with what the oracle said.
        held_out: how many held-out pairs each prompt has, contested or not.
        benchmarks: the old and the new judge's accuracy by question.
        judges: the old and the new judge's names.
        rules: of the bootstrap.
    """
    old, new = (prompt_values(found, judge) for judge in judges)
    hard = difference(new, old, rules.resamples, rules.seed) if old else None
    before, after = benchmarks
    return GateFigures(
        hard_cases=hard,
        hard_old=_mean(old),
        hard_new=_mean(new),
        pairs=sum(one.better is not None for one in found),
        overall=_overall(found, held_out, judges, rules),
        benchmarks=difference(after, before, rules.resamples, rules.seed),
        benchmarks_old=_mean(before),
        benchmarks_new=_mean(after),
    )


def decide(figures_of: GateFigures, rules: GateRules) -> tuple[bool, str]:
    """Whether the round is kept, and why in words."""
    hard, old = figures_of.hard_cases, figures_of.benchmarks
    if hard is None:
        return False, "the oracle labelled no pair on which the two judges differ, so no gain is shown"
    if old.high < 0:
        return False, f"significant loss on the benchmarks: {_points(old)}"
    if old.low < -rules.most_benchmark_loss:
        return False, (
            f"a loss of more than {100 * rules.most_benchmark_loss:.1f} points on the benchmarks cannot be excluded: "
            f"{_points(old)}"
        )
    if hard.low <= 0:
        return False, f"no significant gain on hard cases: {_points(hard)}"
    return True, f"gain on hard cases {_points(hard)}, benchmarks {_points(old)}"


def decision_document(
    figures_of: GateFigures, rules: GateRules, judges: tuple[str, str], spent: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """The decision with both figures and what the oracle cost; `spent` by what was asked for."""
    kept, why = decide(figures_of, rules)
    usd = [one["usd"] for one in spent.values()]
    dollars = None if None in usd else sum(usd)
    gain, low, high = figures_of.overall
    hard = figures_of.hard_cases
    return {
        "kept": kept,
        "why": why,
        "judges": {"old": judges[0], "new": judges[1]},
        "hard_cases": {
            "pairs": figures_of.pairs,
            "old": figures_of.hard_old,
            "new": figures_of.hard_new,
            "difference": hard.as_json() if hard else None,
        },
        "all_held_out_pairs": {"difference": gain, "ci95": [low, high]},
        "benchmarks": {
            "old": figures_of.benchmarks_old,
            "new": figures_of.benchmarks_new,
            "difference": figures_of.benchmarks.as_json(),
        },
        "oracle": {
            "questions": {name: one["questions"] for name, one in spent.items()},
            "usd": dollars,
            "usd_per_point_on_hard_cases": _per_point(dollars, hard.value if hard else 0.0),
            "usd_per_point_on_all_pairs": _per_point(dollars, gain),
        },
        "rules": rules.model_dump(),
    }


def _overall(
    found: Sequence[RelabelledCandidate], held_out: Mapping[str, int], judges: tuple[str, str], rules: GateRules
) -> tuple[float, float, float]:
    """The difference over all held-out pairs with its interval; prompts are drawn.

    Contested pairs beyond the cap on questions are taken to be like the asked ones, which were drawn at random. A pair
    that the oracle gave no label counts as none on which one judge is better.
    """
    asked = sum(one.outcome is not RelabelOutcome.OVER_LIMIT for one in found)
    if not asked:
        return 0.0, 0.0, 0.0
    gains: dict[str, float] = dict.fromkeys(held_out, 0.0)
    for one in found:
        if one.better is not None:
            old, new = (order_accuracy(one.candidate.verdicts[judge], one.better) for judge in judges)
            prompt = one.candidate.pair.prompt_id
            gains[prompt] += (new - old) / held_out[prompt] * len(found) / asked
    deltas = np.array([gains[prompt] for prompt in sorted(gains)])
    low, high = np.percentile(bootstrap_means(deltas, rules.resamples, rules.seed), PERCENTILES)
    return float(deltas.mean()), float(low), float(high)


def _per_point(usd: float | None, gain: float) -> float | None:
    """Dollars per point (a hundredth) gained; None where nothing was gained or the price is unknown."""
    return None if usd is None or gain <= 0 else usd / (100 * gain)


def _mean(values: Mapping[str, float]) -> float:
    return sum(values.values()) / len(values) if values else 0.0


def _points(figure: PairedDifference) -> str:
    return f"{100 * figure.value:+.1f} points [{100 * figure.low:+.1f}, {100 * figure.high:+.1f}], n = {figure.n:,}"
