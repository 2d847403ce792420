"""Sums of right outcomes by cell, and the figures that an official rule makes of them.

Everything is computed for many data sets at once: row 0 alone for the data themselves, or one row for each bootstrap
sample. So a benchmark states its rule once, and the same code gives the score and its interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

FigurePath = tuple[str, ...]
"""Where a figure stands in the score: `("score",)`, `("sections", "Chat")`."""


class Metric(NamedTuple):
    """One figure of a score, for each row of the table."""

    values: np.ndarray
    """[B]"""
    cells: list[int]
    """The cells it is made of."""
    plain: bool = False
    """Whether it is the plain mean over the units of its cells, unweighted."""


@dataclass(frozen=True)
class CellTable:
    """Sums over the units of each cell, in one row per data set (B of them)."""

    cells: list[str]
    """Names of the C cells."""
    sums: np.ndarray
    """[B, C] sum of the values of the units."""
    counts: np.ndarray
    """[B, C] number of units."""

    def micro(self, cells: list[int]) -> Metric:
        """The mean over all units of `cells`; NaN where there is none."""
        sums, counts = self.sums[:, cells].sum(axis=1), self.counts[:, cells].sum(axis=1)
        return Metric(ratio(sums, counts), cells, plain=True)

    def where(self, prefix: str) -> list[int]:
        """The cells whose name is `prefix` or begins with `prefix` and a slash."""
        return [i for i, cell in enumerate(self.cells) if cell == prefix or cell.startswith(f"{prefix}/")]


def mean_of(metrics: Sequence[Metric]) -> Metric:
    """The unweighted mean of figures."""
    values = np.stack([metric.values for metric in metrics])
    return Metric(values.mean(axis=0), sorted({cell for metric in metrics for cell in metric.cells}))


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Elementwise division, NaN where the denominator is zero."""
    result: np.ndarray = np.divide(
        numerator, denominator, out=np.full(np.shape(numerator), np.nan), where=np.asarray(denominator) > 0
    )
    return result
