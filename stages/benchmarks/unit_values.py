"""What a unit is worth, given its outcomes in each order: the pieces that benchmarks share."""

import math
from collections.abc import Sequence


def mean_of_runs(runs: Sequence[Sequence[int | None]], credit: float) -> float:
    """The mean over orders (or samples) of the product over parts.

    A unit of one part is worth the share of orders in which it was right. A best-of-N group wins an order if the best
    answer beats every loser in it (RMB: a tie loses). An unreadable verdict is worth `credit`.
    """
    return math.fsum(math.prod(credit if part is None else part for part in run) for run in runs) / len(runs)
