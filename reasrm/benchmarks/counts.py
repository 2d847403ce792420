"""What outcomes are like besides right and wrong: counted while they are summed up, and read by rules and cards."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

ORDERS = ("first", "second")
"""Where the better answer was shown."""

Kind = tuple[tuple[str, int | None, bool], ...]
"""A comparison's rows without their names: order (empty if unknown), outcome, and whether the judge was asked."""


class Place(NamedTuple):
    """Where something was seen first."""

    line: int
    unit: str


@dataclass
class Counts:
    """What was seen beside the score, in `file` (a path, or what errors shall call the outcomes)."""

    file: str
    groups: int = 0
    units: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Units by stratum and cell."""
    kinds: Counter[Kind] = field(default_factory=Counter)
    """Comparisons by kind: there are few kinds, however many rows."""
    first_with: dict[int, Place] = field(default_factory=dict)
    """Rows per comparison to the first that has so many."""
    whole: Place | None = None
    """A unit that is one comparison."""
    parted: Place | None = None
    """A unit whose rows name parts."""
    parts: int = 0
    """Comparisons of such units."""

    def add(self, kind: Kind, place: Place, part: str) -> None:
        """Count one comparison."""
        if kind not in self.kinds:
            self.first_with.setdefault(len(kind), place)
        self.kinds[kind] += 1
        if part:
            self.parts += 1
            self.parted = self.parted or place
        else:
            self.whole = self.whole or place

    @property
    def rows(self) -> int:
        """Outcomes."""
        return sum(len(kind) * number for kind, number in self.kinds.items())

    @property
    def unreadable(self) -> int:
        """Outcomes without verdict, those never asked included."""
        return sum((len(kind) - len(_readable(kind))) * number for kind, number in self.kinds.items())

    @property
    def never_asked(self) -> int:
        """Outcomes that the judge was not asked for."""
        return sum(number for kind, number in self.kinds.items() for _, _, asked in kind if not asked)

    @property
    def both_orders(self) -> int:
        """Comparisons with at least two readable outcomes."""
        return sum(number for kind, number in self.kinds.items() if len(_readable(kind)) > 1)

    @property
    def flipped(self) -> int:
        """Those whose outcomes differ."""
        return sum(number for kind, number in self.kinds.items() if len(set(_readable(kind))) > 1)

    @property
    def one_order(self) -> int:
        """Comparisons that were not judged in both orders, as far as rows tell."""
        return sum(number for kind, number in self.kinds.items() if not _in_both_orders(kind))

    @property
    def comparisons_by_rows(self) -> Counter[int]:
        """How many comparisons have so many rows."""
        found: Counter[int] = Counter()
        for kind, number in self.kinds.items():
            found[len(kind)] += number
        return found

    @property
    def rows_per_comparison(self) -> int:
        """Orders and samples of each comparison; the same for all once the tally is done."""
        return len(next(iter(self.kinds)))


def _readable(kind: Kind) -> list[int]:
    return [outcome for _, outcome, _ in kind if outcome is not None]


def _in_both_orders(kind: Kind) -> bool:
    orders = {order for order, _, _ in kind}
    return orders.issuperset(ORDERS) or ("" in orders and len(kind) > 1)
