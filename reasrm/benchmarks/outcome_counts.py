"""What outcomes are like besides right and wrong: counted while they are summed up; rules and score cards read it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from reasrm.benchmarks.outcome import ORDERS, BenchmarkOutcome

OutcomePattern = tuple[tuple[str, int | None, bool], ...]
"""A comparison's outcomes without their names: order (empty if unknown), right or wrong, whether it was asked."""


@dataclass
class OutcomeCounts:
    """What was seen beside the score, in `file` (a path, or what errors shall call the outcomes)."""

    file: str
    groups: int = 0
    units: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Units by stratum and cell."""
    patterns: Counter[OutcomePattern] = field(default_factory=Counter)
    """Comparisons by pattern: there are few patterns, however many rows."""
    first_with: dict[int, BenchmarkOutcome] = field(default_factory=dict)
    """Rows per comparison to an outcome of the first that has so many."""
    whole: BenchmarkOutcome | None = None
    """An outcome of a unit that is one comparison."""
    parted: BenchmarkOutcome | None = None
    """An outcome of a unit whose rows name parts."""
    parts: int = 0
    """Comparisons of such units."""

    def add(self, comparison: Sequence[BenchmarkOutcome]) -> None:
        """Count all outcomes of one comparison."""
        last = comparison[-1]
        pattern = tuple([(outcome.order, outcome.correct, outcome.asked) for outcome in comparison])
        if pattern not in self.patterns:
            self.first_with.setdefault(len(pattern), last)
        self.patterns[pattern] += 1
        if last.part:
            self.parts += 1
            self.parted = self.parted or last
        else:
            self.whole = self.whole or last

    @property
    def rows(self) -> int:
        """Outcomes."""
        return sum(len(pattern) * number for pattern, number in self.patterns.items())

    @property
    def unreadable(self) -> int:
        """Outcomes without verdict, those never asked included."""
        return sum((len(pattern) - len(_readable(pattern))) * number for pattern, number in self.patterns.items())

    @property
    def never_asked(self) -> int:
        """Outcomes that the judge was not asked for."""
        return sum(number for pattern, number in self.patterns.items() for _, _, asked in pattern if not asked)

    @property
    def both_orders(self) -> int:
        """Comparisons with at least two readable outcomes."""
        return sum(number for pattern, number in self.patterns.items() if len(_readable(pattern)) > 1)

    @property
    def flipped(self) -> int:
        """Those whose outcomes differ."""
        return sum(number for pattern, number in self.patterns.items() if len(set(_readable(pattern))) > 1)

    @property
    def one_order(self) -> int:
        """Comparisons that were not judged in both orders, as far as rows tell."""
        return sum(number for pattern, number in self.patterns.items() if not _in_both_orders(pattern))

    @property
    def comparisons_by_rows(self) -> Counter[int]:
        """How many comparisons have so many rows."""
        found: Counter[int] = Counter()
        for pattern, number in self.patterns.items():
            found[len(pattern)] += number
        return found

    @property
    def rows_per_comparison(self) -> int:
        """Orders and samples of each comparison; the same for all once the tally is done."""
        return len(next(iter(self.patterns)))


def _readable(pattern: OutcomePattern) -> list[int]:
    return [correct for _, correct, _ in pattern if correct is not None]


def _in_both_orders(pattern: OutcomePattern) -> bool:
    orders = {order for order, _, _ in pattern}
    return orders.issuperset(ORDERS) or ("" in orders and len(pattern) > 1)
