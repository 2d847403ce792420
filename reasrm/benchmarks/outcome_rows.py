"""Rows of outcome files: the fields that all benchmarks share."""

from reasrm.benchmarks.benchmark import Outcome
from reasrm.benchmarks.counts import ORDERS
from reasrm.datasets.refused_rows import Refusal, Row, RowRefusedError
from reasrm.datasets.row_fields import place, present, shown, text


def outcome_of(row: Row, unit: str, cell: str, *, stratum: str = "", part: str = "", group: str = "") -> Outcome:
    """An outcome with the fields that all outcome rows share: `correct`, and optionally `order`, `sample`, `group`.

    Raises:
        RowRefusedError: `correct` is not 0, 1 or null, or an optional field has an unknown value.
    """
    order, sample = row.get("order", ""), place(row, "sample") if "sample" in row else 0
    if order not in ("", *ORDERS):
        raise RowRefusedError(Refusal.WRONG_TYPE, f"`order` must be first or second, it is {shown(order)}")
    owner = _owner(row) if "group" in row else group or unit
    return Outcome(owner, stratum or cell, cell, unit, part, order, sample, correct(row, "correct"))


def _owner(row: Row) -> str:
    """What the row says that it shares with others."""
    owner = text(row, "group")
    if not owner:
        raise RowRefusedError(Refusal.WRONG_TYPE, "`group` is empty; name what the items share, or leave it out")
    return owner


def correct(row: Row, field: str) -> int | None:
    """0, 1 or None for an unreadable verdict.

    Raises:
        RowRefusedError: anything else.
    """
    value = present(row, field)
    if value is None:
        return None
    # Equal is not enough: true and 1.0 equal 1, and may stand for something else (a score, a share).
    if type(value) is int and value in (0, 1):
        return int(value)
    raise RowRefusedError(Refusal.WRONG_TYPE, f"`{field}` must be 0, 1 or null, it is {shown(value)}")
