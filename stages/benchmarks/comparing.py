"""Two judges on one benchmark: the difference of every official figure, with intervals and exact tests."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from stages.benchmarks.benchmark import Benchmark, CellTable, OutcomeError, Path
from stages.benchmarks.comparison_sources import comparisons
from stages.benchmarks.intervals import percentiles
from stages.benchmarks.outcome_store import Located, by_group
from stages.benchmarks.paired import holm, sign_test
from stages.benchmarks.resampling import resampled
from stages.benchmarks.scorecard import Settings
from stages.benchmarks.tally import Tally, tally

TESTED = ("sections", "difficulties")
"""The parts of a score whose figures are compared beside the headline."""


class Sides(NamedTuple):
    """The same thing of both judges."""

    first: Any
    second: Any


def compare(benchmark: Benchmark, sides: Sides, settings: Settings) -> dict[str, Any]:
    """Compare two judges' outcomes on the comparisons that both judged.

    Raises:
        OutcomeError: they share none, or one's outcomes cannot be scored.
    """
    shared = _shared(benchmark, sides)
    grouped = Sides(by_group(shared.first), by_group(shared.second))
    values = Sides(*(_tallied(benchmark, outcomes, settings) for outcomes in grouped))
    joint = _joint(benchmark, grouped, settings)
    figures = [benchmark.score(table, settings.mode) for table in _split(joint.table())]
    samples = [
        benchmark.score(table, settings.mode) for table in _split(resampled(joint, settings.resamples, settings.seed))
    ]
    wanted = [path for path in figures[0] if path == ("score",) or path[0] in TESTED]
    cells = values.first.cells()
    report: dict[str, Any] = {"benchmark": benchmark.name.value, "mode": settings.mode.value}
    for path in wanted:
        one, other = (float(figure[path].values[0]) for figure in figures)
        low, high = percentiles(samples[0][path].values - samples[1][path].values)
        names = {cells[index] for index in figures[0][path].cells}
        entry = {"first": one, "second": other, "difference": one - other, "ci95": [low, high]}
        _place(report, path, entry | _tested(benchmark, grouped, names, settings))
    _adjust(report)
    alone = sum(len(side) for side in sides) - 2 * len(shared.first)
    return report | {"judged_by_both": len(shared.first), "judged_by_one": alone, "changed": list(changed(shared))}


def changed(sides: Sides) -> Iterator[dict[str, Any]]:
    """The comparisons on which the outcomes differ."""
    first, second = comparisons(sides.first), comparisons(sides.second)
    for key in sorted(first):
        if first[key] != second[key]:
            unit, part, order, rank = key
            yield {
                "item": unit,
                "part": part,
                "order": order,
                "rank": rank,
                "first": first[key],
                "second": second[key],
            }


def _shared(benchmark: Benchmark, sides: Sides) -> Sides:
    """The outcomes of the units that both judged completely alike (same parts, orders and number of rows)."""
    keys = [Counter((entry.outcome.unit, entry.outcome.part, entry.outcome.order) for entry in side) for side in sides]
    differing = {key[0] for key in keys[0].keys() | keys[1].keys() if keys[0][key] != keys[1][key]}
    shared = Sides(*([entry for entry in side if entry.outcome.unit not in differing] for side in sides))
    if not shared.first:
        raise OutcomeError(f"the two share no judgment of {benchmark.name.value}: not the same items, or other orders")
    return shared


def _tallied(benchmark: Benchmark, groups: Mapping[str, list[Located]], settings: Settings) -> Tally:
    return tally(benchmark, groups.values(), (settings.credit(benchmark),), "outcomes")[0][0]


def _joint(benchmark: Benchmark, grouped: Sides, settings: Settings) -> Tally:
    """Both judges' sums per group in one tally, so that resampling a group takes both."""
    joint = Tally(settings.credit(benchmark))
    for group in grouped.first:
        signature, strata = [], []
        for side, groups in zip("ab", grouped, strict=True):
            one = _tallied(benchmark, {group: groups[group]}, settings)
            for stratum, counter in one.groups.items():
                strata.append(stratum)
                signature += [(f"{side}|{cell}", total, number) for cell, total, number in next(iter(counter))]
        joint.groups[min(strata)][tuple(signature)] += 1
    return joint


def _split(table: CellTable) -> list[CellTable]:
    """The tables of the first and of the second judge."""
    tables = []
    for side in "ab":
        wanted = [index for index, cell in enumerate(table.cells) if cell.startswith(f"{side}|")]
        names = [table.cells[index].split("|", 1)[1] for index in wanted]
        tables.append(CellTable(names, table.sums[:, wanted], table.counts[:, wanted]))
    return tables


def _tested(benchmark: Benchmark, grouped: Sides, cells: set[str], settings: Settings) -> dict[str, Any]:
    """The exact test over the groups of a figure."""
    values = Sides(*(_group_values(benchmark, groups, cells, settings) for groups in grouped))
    test = sign_test([values.first[key] for key in values.first], [values.second[key] for key in values.first])
    return {
        "groups": len(values.first),
        "first_better": test.first_better,
        "second_better": test.second_better,
        "p": test.p,
    }


def _group_values(
    benchmark: Benchmark, groups: Mapping[str, Iterable[Located]], cells: set[str], settings: Settings
) -> dict[str, float]:
    """How much of each group is right, within `cells`."""
    values = {}
    for group, outcomes in groups.items():
        inside = [entry for entry in outcomes if entry.outcome.cell in cells]
        if inside:
            credit = settings.credit(benchmark)
            values[group] = sum(credit if entry.outcome.correct is None else entry.outcome.correct for entry in inside)
    return values


def _adjust(report: dict[str, Any]) -> None:
    """Add Holm's adjusted p values within each part."""
    for part in TESTED:
        entries = report.get(part, {})
        for name, p in holm({name: entry["p"] for name, entry in entries.items()}).items():
            entries[name]["p_holm"] = p


def _place(report: dict[str, Any], path: Path, entry: dict[str, Any]) -> None:
    """Put a figure under the keys `path`."""
    for key in path[:-1]:
        report = report.setdefault(key, {})
    report[path[-1]] = entry
