"""Bootstrap over groups, stratified: what the score would be on other samples of the same questions.

Groups (prompts, conversations) are drawn with replacement within their stratum, as often as there are; all units of a
drawn group come along, so their dependence is kept (cluster bootstrap). Intervals are percentiles.
"""

from collections.abc import Iterator

import numpy as np

from reasrm.benchmarks.benchmark import CellTable
from reasrm.scoring.tally import Contributions, Tally

CELLS_AT_A_TIME = 2_000_000
"""Numbers held at a time, so that memory does not grow with the number of signatures."""


def resampled(tally: Tally, resamples: int, seed: int) -> CellTable:
    """The cells' sums in `resamples` bootstrap samples of the tally's groups, B = `resamples`."""
    parts = tally.contributions()
    cells = tally.cells()
    sums, counts = np.zeros((resamples, len(cells))), np.zeros((resamples, len(cells)))
    generator = np.random.default_rng(seed)
    for part in parts.values():
        for rows, drawn in draws(part, resamples, generator):
            sums[rows] += drawn @ part.sums
            counts[rows] += drawn @ part.counts
    return CellTable(cells, sums, counts)


def draws(part: Contributions, resamples: int, generator: np.random.Generator) -> Iterator[tuple[slice, np.ndarray]]:
    """How often each signature of a stratum is drawn, [b, K] for slices of the resamples."""
    groups = int(part.frequency.sum())
    step = max(1, CELLS_AT_A_TIME // len(part.frequency))
    for start in range(0, resamples, step):
        rows = slice(start, min(start + step, resamples))
        yield rows, generator.multinomial(groups, part.frequency / groups, size=rows.stop - rows.start)
