"""Which judgments of two judges are about the same: units are matched, and both get the places of one side.

The two may know different things of a unit: judgments know which items share a prompt, an outcome file may not; one may
name JudgeBench's split and the other not. So group, stratum and cell are taken from the side that knows more.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, TypeVar

from reasrm.benchmarks.benchmark import Benchmark, JudgeKind, Outcome, OutcomeError
from reasrm.benchmarks.counts import Counts
from reasrm.scoring.outcome_store import Located, by_group
from reasrm.scoring.tally import checked_units, require_same_number_of_rows

Kept = TypeVar("Kept")


class Sides(NamedTuple, Generic[Kept]):
    """The same thing of both judges."""

    first: Kept
    second: Kept


@dataclass(frozen=True)
class Judged:
    """What one side of a comparison judged."""

    file: str
    """A path, or what errors shall call the outcomes."""
    judge: JudgeKind
    outcomes: list[Located]


def counted(benchmark: Benchmark, side: Judged) -> Counts:
    """What a side's outcomes are like.

    Raises:
        OutcomeError: they could not be scored; says file and line.
    """
    counts = Counts(side.file)
    for group in by_group(side.outcomes).values():
        checked_units(benchmark, group, counts)
    require_same_number_of_rows(counts)
    return counts


def matched(benchmark: Benchmark, sides: Sides[Judged]) -> Sides[Judged]:
    """The outcomes of the prompts that both judged alike (same parts, orders and number of rows), in the same places.

    Raises:
        OutcomeError: there are none, one side cannot be scored, or the two say different things of one unit.
    """
    for side in sides:
        counted(benchmark, side)
    rows = [Counter(key[:3] for key in comparisons(side.outcomes)) for side in sides]
    differing = {benchmark.prompt_of(key[0]) for key in rows[0].keys() | rows[1].keys() if rows[0][key] != rows[1][key]}
    first, second = (
        replace(side, outcomes=[one for one in side.outcomes if benchmark.prompt_of(one.outcome.unit) not in differing])
        for side in sides
    )
    if not first.outcomes:
        begin = " and ".join(f"{side.file} with {_shown(side.outcomes[0])}" for side in sides)
        raise OutcomeError(
            f"the two share no judgment of {benchmark.name.value}; {begin}: judge the same items in the same orders, "
            f"and name the order in the rows of files"
        )
    return _in_the_same_places(Sides(first, second))


def _in_the_same_places(sides: Sides[Judged]) -> Sides[Judged]:
    """Both sides with the groups, strata and cells of the one that knows more: fewer groups, then more cells."""
    places = [{one.outcome.unit: one for one in side.outcomes} for side in sides]
    for unit, one in places[0].items():
        other = places[1][unit]
        here, there = one.outcome.stratum, other.outcome.stratum
        if here != there and not here.endswith(f"/{there}") and not there.endswith(f"/{here}"):
            raise OutcomeError(
                f"{unit!r} belongs to {here!r} in {sides.first.file} line {one.line} and to {there!r} in "
                f"{sides.second.file} line {other.line}: not the same item; correct the wrong row, or take both out"
            )
    home = min(places, key=_little_known)
    return Sides(
        *(
            replace(side, outcomes=[_placed(one, home[one.outcome.unit].outcome) for one in side.outcomes])
            for side in sides
        )
    )


def _little_known(places: dict[str, Located]) -> tuple[int, int]:
    groups, cells = ({getattr(one.outcome, field) for one in places.values()} for field in ("group", "cell"))
    return len(groups), -len(cells)


def _placed(one: Located, at: Outcome) -> Located:
    return Located(one.line, one.outcome._replace(group=at.group, stratum=at.stratum, cell=at.cell))


def comparisons(outcomes: Iterable[Located]) -> dict[tuple[str, str, str, int], int | None]:
    """Each judged comparison `(unit, part, order, rank)` to its outcome.

    The rank counts rows of the same comparison and order, so that rows without an order are matched in turn.
    """
    seen: dict[tuple[str, str, str], int] = defaultdict(int)
    found = {}
    for located in outcomes:
        place = (located.outcome.unit, located.outcome.part, located.outcome.order)
        found[*place, seen[place]] = located.outcome.correct
        seen[place] += 1
    return found


def _shown(located: Located) -> str:
    """A row as an error names it."""
    outcome = located.outcome
    part = f" {outcome.part}" if outcome.part else ""
    return f"{outcome.unit!r}{part} in {f'order {outcome.order}' if outcome.order else 'an order it does not name'}"
