"""Several judges' outcomes on the same groups in one tally, so that a drawn group counts for all of them at once.

Each judge has a mark, which its cells' names begin with. What is drawn from such a tally is paired: the spread of a
difference between two of the judges, or of any other contrast of them, comes out of the same samples of questions.
"""

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
    """The outcomes of one judge."""

    outcomes: list[BenchmarkOutcome]
    unreadable_credit: float
    file: str
    """What errors call the outcomes."""


def joint_tally(benchmark: Benchmark, judges: Mapping[str, MarkedOutcomes]) -> Tally:
    """The sums of all judges, group by group; all have the same groups.

    Args:
        benchmark: whose outcomes they are.
        judges: each judge's outcomes by its mark.

    Raises:
        OutcomeError: a judge's outcomes contradict each other.
    """
    joint = Tally()
    groups = {mark: by_group(judge.outcomes) for mark, judge in judges.items()}
    for group in next(iter(groups.values())):
        signature, strata = [], set()
        for mark, judge in judges.items():
            units = units_of(groups[mark][group], judge.file)
            strata.add(stratum_of(units))
            (one,) = signatures(benchmark, shape_of(benchmark, units), (judge.unreadable_credit,))
            signature += [(f"{mark}{BETWEEN}{cell}", total, number) for cell, total, number in one]
        joint.groups[min(strata)][tuple(signature)] += 1
    return joint


def table_of(table: CellTable, mark: str) -> CellTable:
    """The part of a joint tally's table that belongs to one judge, under the cells' own names."""
    prefix = f"{mark}{BETWEEN}"
    wanted = [index for index, cell in enumerate(table.cells) if cell.startswith(prefix)]
    names = [table.cells[index].removeprefix(prefix) for index in wanted]
    return CellTable(names, table.sums[:, wanted], table.counts[:, wanted])
