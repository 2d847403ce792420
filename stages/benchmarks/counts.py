"""What outcomes are like besides right and wrong: counted while they are summed up, and read by rules and cards."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

ORDERS = ("first", "second")
"""Where the better answer was shown."""


class Place(NamedTuple):
    """Where something was seen first."""

    line: int
    unit: str


@dataclass
class Counts:
    """What was seen beside the score, in `file` (a path, or what errors shall call the outcomes)."""

    file: str
    rows: int = 0
    unreadable: int = 0
    """Outcomes without verdict, those never asked included."""
    never_asked: int = 0
    groups: int = 0
    both_orders: int = 0
    """Comparisons with at least two readable outcomes."""
    flipped: int = 0
    """Those whose outcomes differ."""
    one_order: int = 0
    """Comparisons that were not judged in both orders, as far as rows tell."""
    units: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Units by stratum and cell."""
    whole: Place | None = None
    """A unit that is one comparison."""
    parted: Place | None = None
    """A unit whose rows name parts."""
    parts: int = 0
    """Comparisons of such units."""
    lines_by_rows: dict[int, Place] = field(default_factory=dict)
    """Rows per comparison to one line with that many, and its unit."""
    comparisons_by_rows: Counter[int] = field(default_factory=Counter)

    @property
    def rows_per_comparison(self) -> int:
        """Orders and samples of each comparison; the same for all once the tally is done."""
        return next(iter(self.comparisons_by_rows))

    def add_comparison(self, place: Place, orders: Sequence[str], outcomes: Sequence[int | None]) -> None:
        """Count the rows of one comparison: the order of each (empty if unknown) and its outcome."""
        readable = [outcome for outcome in outcomes if outcome is not None]
        self.rows += len(outcomes)
        self.unreadable += len(outcomes) - len(readable)
        self.both_orders += len(readable) > 1
        self.flipped += len(set(readable)) > 1
        self.one_order += not (set(ORDERS) <= set(orders) or ("" in orders and len(orders) > 1))
        self.comparisons_by_rows[len(outcomes)] += 1
        self.lines_by_rows.setdefault(len(outcomes), place)
