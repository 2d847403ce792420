"""A benchmark's score with everything that one needs in order to trust it, as one JSON object."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from stages.benchmarks.benchmark import Benchmark, CellTable, Metric, Mode, Path, UnreadableRule
from stages.benchmarks.intervals import Estimate, Interval, percentiles, wilson
from stages.benchmarks.outcome_store import Located
from stages.benchmarks.resampling import resampled
from stages.benchmarks.tally import Contributions, Counts, Tally, tally

ZERO, HALF = 0.0, 0.5


@dataclass(frozen=True)
class Settings:
    """How a score is computed."""

    mode: Mode
    unreadable: UnreadableRule
    resamples: int
    """Bootstrap samples."""
    seed: int

    def credit(self, benchmark: Benchmark) -> float:
        """What an unreadable verdict is worth."""
        fixed = {UnreadableRule.ZERO: ZERO, UnreadableRule.HALF: HALF}
        return fixed[self.unreadable] if self.unreadable in fixed else benchmark.credit(self.mode)


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
    used = settings.credit(benchmark)
    (main, zero, half), counts = tally(benchmark, groups, (used, ZERO, HALF), file)
    figures = benchmark.score(main.table(), settings.mode)
    samples = benchmark.score(resampled(main, settings.resamples, settings.seed), settings.mode)
    all_groups = main.all_contributions()
    card: dict[str, Any] = {
        "benchmark": benchmark.name.value,
        "mode": settings.mode.value,
        "unreadable_rule": f"an unreadable verdict is worth {used:g} ({settings.unreadable.value})",
        **estimate(figures["score",], samples["score",], all_groups).as_json(),
    }
    for path, metric in figures.items():
        if path != ("score",):
            _place(card, path, estimate(metric, samples[path], all_groups).as_json())
    card["score_if_unreadable_is"] = {
        "0": _headline(benchmark, zero, settings.mode),
        "0.5": _headline(benchmark, half, settings.mode),
    }
    card["sections_missing"] = [name for name in benchmark.sections if ("sections", name) not in figures]
    return Scored(card | _observed(counts), samples["score",].values)


def estimate(metric: Metric, samples: Metric, all_groups: Contributions) -> Estimate:
    """A figure with its interval: Wilson for a share of independent outcomes, else the bootstrap's percentiles."""
    value, cells = float(metric.values[0]), metric.cells
    units, groups, independent = _size(all_groups, cells)
    if metric.plain and independent:
        return Estimate(value, units, *wilson(value * units, units), Interval.WILSON)
    low, high = percentiles(samples.values)
    if high - low < 1e-12 and value in (0.0, 1.0):
        return Estimate(value, units, *wilson(value * groups, groups), Interval.WILSON_OF_GROUPS)
    return Estimate(value, units, low, high, Interval.BOOTSTRAP)


def _size(all_groups: Contributions, cells: list[int]) -> tuple[int, int, bool]:
    """Units and groups in `cells`, and whether each group has one unit there that is simply right or wrong."""
    counts, sums = all_groups.counts[:, cells].sum(axis=1), all_groups.sums[:, cells].sum(axis=1)
    there = counts > 0
    simple = (counts[there] == 1) & ((sums[there] == 0) | (sums[there] == 1))
    units = int(all_groups.frequency @ counts)
    return units, int(all_groups.frequency[there].sum()), bool(simple.all())


def _headline(benchmark: Benchmark, tally_: Tally, mode: Mode) -> float:
    table: CellTable = tally_.table()
    return float(benchmark.score(table, mode)["score",].values[0])


def _place(card: dict[str, Any], path: Path, value: Mapping[str, Any]) -> None:
    """Put `value` under the keys `path`."""
    for key in path[:-1]:
        card = card.setdefault(key, {})
    card[path[-1]] = value


def _observed(counts: Counts) -> dict[str, Any]:
    both = counts.both_orders
    return {
        "rows": counts.rows,
        "rows_per_comparison": next(iter(counts.comparisons_by_rows)),
        "groups": counts.groups,
        "unreadable": counts.unreadable,
        "unreadable_rate": counts.unreadable / counts.rows,
        "flip_rate": counts.flipped / both if both else None,
        "flip_n": both,
    }
