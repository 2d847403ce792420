"""Several judges' outcomes on the same groups in one tally, so that a drawn group counts for all of them at once.

Each judge has a mark, which its cells' names begin with. What is drawn from such a tally is paired: the spread of a
difference between two of the judges, or of any other contrast of them, comes out of the same samples of questions.
Benchmarks may ask the same question; a drawn one then counts in all of them.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from reasrm.benchmarks.benchmark import Benchmark
from reasrm.benchmarks.cell_table import CellTable
from reasrm.benchmarks.outcome import BenchmarkOutcome
from reasrm.scoring.outcome_files import by_group
from reasrm.scoring.tally import Tally, shape_of, signatures, stratum_of, units_of

BETWEEN = "|"
"""Stands between a mark and the cell's own name; marks do not hold it."""


class MarkedOutcomes(NamedTuple):
    """The outcomes of one judge on one benchmark."""

    benchmark: Benchmark
    outcomes: list[BenchmarkOutcome]
    unreadable_credit: float
    file: str
    """What errors call the outcomes."""


def joint_tally(judges: Mapping[str, MarkedOutcomes]) -> Tally:
    """The sums of all judges, group by group. Judges of one benchmark have the same groups.

    A group is drawn in the stratum that it has in the first of the benchmarks that it belongs to.

    Args:
        judges: each judge's outcomes by its mark.

    Raises:
        OutcomeError: a judge's outcomes contradict each other.
    """
    joint = Tally()
    groups = {mark: by_group(judge.outcomes) for mark, judge in judges.items()}
    for group in dict.fromkeys(group for found in groups.values() for group in found):
        signature: list[tuple[str, float, int]] = []
        strata: dict[str, set[str]] = defaultdict(set)
        for mark, judge in judges.items():
            if group not in groups[mark]:
                continue
            units = units_of(groups[mark][group], judge.file)
            strata[judge.benchmark.name].add(stratum_of(units))
            (one,) = signatures(judge.benchmark, shape_of(judge.benchmark, units), (judge.unreadable_credit,))
            signature += [(f"{mark}{BETWEEN}{cell}", total, number) for cell, total, number in one]
        first, found = next(iter(strata.items()))
        joint.groups[f"{first}{BETWEEN}{min(found)}"][tuple(signature)] += 1
    return joint


def table_of(table: CellTable, mark: str) -> CellTable:
    """The part of a joint tally's table that belongs to one judge, under the cells' own names."""
    prefix = f"{mark}{BETWEEN}"
    wanted = [index for index, cell in enumerate(table.cells) if cell.startswith(prefix)]
    names = [table.cells[index].removeprefix(prefix) for index in wanted]
    return CellTable(names, table.sums[:, wanted], table.counts[:, wanted])
