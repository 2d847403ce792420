"""Outcomes to sums per cell: group by group, so that memory depends on the benchmark and not on the number of rows.

Groups that contribute the same sums to the same cells are alike for the score and for its bootstrap: resampling groups
is resampling these signatures with their counts, exactly. A million outcomes leave a few hundred signatures.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from reasrm.benchmarks.benchmark import Benchmark
from reasrm.benchmarks.cell_table import CellTable
from reasrm.benchmarks.outcome import BenchmarkOutcome
from reasrm.benchmarks.outcome_counts import OutcomeCounts
from reasrm.benchmarks.scoring_rule import OutcomeError

Units = dict[str, dict[str, list[BenchmarkOutcome]]]
"""A group's outcomes: unit to part to outcomes (orders and samples)."""

Shape = tuple[tuple[str, tuple[tuple[int | None, ...], ...]], ...]
"""What a group's sums depend on: each unit's cell and `runs` (as `Benchmark.unit_value` takes them)."""

Signature = tuple[tuple[str, float, int], ...]
"""What a group adds: `(cell, sum of values, number of units)`, by cell."""


class GroupKinds(NamedTuple):
    """The different signatures of some groups, as rows of a table."""

    table: CellTable
    """One row per signature (K of them)."""
    frequency: np.ndarray
    """[K] how many groups have it."""


@dataclass
class Tally:
    """What a score is computed from."""

    groups: dict[str, Counter[Signature]] = field(default_factory=lambda: defaultdict(Counter))
    """Stratum to signatures and how often they occur."""

    def cells(self) -> list[str]:
        """Names of all cells, sorted."""
        return sorted({cell for counter in self.groups.values() for signature in counter for cell, _, _ in signature})

    def kinds_by_stratum(self) -> dict[str, GroupKinds]:
        """The signatures of each stratum (sorted), over `cells()`."""
        cells = self.cells()
        return {stratum: _group_kinds(self.groups[stratum], cells) for stratum in sorted(self.groups)}

    def kinds(self) -> GroupKinds:
        """The signatures of all strata, one below the other."""
        parts = list(self.kinds_by_stratum().values())
        sums, counts = (np.concatenate([getattr(part.table, field) for part in parts]) for field in ("sums", "counts"))
        return GroupKinds(CellTable(self.cells(), sums, counts), np.concatenate([part.frequency for part in parts]))

    def table(self) -> CellTable:
        """The sums of the data itself, B = 1."""
        table, frequency = self.kinds()
        return CellTable(table.cells, (frequency @ table.sums)[None, :], (frequency @ table.counts)[None, :])

    def with_groups_of(self, other: "Tally") -> "Tally":
        """Both together."""
        both = Tally()
        for part in (self, other):
            for stratum, found in part.groups.items():
                both.groups[stratum].update(found)
        return both


def tally(
    benchmark: Benchmark, groups: Iterable[list[BenchmarkOutcome]], file: str
) -> tuple[dict[float, Tally], OutcomeCounts]:
    """Sum the outcomes up, once for each worth of an unreadable verdict, since the worth may depend on what is seen.

    Raises:
        OutcomeError: contradictory, duplicate or missing rows; says line (of `file`), id and way out.
    """
    counts, settled = OutcomeCounts(file), Tally()
    open_ = {credit: Tally() for credit in benchmark.unreadable_credits}
    for group in groups:
        units = checked_units(benchmark, group, counts)
        found = signatures(benchmark, shape_of(benchmark, units), benchmark.unreadable_credits)
        stratum = stratum_of(units)
        if len(found) == 1:  # the same at every worth, as most groups are
            settled.groups[stratum][found[0]] += 1
        else:
            for credit, signature in zip(benchmark.unreadable_credits, found, strict=True):
                open_[credit].groups[stratum][signature] += 1
    require_same_number_of_rows(counts)
    return {credit: part.with_groups_of(settled) for credit, part in open_.items()}, counts


def checked_units(benchmark: Benchmark, group: list[BenchmarkOutcome], counts: OutcomeCounts) -> Units:
    """The units of a group, complete and free of contradictions; they are counted.

    Raises:
        OutcomeError: they are not.
    """
    units = units_of(group, counts.file)
    missing = benchmark.incomplete(units)
    if missing:
        prompt = benchmark.prompt_of(missing.unit)
        line = max(outcome.line for outcome in group if benchmark.prompt_of(outcome.unit) == prompt)
        raise OutcomeError(f"{counts.file} line {line}: {missing.message}")
    counts.groups += 1
    for parts in units.values():
        first = _first(parts)
        counts.units[first.stratum, first.cell] += 1
        for comparison in parts.values():
            counts.add(comparison)
    return units


def units_of(group: Iterable[BenchmarkOutcome], file: str) -> Units:
    """The outcomes of a group by unit.

    Raises:
        OutcomeError: two items share an id, or one comparison occurs twice.
    """
    units: Units = {}
    for outcome in group:
        parts = units.setdefault(outcome.unit, {})
        first = _first(parts) if parts else outcome
        if (first.cell, first.stratum) != (outcome.cell, outcome.stratum):
            raise OutcomeError(
                f"{file} line {outcome.line}: {outcome.unit!r} belongs to {outcome.stratum!r} here and to "
                f"{first.stratum!r} further up: two items share an id; give each its own, or correct the wrong row"
            )
        comparison = parts.setdefault(outcome.part, [])
        if outcome.order and any(_rank(seen) == _rank(outcome) for seen in comparison):
            raise OutcomeError(
                f"{file} line {outcome.line}: duplicate id: {outcome.unit!r} occurs again with order "
                f"{outcome.order!r} and sample {outcome.sample}; remove one, or number the samples"
            )
        comparison.append(outcome)
    return units


def stratum_of(units: Units) -> str:
    """The stratum in which a group is drawn: the first of its units'."""
    return min([_first(parts).stratum for parts in units.values()])


def shape_of(benchmark: Benchmark, units: Units) -> Shape:
    """What the sums of a group depend on."""
    return tuple([(_first(parts).cell, _runs(parts, benchmark.never_asked)) for parts in units.values()])


def _first(parts: dict[str, list[BenchmarkOutcome]]) -> BenchmarkOutcome:
    return next(iter(parts.values()))[0]


def _rank(outcome: BenchmarkOutcome) -> tuple[str, int]:
    return outcome.order, outcome.sample


def _runs(parts: dict[str, list[BenchmarkOutcome]], never_asked: int | None) -> tuple[tuple[int | None, ...], ...]:
    """The outcomes of all parts of a unit, once per order: outcomes of the same rank belong together."""
    ranked = [sorted(rows, key=_rank) if len(rows) > 1 else rows for rows in parts.values()]
    values = [[one.correct if one.asked else never_asked for one in rows] for rows in ranked]
    return tuple(zip(*values, strict=False))


@lru_cache(maxsize=20_000)
def signatures(benchmark: Benchmark, shape: Shape, credits: tuple[float, ...]) -> tuple[Signature, ...]:
    """What a group of this shape adds, for each credit, or once where all come to the same; remembered.

    Few shapes make up most groups.
    """
    found = tuple(_signature(benchmark, shape, credit) for credit in credits)
    return found[:1] if len(set(found)) == 1 else found


def _signature(benchmark: Benchmark, shape: Shape, credit: float) -> Signature:
    values: dict[str, list[float]] = defaultdict(list)
    for cell, runs in shape:
        values[cell].append(benchmark.unit_value(runs, credit))
    return tuple((cell, math.fsum(values[cell]), len(values[cell])) for cell in sorted(values))


def require_same_number_of_rows(counts: OutcomeCounts) -> None:
    """All comparisons must have been judged equally often.

    Raises:
        OutcomeError: they were not, or there are none.
    """
    if not counts.patterns:
        raise OutcomeError(f"{counts.file}: no outcomes in it; one JSON row per judgment is needed")
    if len(counts.comparisons_by_rows) == 1:
        return
    (usual, _), *_, (odd, how_many) = counts.comparisons_by_rows.most_common()
    one = counts.first_with[odd]
    raise OutcomeError(
        f"{counts.file} line {one.line}: duplicate id: {one.unit!r} has {odd} rows where most have {usual} ({how_many} "
        f"such); several rows of one item are its orders, and all items need the same number: remove duplicates or add "
        f"what is missing"
    )


def _group_kinds(counter: Counter[Signature], cells: list[str]) -> GroupKinds:
    position = {cell: index for index, cell in enumerate(cells)}
    sums, counts = np.zeros((len(counter), len(cells))), np.zeros((len(counter), len(cells)))
    for row, signature in enumerate(sorted(counter)):
        for cell, total, number in signature:
            sums[row, position[cell]] = total
            counts[row, position[cell]] = number
    frequency = np.array([counter[signature] for signature in sorted(counter)])
    return GroupKinds(CellTable(cells, sums, counts), frequency)
