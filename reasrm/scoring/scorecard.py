"""A benchmark's score with everything that one needs in order to trust it, as one JSON object."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from reasrm.benchmarks.benchmark import Benchmark, Coverage
from reasrm.benchmarks.cell_table import FigurePath, Metric
from reasrm.benchmarks.outcome import BenchmarkOutcome
from reasrm.benchmarks.outcome_counts import OutcomeCounts
from reasrm.benchmarks.scoring_rule import RuleName, ScoreSettings, ScoringMode, ScoringRule, UnreadableRule
from reasrm.scoring.bootstrap import resampled
from reasrm.scoring.intervals import ScoreEstimate, share_estimate
from reasrm.scoring.tally import GroupKinds, tally

ZERO, HALF = 0.0, 0.5
CREDIT = {UnreadableRule.ZERO: ZERO, UnreadableRule.HALF: HALF}
SUBSETS_NAMED = 4
"""Up to so many odd subsets are named in a note; the card has all."""


@dataclass(frozen=True)
class ScoredBenchmark:
    """A score and its bootstrap values."""

    card: dict[str, Any]
    """The JSON object."""
    headline: np.ndarray
    """[B] the headline in each bootstrap sample."""


def scored(
    benchmark: Benchmark, groups: Iterable[list[BenchmarkOutcome]], settings: ScoreSettings, file: str
) -> ScoredBenchmark:
    """Score outcomes that come group by group; `file` is named in errors.

    Raises:
        OutcomeError: the outcomes contradict each other, are incomplete, or occur twice.
    """
    tallies, counts = tally(benchmark, groups, file)
    rule = applied_rule(benchmark, settings, counts)
    main = tallies[rule.unreadable_credit]
    figures = benchmark.score(main.table(), settings.mode)
    samples = benchmark.score(resampled(main, settings.resamples, settings.seed), settings.mode)
    all_groups = main.kinds()
    card: dict[str, Any] = {
        "benchmark": benchmark.name,
        "mode": rule.name.value,
        "unreadable_rule": unreadable_sentence(benchmark, rule, counts),
        **estimate(figures["score",], samples["score",], all_groups).as_json(),
    }
    for path, metric in figures.items():
        if path != ("score",):
            put(card, path, estimate(metric, samples[path], all_groups).as_json())
    card["score_if_unreadable_is"] = {
        f"{credit:g}": float(benchmark.score(tallies[credit].table(), settings.mode)["score",].values[0])
        for credit in (ZERO, HALF)
    }
    coverage = benchmark.coverage(counts.units)
    card["sections_missing"] = [name for name in benchmark.sections if ("sections", name) not in figures]
    card["coverage"] = _coverage_json(coverage)
    card["notes"] = [*rule.notes, *coverage_notes(coverage)]
    return ScoredBenchmark(card | _observed(counts), samples["score",].values)


def applied_rule(benchmark: Benchmark, settings: ScoreSettings, counts: OutcomeCounts) -> ScoringRule:
    """The rule by which these outcomes are scored, and whether that is the official one.

    Raises:
        OutcomeError: no rule applies.
    """
    rule = benchmark.rule(settings.mode, settings.judge, counts)
    if settings.mode is ScoringMode.AS_PUBLISHED and rule.name is not RuleName.AS_PUBLISHED:
        note = "RM-R1 published nothing on this benchmark: scored as without --as-published"
        rule = rule._replace(notes=(*rule.notes, note))
    asked = CREDIT.get(settings.unreadable)
    if asked is None or asked == rule.unreadable_credit or not benchmark.unreadable_has_credit:
        return rule
    if counts.unreadable:
        by_the_rule = f"by the rule it is worth {rule.unreadable_credit:g} ({rule.reason})"
        note = f"an unreadable verdict was set to {asked:g}; {by_the_rule}"
        rule = rule._replace(name=RuleName.NOT_OFFICIAL, notes=(*rule.notes, note))
    return rule._replace(unreadable_credit=asked, reason=f"as asked for: {settings.unreadable.value}")


def unreadable_sentence(benchmark: Benchmark, rule: ScoringRule, counts: OutcomeCounts) -> str:
    """What an unreadable verdict counts, in words."""
    words = (
        f"is worth {rule.unreadable_credit:g} ({rule.reason})"
        if benchmark.unreadable_has_credit
        else f"counts {rule.reason}"
    )
    never = (
        f"; {counts.never_asked:,} prompts that the judge was not asked (too long, or not rendered) count 0"
        if counts.never_asked
        else ""
    )
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


def estimate(metric: Metric, samples: Metric, all_groups: GroupKinds) -> ScoreEstimate:
    """A figure with its interval; it is a simple share if each group has one unit in it that is right or wrong."""
    table, frequency = all_groups
    counts, sums = table.counts[:, metric.cells].sum(axis=1), table.sums[:, metric.cells].sum(axis=1)
    there = counts > 0
    simple = (counts[there] == 1) & ((sums[there] == 0) | (sums[there] == 1))
    return share_estimate(
        float(metric.values[0]),
        units=int(frequency @ counts),
        groups=int(frequency[there].sum()),
        simple=bool(simple.all()) and metric.plain,
        samples=lambda: samples.values,
    )


def put(card: dict[str, Any], path: FigurePath, value: Mapping[str, Any]) -> None:
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


def _observed(counts: OutcomeCounts) -> dict[str, Any]:
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
