"""An outcome: whether a judge decided one comparison rightly. It is all that scores are computed from; no texts."""

from typing import NamedTuple

from reasrm.datasets.row_fields import Refusal, Row, RowRefusedError, quoted, required, text, whole_number

ORDERS = ("first", "second")
"""Where the better answer was shown."""


class BenchmarkOutcome(NamedTuple):
    """Whether one comparison, shown in one order, was decided rightly; `benchmark.py` says what the names mean."""

    group: str
    stratum: str
    """Groups are resampled within their stratum."""
    cell: str
    unit: str
    part: str
    """Empty for a unit of one comparison."""
    order: str
    """`first` (better answer shown first), `second`, or empty where the source does not say."""
    sample: int
    """Counts judgments of the same comparison in the same order."""
    correct: int | None
    """1, 0, or None if there is no verdict."""
    asked: bool = True
    """Whether the judge was asked at all; a prompt that does not fit into its context never is."""
    line: int = 0
    """Line of the file (or rank among the judgments) that it was read from; errors name it."""


def read_outcome(
    row: Row, unit: str, cell: str, *, stratum: str = "", part: str = "", group: str = ""
) -> BenchmarkOutcome:
    """An outcome with the fields that all outcome rows share: `correct`, and optionally `order`, `sample`, `group`.

    Args:
        row: the row of an outcome file.
        unit: what the official rule counts once.
        cell: where the unit is counted.
        stratum: the cell if not given.
        part: which comparison of a unit of several.
        group: the unit if not given; the row's own `group` comes first.

    Raises:
        RowRefusedError: `correct` is not 0, 1 or null, or an optional field has an unknown value.
    """
    order, sample = row.get("order", ""), whole_number(row, "sample") if "sample" in row else 0
    if order not in ("", *ORDERS):
        raise RowRefusedError(Refusal.WRONG_TYPE, f"`order` must be first or second, it is {quoted(order)}")
    owner = _own_group(row) if "group" in row else group or unit
    return BenchmarkOutcome(owner, stratum or cell, cell, unit, part, order, sample, read_correct(row, "correct"))


def read_correct(row: Row, field: str) -> int | None:
    """0, 1, or None for an unreadable verdict.

    Raises:
        RowRefusedError: anything else.
    """
    value = required(row, field)
    if value is None:
        return None
    # Equal is not enough: true and 1.0 equal 1, and may stand for something else (a score, a share).
    if type(value) is int and value in (0, 1):
        return int(value)
    raise RowRefusedError(Refusal.WRONG_TYPE, f"`{field}` must be 0, 1 or null, it is {quoted(value)}")


def _own_group(row: Row) -> str:
    """What the row says that it shares with others."""
    owner = text(row, "group")
    if not owner:
        raise RowRefusedError(Refusal.WRONG_TYPE, "`group` is empty; name what the items share, or leave it out")
    return owner
