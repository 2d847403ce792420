"""A benchmark's score with everything that one needs in order to trust it, as one JSON object."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from reasrm.benchmarks.benchmark import (
    Benchmark,
    Coverage,
    JudgeKind,
    Metric,
    Mode,
    Path,
    Rule,
    RuleName,
    UnreadableRule,
)
from reasrm.benchmarks.counts import Counts
from reasrm.scoring.intervals import Estimate, Size, share_estimate
from reasrm.scoring.outcome_store import Located
from reasrm.scoring.resampling import resampled
from reasrm.scoring.tally import Contributions, tally

ZERO, HALF = 0.0, 0.5
CREDIT = {UnreadableRule.ZERO: ZERO, UnreadableRule.HALF: HALF}
SUBSETS_NAMED = 4
"""Up to so many odd subsets are named in a note; the card has all."""


@dataclass(frozen=True)
class Settings:
    """How a score is computed."""

    mode: Mode
    unreadable: UnreadableRule
    resamples: int
    """Bootstrap samples."""
    seed: int
    judge: JudgeKind = JudgeKind.GENERATIVE
    """Whose rule an outcome without verdict falls under."""


@dataclass(frozen=True)
class Scored:
    """A score and its bootstrap values."""

    card: dict[str, Any]
    """The JSON object."""
    headline: np.ndarray
    """[B] the headline in each bootstrap sample."""


def scored(benchmark: Benchmark, groups: Iterable[list[Located]], settings: Settings, file: str) -> Scored:
    """Score outcomes that come group by group; `file` is named in errors.

    Raises:
        OutcomeError: the outcomes contradict each other, are incomplete, or occur twice.
    """
    sums = tally(benchmark, groups, file)
    rule = applied_rule(benchmark, settings, sums.counts)
    main = sums.tallies[rule.credit]
    figures = benchmark.score(main.table(), settings.mode)
    samples = benchmark.score(resampled(main, settings.resamples, settings.seed), settings.mode)
    all_groups = main.all_contributions()
    card: dict[str, Any] = {
        "benchmark": benchmark.name.value,
        "mode": rule.name.value,
        "unreadable_rule": unreadable_words(benchmark, rule, sums.counts),
        **estimate(figures["score",], samples["score",], all_groups).as_json(),
    }
    for path, metric in figures.items():
        if path != ("score",):
            put(card, path, estimate(metric, samples[path], all_groups).as_json())
    card["score_if_unreadable_is"] = {
        f"{credit:g}": float(benchmark.score(sums.tallies[credit].table(), settings.mode)["score",].values[0])
        for credit in (ZERO, HALF)
    }
    coverage = benchmark.coverage(sums.counts.units)
    card["sections_missing"] = [name for name in benchmark.sections if ("sections", name) not in figures]
    card["coverage"] = _coverage_json(coverage)
    card["notes"] = [*rule.notes, *coverage_notes(coverage)]
    return Scored(card | _observed(sums.counts), samples["score",].values)


def applied_rule(benchmark: Benchmark, settings: Settings, counts: Counts) -> Rule:
    """The rule by which these outcomes are scored, and whether that is the official one.

    Raises:
        OutcomeError: no rule applies.
    """
    rule = benchmark.rule(settings.mode, settings.judge, counts)
    if settings.mode is Mode.AS_PUBLISHED and rule.name is not RuleName.AS_PUBLISHED:
        note = "RM-R1 published nothing on this benchmark: scored as without --as-published"
        rule = rule._replace(notes=(*rule.notes, note))
    asked = CREDIT.get(settings.unreadable)
    if asked is None or asked == rule.credit or not benchmark.has_credit:
        return rule
    if counts.unreadable:
        note = f"an unreadable verdict was set to {asked:g}; by the rule it is worth {rule.credit:g} ({rule.reason})"
        rule = rule._replace(name=RuleName.NOT_OFFICIAL, notes=(*rule.notes, note))
    return rule._replace(credit=asked, reason=f"as asked for: {settings.unreadable.value}")


def unreadable_words(benchmark: Benchmark, rule: Rule, counts: Counts) -> str:
    """What an unreadable verdict counts, in words."""
    words = f"is worth {rule.credit:g} ({rule.reason})" if benchmark.has_credit else f"counts {rule.reason}"
    never = f"; {counts.never_asked:,} prompts too long for the judge count 0" if counts.never_asked else ""
    return f"an unreadable verdict {words}{never if benchmark.never_asked is not None else ''}"


def coverage_notes(coverage: Mapping[str, Coverage]) -> list[str]:
    """Whether this is the whole benchmark: one sentence if not, none if it is."""
    odd = {name: one for name, one in coverage.items() if one.found != one.official}
    if not odd:
        return []
    found, official = (sum(numbers) for numbers in zip(*coverage.values(), strict=True))
    short = any(one.found < one.official for one in odd.values())
    head = "NOT the whole benchmark" if short else "more than the published benchmark"
    where = ", ".join(f"{name} {one.found:,} of {one.official:,}" for name, one in odd.items())
    if len(odd) > SUBSETS_NAMED:
        where = f"other numbers than published in {len(odd)} of {len(coverage)} subsets"
    return [f"{head}: {found:,} of {official:,} rows ({where})"]


def estimate(metric: Metric, samples: Metric, all_groups: Contributions) -> Estimate:
    """A figure with its interval."""
    size = _size(all_groups, metric.cells)
    size = size._replace(simple=size.simple and metric.plain)
    return share_estimate(float(metric.values[0]), size, lambda: samples.values)


def _size(all_groups: Contributions, cells: list[int]) -> Size:
    """Units and groups in `cells`, and whether each group has one unit there that is simply right or wrong."""
    counts, sums = all_groups.counts[:, cells].sum(axis=1), all_groups.sums[:, cells].sum(axis=1)
    there = counts > 0
    simple = (counts[there] == 1) & ((sums[there] == 0) | (sums[there] == 1))
    return Size(int(all_groups.frequency @ counts), int(all_groups.frequency[there].sum()), bool(simple.all()))


def put(card: dict[str, Any], path: Path, value: Mapping[str, Any]) -> None:
    """Put `value` under the keys `path`."""
    for key in path[:-1]:
        card = card.setdefault(key, {})
    card[path[-1]] = value


def _coverage_json(coverage: Mapping[str, Coverage]) -> dict[str, Any]:
    return {
        "found": sum(one.found for one in coverage.values()),
        "official": sum(one.official for one in coverage.values()),
        "complete": all(one.found == one.official for one in coverage.values()),
        "subsets": {name: one._asdict() for name, one in coverage.items()},
    }


def _observed(counts: Counts) -> dict[str, Any]:
    both = counts.both_orders
    return {
        "rows": counts.rows,
        "rows_per_comparison": counts.rows_per_comparison,
        "groups": counts.groups,
        "unreadable": counts.unreadable,
        "unreadable_rate": counts.unreadable / counts.rows,
        "flip_rate": counts.flipped / both if both else None,
        "flip_n": both,
    }
