"""Outcomes to sums per cell: group by group, so that memory depends on the benchmark and not on the number of rows.

Groups that contribute the same sums to the same cells are alike for the score and for its bootstrap: resampling groups
is resampling these signatures with their counts, exactly. A million outcomes leave a few hundred signatures.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from reasrm.benchmarks.benchmark import Benchmark, CellTable, OutcomeError
from reasrm.benchmarks.counts import Counts, Place
from reasrm.scoring.outcome_store import Located

Signature = tuple[tuple[str, float, int], ...]
"""What a group adds: `(cell, sum of values, number of units)`, by cell."""

Runs = tuple[tuple[int | None, ...], ...]
"""A unit's outcomes: one tuple per order or sample, with one outcome per part."""

Shape = tuple[tuple[str, Runs], ...]
"""A group's units: the cell and the outcomes of each."""


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
    """What a score is computed from."""

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

    def with_groups_of(self, other: "Tally") -> "Tally":
        """Both together."""
        both = Tally()
        for part in (self, other):
            for stratum, found in part.groups.items():
                both.groups[stratum].update(found)
        return both

    def table(self) -> CellTable:
        """The sums of the data itself, B = 1."""
        every = self.all_contributions()
        return CellTable(
            self.cells(), (every.frequency @ every.sums)[None, :], (every.frequency @ every.counts)[None, :]
        )


class Unit(NamedTuple):
    """All outcomes of one unit."""

    cell: str
    stratum: str
    parts: dict[str, list[Located]]


class Sums(NamedTuple):
    """Outcomes summed up: once for each worth of an unreadable verdict, since the worth may depend on what is seen."""

    tallies: dict[float, Tally]
    counts: Counts


def tally(benchmark: Benchmark, groups: Iterable[list[Located]], file: str) -> Sums:
    """Sum the outcomes up; `file` is named in errors.

    Raises:
        OutcomeError: contradictory, duplicate or missing rows; says line, id and way out.
    """
    counts, settled = Counts(file), Tally()
    open_ = {credit: Tally() for credit in benchmark.credits}
    for group in groups:
        units = checked_units(benchmark, group, counts)
        found = signatures(benchmark, shape_of(benchmark, units), benchmark.credits)
        stratum = min([unit.stratum for unit in units.values()])
        if len(found) == 1:  # the same at every worth, as most groups are
            settled.groups[stratum][found[0]] += 1
        else:
            for one, signature in zip(open_.values(), found, strict=True):
                one.groups[stratum][signature] += 1
    require_same_number_of_rows(counts)
    return Sums({credit: one.with_groups_of(settled) for credit, one in open_.items()}, counts)


def checked_units(benchmark: Benchmark, group: list[Located], counts: Counts) -> dict[str, Unit]:
    """The units of a group, complete and free of contradictions; they are counted.

    Raises:
        OutcomeError: they are not.
    """
    units = units_of(group, counts.file)
    lack = benchmark.lack({name: unit.parts for name, unit in units.items()})
    if lack:
        prompt = benchmark.prompt_of(lack.unit)
        line = max(located.line for located in group if benchmark.prompt_of(located.outcome.unit) == prompt)
        raise OutcomeError(f"{counts.file} line {line}: {lack.message}")
    counts.groups += 1
    for name, unit in units.items():
        counts.units[unit.stratum, unit.cell] += 1
        for part, rows in unit.parts.items():
            kind = tuple([(outcome.order, outcome.correct, outcome.asked) for _, outcome in rows])
            counts.add(kind, Place(rows[-1].line, name), part)
    return units


def units_of(group: Iterable[Located], file: str) -> dict[str, Unit]:
    """The outcomes of a group by unit.

    Raises:
        OutcomeError: two items share an id, or one comparison occurs twice.
    """
    units: dict[str, Unit] = {}
    for located in group:
        outcome = located.outcome
        unit = units.get(outcome.unit)
        if unit is None:
            unit = units[outcome.unit] = Unit(outcome.cell, outcome.stratum, {})
        elif (unit.cell, unit.stratum) != (outcome.cell, outcome.stratum):
            raise OutcomeError(
                f"{file} line {located.line}: {outcome.unit!r} belongs to {outcome.stratum!r} here and to "
                f"{unit.stratum!r} further up: two items share an id; give each its own, or correct the wrong row"
            )
        rows = unit.parts.setdefault(outcome.part, [])
        if outcome.order and any(_rank(seen) == _rank(located) for seen in rows):
            raise OutcomeError(
                f"{file} line {located.line}: duplicate id: {outcome.unit!r} occurs again with order "
                f"{outcome.order!r} and sample {outcome.sample}; remove one, or number the samples"
            )
        rows.append(located)
    return units


def shape_of(benchmark: Benchmark, units: Mapping[str, Unit]) -> Shape:
    """What the sums of a group depend on."""
    return tuple([(unit.cell, _runs(unit, benchmark.never_asked)) for unit in units.values()])


def _rank(located: Located) -> tuple[str, int]:
    return located.outcome.order, located.outcome.sample


def _runs(unit: Unit, never_asked: int | None) -> Runs:
    """The outcomes of all parts of a unit, once per order: rows of the same rank belong together."""
    ranked = [sorted(rows, key=_rank) if len(rows) > 1 else rows for rows in unit.parts.values()]
    values = [[one.outcome.correct if one.outcome.asked else never_asked for one in rows] for rows in ranked]
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


def require_same_number_of_rows(counts: Counts) -> None:
    """All comparisons must have been judged equally often.

    Raises:
        OutcomeError: they were not, or there are none.
    """
    if not counts.kinds:
        raise OutcomeError(f"{counts.file}: no outcomes in it; one JSON row per judgment is needed")
    if len(counts.comparisons_by_rows) == 1:
        return
    (usual, _), *_, (odd, how_many) = counts.comparisons_by_rows.most_common()
    line, unit = counts.first_with[odd]
    raise OutcomeError(
        f"{counts.file} line {line}: duplicate id: {unit!r} has {odd} rows where most have {usual} ({how_many} such); "
        f"several rows of one item are its orders, and all items need the same number: remove duplicates or add what "
        f"is missing"
    )


def _arrays(counter: Counter[Signature], position: dict[str, int]) -> Contributions:
    sums = np.zeros((len(counter), len(position)))
    counts = np.zeros((len(counter), len(position)))
    for row, signature in enumerate(sorted(counter)):
        for cell, total, number in signature:
            sums[row, position[cell]] = total
            counts[row, position[cell]] = number
    return Contributions(sums, counts, np.array([counter[signature] for signature in sorted(counter)]))
