"""Which outcomes of two judges are about the same: units are matched, and both get the same groups, strata and cells.

The two may know different things of a unit: judgments know which items share a prompt, an outcome file may not; one may
name JudgeBench's split and the other not. So group, stratum and cell are taken from the side that knows more.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, TypeVar

from reasrm.benchmarks.benchmark import Benchmark
from reasrm.benchmarks.outcome import BenchmarkOutcome
from reasrm.benchmarks.outcome_counts import OutcomeCounts
from reasrm.benchmarks.scoring_rule import OutcomeError
from reasrm.records.judge_kind import JudgeKind
from reasrm.scoring.outcome_files import by_group
from reasrm.scoring.tally import checked_units, require_same_number_of_rows

T = TypeVar("T")


class Sides(NamedTuple, Generic[T]):
    """The same thing of both judges."""

    a: T
    b: T


@dataclass(frozen=True)
class ComparedJudge:
    """One side of a comparison on one benchmark."""

    name: str
    """As the user called it."""
    file: str
    """A path, or what errors shall call the outcomes."""
    judge: JudgeKind
    outcomes: list[BenchmarkOutcome]
    title: str | None = None
    """What readers call the benchmark's data ("mini-RMB"); None where nothing says where the rows came from."""


def counted(benchmark: Benchmark, side: ComparedJudge) -> OutcomeCounts:
    """What a side's outcomes are like.

    Raises:
        OutcomeError: they could not be scored; says file and line.
    """
    counts = OutcomeCounts(side.file)
    for group in by_group(side.outcomes).values():
        checked_units(benchmark, group, counts)
    require_same_number_of_rows(counts)
    return counts


def matched(benchmark: Benchmark, sides: Sides[ComparedJudge]) -> Sides[ComparedJudge]:
    """The outcomes of the prompts that both judged alike (same parts, orders and number of rows), grouped alike.

    Raises:
        OutcomeError: there are none, one side cannot be scored, or the two say different things of one unit.
    """
    for side in sides:
        counted(benchmark, side)
    rows = [Counter(key[:3] for key in comparisons(side.outcomes)) for side in sides]
    differing = {benchmark.prompt_of(key[0]) for key in rows[0].keys() | rows[1].keys() if rows[0][key] != rows[1][key]}
    a, b = (
        replace(side, outcomes=[one for one in side.outcomes if benchmark.prompt_of(one.unit) not in differing])
        for side in sides
    )
    if not a.outcomes:
        begin = " and ".join(f"{side.file} with {_named(side.outcomes[0])}" for side in sides)
        raise OutcomeError(
            f"the two share no judgment of {benchmark.name}; {begin}: judge the same items in the same orders, "
            f"and name the order in the rows of files"
        )
    return _grouped_alike(Sides(a, b))


def comparisons(outcomes: Iterable[BenchmarkOutcome]) -> dict[tuple[str, str, str, int], int | None]:
    """Each judged comparison `(unit, part, order, rank)` to whether it was decided rightly.

    The rank counts rows of the same comparison and order, so that rows without an order are matched in turn.
    """
    seen: dict[tuple[str, str, str], int] = defaultdict(int)
    found = {}
    for outcome in outcomes:
        key = (outcome.unit, outcome.part, outcome.order)
        found[*key, seen[key]] = outcome.correct
        seen[key] += 1
    return found


def _grouped_alike(sides: Sides[ComparedJudge]) -> Sides[ComparedJudge]:
    """Both sides with the groups, strata and cells of the one that knows more: fewer groups, then more cells."""
    units = [{one.unit: one for one in side.outcomes} for side in sides]
    for unit, one in units[0].items():
        other = units[1][unit]
        here, there = one.stratum, other.stratum
        if here != there and not here.endswith(f"/{there}") and not there.endswith(f"/{here}"):
            raise OutcomeError(
                f"{unit!r} belongs to {here!r} in {sides.a.file} line {one.line} and to {there!r} in {sides.b.file} "
                f"line {other.line}: not the same item; correct the wrong row, or take both out"
            )
    known = min(units, key=_groups_and_cells)
    return Sides(
        *(replace(side, outcomes=[_grouped_as(known[one.unit], one) for one in side.outcomes]) for side in sides)
    )


def _groups_and_cells(units: dict[str, BenchmarkOutcome]) -> tuple[int, int]:
    groups, cells = ({getattr(one, field) for one in units.values()} for field in ("group", "cell"))
    return len(groups), -len(cells)


def _grouped_as(known: BenchmarkOutcome, one: BenchmarkOutcome) -> BenchmarkOutcome:
    return one._replace(group=known.group, stratum=known.stratum, cell=known.cell)


def _named(outcome: BenchmarkOutcome) -> str:
    """An outcome as an error names it."""
    part = f" {outcome.part}" if outcome.part else ""
    return f"{outcome.unit!r}{part} in {f'order {outcome.order}' if outcome.order else 'an order it does not name'}"
