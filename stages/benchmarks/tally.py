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

from stages.benchmarks.benchmark import Benchmark, CellTable, OutcomeError
from stages.benchmarks.outcome_store import Located

Signature = tuple[tuple[str, float, int], ...]
"""What a group adds: `(cell, sum of values, number of units)`, by cell."""


Runs = tuple[tuple[int | None, ...], ...]
"""A unit's outcomes: one tuple per order or sample, with one outcome per part."""


class Contributions(NamedTuple):
    """One stratum: its signatures as rows of numbers."""

    sums: np.ndarray
    """[K, C]"""
    counts: np.ndarray
    """[K, C]"""
    frequency: np.ndarray
    """[K] how many groups have this signature."""


@dataclass
class Tally:
    """What a score is computed from, for one worth of unreadable verdicts."""

    credit: float
    groups: dict[str, Counter[Signature]] = field(default_factory=lambda: defaultdict(Counter))
    """Stratum to signatures and how often they occur."""

    def cells(self) -> list[str]:
        """Names of all cells, sorted."""
        return sorted({cell for counter in self.groups.values() for signature in counter for cell, _, _ in signature})

    def contributions(self) -> dict[str, Contributions]:
        """Per stratum (sorted), the signatures as arrays over `cells()`."""
        position = {cell: index for index, cell in enumerate(self.cells())}
        return {stratum: _arrays(self.groups[stratum], position) for stratum in sorted(self.groups)}

    def all_contributions(self) -> Contributions:
        """The signatures of all strata, one below the other."""
        parts = list(self.contributions().values())
        return Contributions(
            np.concatenate([part.sums for part in parts]),
            np.concatenate([part.counts for part in parts]),
            np.concatenate([part.frequency for part in parts]),
        )

    def table(self) -> CellTable:
        """The sums of the data itself, B = 1."""
        every = self.all_contributions()
        return CellTable(
            self.cells(), (every.frequency @ every.sums)[None, :], (every.frequency @ every.counts)[None, :]
        )


@dataclass
class Counts:
    """What was seen beside the score."""

    rows: int = 0
    unreadable: int = 0
    units: int = 0
    groups: int = 0
    both_orders: int = 0
    """Comparisons with at least two readable outcomes."""
    flipped: int = 0
    """Those whose outcomes differ."""
    lines_by_rows: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Rows per comparison to one line with that many, and its unit."""
    comparisons_by_rows: Counter[int] = field(default_factory=Counter)


class Unit(NamedTuple):
    """All outcomes of one unit."""

    cell: str
    stratum: str
    parts: dict[str, list[Located]]


def tally(
    benchmark: Benchmark, groups: Iterable[list[Located]], credits: Iterable[float], file: str
) -> tuple[list[Tally], Counts]:
    """Sum the outcomes up, once for each worth of an unreadable verdict.

    Raises:
        OutcomeError: contradictory, duplicate or missing rows; says line, id and way out.
    """
    tallies, counts = [Tally(credit) for credit in credits], Counts()
    for group in groups:
        units = _units(group, file)
        lacking = benchmark.missing_units(list(units))
        if lacking:
            raise OutcomeError(f"{file} line {group[-1].line}: {lacking}")
        _count(counts, units, len(group))
        shape = tuple((unit.cell, _runs(unit)) for unit in units.values())
        stratum = min(unit.stratum for unit in units.values())
        for one in tallies:
            one.groups[stratum][_signature(benchmark, shape, one.credit)] += 1
    _same_number_of_rows(counts, file)
    return tallies, counts


def _units(group: list[Located], file: str) -> dict[str, Unit]:
    units: dict[str, Unit] = {}
    for located in group:
        outcome = located.outcome
        unit = units.get(outcome.unit)
        if unit is None:
            unit = units[outcome.unit] = Unit(outcome.cell, outcome.stratum, {})
        elif (unit.cell, unit.stratum) != (outcome.cell, outcome.stratum):
            raise OutcomeError(
                f"{file} line {located.line}: {outcome.unit!r} belongs to {outcome.stratum!r} here and to "
                f"{unit.stratum!r} further up: two items share an id"
            )
        rows = unit.parts.setdefault(outcome.part, [])
        if outcome.order and any(_place(seen) == _place(located) for seen in rows):
            raise OutcomeError(
                f"{file} line {located.line}: duplicate id: {outcome.unit!r} occurs again with order "
                f"{outcome.order!r} and sample {outcome.sample}; remove one, or number the samples"
            )
        rows.append(located)
    return units


def _place(located: Located) -> tuple[str, int]:
    return located.outcome.order, located.outcome.sample


def _runs(unit: Unit) -> Runs:
    """The outcomes of all parts of a unit, once per order: rows of the same rank belong together."""
    ranked = [sorted(rows, key=_place) if len(rows) > 1 else rows for rows in unit.parts.values()]
    return tuple(tuple(located.outcome.correct for located in run) for run in zip(*ranked, strict=False))


@lru_cache(maxsize=20_000)
def _signature(benchmark: Benchmark, shape: tuple[tuple[str, Runs], ...], credit: float) -> Signature:
    """What a group of this shape adds; remembered, since few shapes make up most groups."""
    values: dict[str, list[float]] = defaultdict(list)
    for cell, runs in shape:
        values[cell].append(benchmark.unit_value(runs, credit))
    return tuple((cell, math.fsum(values[cell]), len(values[cell])) for cell in sorted(values))


def _count(counts: Counts, units: dict[str, Unit], rows: int) -> None:
    counts.rows += rows
    counts.groups += 1
    counts.units += len(units)
    for name, unit in units.items():
        for part in unit.parts.values():
            readable = [located.outcome.correct for located in part if located.outcome.correct is not None]
            counts.unreadable += len(part) - len(readable)
            counts.both_orders += len(readable) > 1
            counts.flipped += len(set(readable)) > 1
            counts.comparisons_by_rows[len(part)] += 1
            counts.lines_by_rows.setdefault(len(part), (part[-1].line, name))


def _same_number_of_rows(counts: Counts, file: str) -> None:
    if not counts.rows:
        raise OutcomeError(f"{file}: no outcomes in it; one JSON row per judgment is needed")
    if len(counts.comparisons_by_rows) == 1:
        return
    (usual, _), *_, (odd, how_many) = counts.comparisons_by_rows.most_common()
    line, unit = counts.lines_by_rows[odd]
    raise OutcomeError(
        f"{file} line {line}: duplicate id: {unit!r} has {odd} rows where most have {usual} ({how_many} such); several "
        f"rows of one item are its orders, and all items need the same number: remove duplicates or add what is missing"
    )


def _arrays(counter: Counter[Signature], position: dict[str, int]) -> Contributions:
    sums = np.zeros((len(counter), len(position)))
    counts = np.zeros((len(counter), len(position)))
    for row, signature in enumerate(sorted(counter)):
        for cell, total, number in signature:
            sums[row, position[cell]] = total
            counts[row, position[cell]] = number
    return Contributions(sums, counts, np.array([counter[signature] for signature in sorted(counter)]))
