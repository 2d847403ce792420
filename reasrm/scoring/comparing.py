"""Two judges, A and B, on one benchmark: A minus B of every official figure, with intervals and exact tests.

Both judges' sums of a group stand side by side in one tally, over the cells of both. From it come the two scores, the
bootstrap (a drawn group counts for both) and the test, in which a group counts for the judge whose figure it raises.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from reasrm.benchmarks.benchmark import Benchmark
from reasrm.benchmarks.cell_table import CellTable, FigurePath, Metric
from reasrm.benchmarks.scoring_rule import ScoreSettings, ScoringMode, ScoringRule
from reasrm.scoring.bootstrap import resampled
from reasrm.scoring.intervals import Share
from reasrm.scoring.joint_tally import MarkedOutcomes, joint_tally, table_of
from reasrm.scoring.matching import ComparedJudge, Sides, comparisons, counted, matched
from reasrm.scoring.paired_differences import ROUNDING, holm, paired_interval, sign_test
from reasrm.scoring.scorecard import applied_rule, coverage_notes, put, unreadable_sentence
from reasrm.scoring.tally import Tally

COMPARED = ("sections", "difficulties")
"""The parts of a score whose figures are compared beside the headline."""
MARKS = ("a", "b")
"""What a cell's name begins with in the joint tally, by side."""
MEANING = {
    "a_minus_b": "A's figure minus B's, by the benchmark's rule, over the judgments that both have; ci95 by a paired "
    "bootstrap over groups (questions).",
    "p": "exact sign test (McNemar): of the groups on which A's and B's figures differ, do more favour one of the two "
    "than chance would give? Each group counts once, however much it weighs; p_holm is adjusted for looking at all "
    "sections at once.",
    "p_tests_the_difference": "whether every group that differs changes the figure by the same amount, so that p and "
    "a_minus_b are about one statistic; if not, p is about the number of groups and ci95 about the difference.",
}


def compare(benchmark: Benchmark, sides: Sides[ComparedJudge], settings: ScoreSettings) -> dict[str, Any]:
    """Compare two judges' outcomes on the comparisons that both judged.

    Raises:
        OutcomeError: they share none, contradict each other, or one's outcomes cannot be scored.
    """
    shared = matched(benchmark, sides)
    counts = [counted(benchmark, side) for side in shared]
    rules = [
        applied_rule(benchmark, replace(settings, judge=side.judge), seen)
        for side, seen in zip(sides, counts, strict=True)
    ]
    notes = dict.fromkeys(note for rule in rules for note in rule.notes)
    common = len(shared.a.outcomes)
    report: dict[str, Any] = {
        "benchmark": benchmark.name,
        "title": sides.a.title or sides.b.title or benchmark.name,
        "mode": rules[0].name.value,
        **{
            mark: {
                "name": side.name,
                "file": side.file,
                "unreadable_rule": unreadable_sentence(benchmark, rule, seen),
                "judged_alone": len(side.outcomes) - common,
            }
            for mark, side, rule, seen in zip(MARKS, sides, rules, counts, strict=True)
        },
        "judged_by_both": common,
        "notes": [*notes, *coverage_notes(benchmark.coverage(counts[0].units))],
        **_figures(benchmark, _joint(benchmark, shared, rules), settings),
        "changed": list(changed(shared)),
        "meaning": MEANING,
    }
    return report | {"warnings": [*_warnings(report)]}


def compared_figures(report: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The figures of a comparison by name, the headline first."""
    yield "score", report["score"]
    for part in COMPARED:
        yield from report.get(part, {}).items()


def changed(sides: Sides[ComparedJudge]) -> Iterator[dict[str, Any]]:
    """The comparisons on which the outcomes differ: 1 is right, 0 wrong, None unreadable."""
    a, b = (comparisons(side.outcomes) for side in sides)
    for key in sorted(a):
        if a[key] != b[key]:
            names = ("item", "part", "order", "rank")
            yield dict(zip(names, key, strict=True)) | {"a": a[key], "b": b[key]}


def _figures(benchmark: Benchmark, joint: Tally, settings: ScoreSettings) -> dict[str, Any]:
    """Headline, sections and difficulties of both, each with its difference."""
    figures = [benchmark.score(table, settings.mode) for table in _split(joint.table())]
    drawn = _split(resampled(joint, settings.resamples, settings.seed))
    samples = [benchmark.score(table, settings.mode) for table in drawn]
    paired = _Paired(joint)
    found: dict[str, Any] = {}
    for path in figures[0]:
        if path == ("score",) or path[0] in COMPARED:
            metrics = Sides(*(figure[path] for figure in figures))
            spread = samples[0][path].values - samples[1][path].values
            put(found, path, paired.entry(metrics, spread, paired.weights(benchmark, settings.mode, path)))
    for part in COMPARED:
        entries = found.get(part, {})
        for name, p in holm({name: entry["p"] for name, entry in entries.items()}).items():
            entries[name]["p_holm"] = p
    return found


def _warnings(report: dict[str, Any]) -> Iterator[str]:
    """Where the groups count against the difference that is shown."""
    for name, entry in compared_figures(report):
        more = entry["a_better"] - entry["b_better"]
        if more * entry["a_minus_b"] < 0:
            yield (
                f"{name}: A - B is {entry['a_minus_b']:+.4f}, but more groups favour {'A' if more > 0 else 'B'} "
                f"(A {entry['a_better']}, B {entry['b_better']}): p = {entry['p']:.3g} is about these numbers of "
                f"groups and does not support the difference; read its interval"
            )


def _joint(benchmark: Benchmark, shared: Sides[ComparedJudge], rules: list[ScoringRule]) -> Tally:
    """Both judges' sums per group in one tally, so that resampling a group takes both."""
    sides = zip(MARKS, shared, rules, strict=True)
    return joint_tally(
        {
            mark: MarkedOutcomes(benchmark, side.outcomes, rule.unreadable_credit, side.file)
            for mark, side, rule in sides
        }
    )


def _split(table: CellTable) -> tuple[CellTable, CellTable]:
    """The tables of A and of B."""
    a, b = (table_of(table, mark) for mark in MARKS)
    return a, b


class _Paired:
    """What A has more than B in each kind of group, cell by cell."""

    def __init__(self, joint: Tally) -> None:
        table, self.frequency = joint.kinds()
        a, b = _split(table)
        self.cells = a.cells
        self.gains = a.sums - b.sums
        """[K, C]"""
        self.units = a.counts
        """[K, C]"""

    def weights(self, benchmark: Benchmark, mode: ScoringMode, path: FigurePath) -> np.ndarray:
        """[C] by how much a figure rises if a cell's sum rises by one: figures are linear in the sums."""
        sizes = np.tile(self.frequency @ self.units, (len(self.cells), 1))
        weights: np.ndarray = benchmark.score(CellTable(self.cells, np.eye(len(self.cells)), sizes), mode)[path].values
        return weights

    def entry(self, metrics: Sides[Metric], spread: np.ndarray, weights: np.ndarray) -> dict[str, Any]:
        """A figure of both judges, their difference with its interval, and the exact test over its groups."""
        there = self.units[:, metrics.a.cells].sum(axis=1) > 0
        # In units of the figure's heaviest cell, so that what is rounding does not depend on how much there is.
        gains = self.gains[there] @ (weights / weights.max())
        test = sign_test(gains, self.frequency[there])
        groups = int(self.frequency[there].sum())
        a, b = (float(metric.values[0]) for metric in metrics)
        low, high = paired_interval(spread, Share(a, groups), Share(b, groups), test)
        sizes = np.abs(gains)[np.abs(gains) > ROUNDING]
        return {
            "a": a,
            "b": b,
            "a_minus_b": a - b,
            "ci95": [low, high],
            "groups": groups,
            "a_better": test.first_better,
            "b_better": test.second_better,
            "p": test.p,
            "p_tests_the_difference": not len(sizes) or float(np.ptp(sizes)) <= ROUNDING,
        }
