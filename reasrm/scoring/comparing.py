"""Two judges on one benchmark: the difference of every official figure, with intervals and exact tests.

Both judges' sums of a group stand side by side in one tally, over the cells of both. From it come the two scores, the
bootstrap (a drawn group counts for both) and the test, in which a group counts for the judge whose figure it raises.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from reasrm.benchmarks.benchmark import Benchmark, CellTable, Metric, Mode, Path, Rule
from reasrm.scoring.intervals import Share
from reasrm.scoring.matching import Judged, Sides, comparisons, counted, matched
from reasrm.scoring.outcome_store import by_group
from reasrm.scoring.paired import holm, paired_interval, sign_test
from reasrm.scoring.resampling import resampled
from reasrm.scoring.scorecard import Settings, applied_rule, coverage_notes, put, unreadable_words
from reasrm.scoring.tally import Contributions, Tally, shape_of, signatures, units_of

TESTED = ("sections", "difficulties")
"""The parts of a score whose figures are compared beside the headline."""
MARKS = ("a", "b")
"""What a cell's name begins with in the joint tally, by side."""


def compare(benchmark: Benchmark, sides: Sides[Judged], settings: Settings) -> dict[str, Any]:
    """Compare two judges' outcomes on the comparisons that both judged.

    Raises:
        OutcomeError: they share none, contradict each other, or one's outcomes cannot be scored.
    """
    shared = matched(benchmark, sides)
    counts = Sides(*(counted(benchmark, side) for side in shared))
    rules = Sides(
        *(
            applied_rule(benchmark, replace(settings, judge=side.judge), seen)
            for side, seen in zip(sides, counts, strict=True)
        )
    )
    words = [unreadable_words(benchmark, rule, seen) for rule, seen in zip(rules, counts, strict=True)]
    notes = dict.fromkeys(note for rule in rules for note in rule.notes)
    common = len(shared.first.outcomes)
    alone = [len(side.outcomes) - common for side in sides]
    return {
        "benchmark": benchmark.name.value,
        "mode": rules.first.name.value,
        "unreadable_rules": words,
        "notes": [*notes, *coverage_notes(benchmark.coverage(counts.first.units))],
        **_figures(benchmark, _joint(benchmark, shared, rules), settings),
        "judged_by_both": common,
        "judged_by_one": sum(alone),
        "judged_by_first_alone": alone[0],
        "judged_by_second_alone": alone[1],
        "changed": list(changed(shared)),
    }


def _figures(benchmark: Benchmark, joint: Tally, settings: Settings) -> dict[str, Any]:
    """Headline, sections and difficulties of both, each with its difference."""
    figures = [benchmark.score(table, settings.mode) for table in _split(joint.table())]
    drawn = _split(resampled(joint, settings.resamples, settings.seed))
    samples = [benchmark.score(table, settings.mode) for table in drawn]
    paired = _Paired(joint)
    found: dict[str, Any] = {}
    for path in figures[0]:
        if path == ("score",) or path[0] in TESTED:
            one, other = (figure[path] for figure in figures)
            spread = samples[0][path].values - samples[1][path].values
            put(found, path, paired.entry(Sides(one, other), spread, paired.weights(benchmark, settings.mode, path)))
    for part in TESTED:
        entries = found.get(part, {})
        for name, p in holm({name: entry["p"] for name, entry in entries.items()}).items():
            entries[name]["p_holm"] = p
    return found


def changed(sides: Sides[Judged]) -> Iterator[dict[str, Any]]:
    """The comparisons on which the outcomes differ."""
    first, second = (comparisons(side.outcomes) for side in sides)
    for key in sorted(first):
        if first[key] != second[key]:
            names = ("item", "part", "order", "rank")
            yield dict(zip(names, key, strict=True)) | {"first": first[key], "second": second[key]}


def _joint(benchmark: Benchmark, shared: Sides[Judged], rules: Sides[Rule]) -> Tally:
    """Both judges' sums per group in one tally, so that resampling a group takes both."""
    joint = Tally()
    groups = Sides(*(by_group(side.outcomes) for side in shared))
    for group in groups.first:
        signature, strata = [], set()
        for mark, rule, side, outcomes in zip(MARKS, rules, shared, groups, strict=True):
            units = units_of(outcomes[group], side.file)
            strata |= {unit.stratum for unit in units.values()}
            (one,) = signatures(benchmark, shape_of(benchmark, units), (rule.credit,))
            signature += [(f"{mark}|{cell}", total, number) for cell, total, number in one]
        joint.groups[min(strata)][tuple(signature)] += 1
    return joint


def _split(table: CellTable) -> list[CellTable]:
    """The tables of the first and of the second judge."""
    tables = []
    for mark in MARKS:
        wanted = _columns(table.cells, mark)
        names = [table.cells[index].split("|", 1)[1] for index in wanted]
        tables.append(CellTable(names, table.sums[:, wanted], table.counts[:, wanted]))
    return tables


def _columns(cells: list[str], mark: str) -> list[int]:
    return [index for index, cell in enumerate(cells) if cell.startswith(f"{mark}|")]


class _Paired:
    """What the first judge has more than the second in each kind of group, cell by cell."""

    def __init__(self, joint: Tally) -> None:
        every: Contributions = joint.all_contributions()
        first, second = (_columns(joint.cells(), mark) for mark in MARKS)
        self.cells = [joint.cells()[index].split("|", 1)[1] for index in first]
        self.gains = every.sums[:, first] - every.sums[:, second]
        """[K, C]"""
        self.units = every.counts[:, first]
        """[K, C]"""
        self.frequency = every.frequency
        """[K]"""

    def weights(self, benchmark: Benchmark, mode: Mode, path: Path) -> np.ndarray:
        """[C] by how much a figure rises if a cell's sum rises by one: figures are linear in the sums."""
        sizes = np.tile(self.frequency @ self.units, (len(self.cells), 1))
        weights: np.ndarray = benchmark.score(CellTable(self.cells, np.eye(len(self.cells)), sizes), mode)[path].values
        return weights

    def entry(self, metrics: Sides[Metric], spread: np.ndarray, weights: np.ndarray) -> dict[str, Any]:
        """A figure of both judges, their difference with its interval, and the exact test over its groups."""
        there = self.units[:, metrics.first.cells].sum(axis=1) > 0
        # In units of the figure's heaviest cell, so that what is rounding does not depend on how much there is.
        test = sign_test(self.gains[there] @ (weights / weights.max()), self.frequency[there])
        groups = int(self.frequency[there].sum())
        one, other = (float(metric.values[0]) for metric in metrics)
        low, high = paired_interval(spread, Share(one, groups), Share(other, groups), test)
        return {
            "first": one,
            "second": other,
            "difference": one - other,
            "ci95": [low, high],
            "groups": groups,
            "first_better": test.first_better,
            "second_better": test.second_better,
            "p": test.p,
        }
