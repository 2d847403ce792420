"""Bootstrap over groups: what a figure would be on other samples of the same questions. Intervals are percentiles.

Groups (prompts, conversations) are drawn with replacement within their stratum, as often as there are; all units of a
drawn group come along, so their dependence is kept (stratified cluster bootstrap). It is our own because
`scipy.stats.bootstrap` resamples single values and statsmodels brings no stratified resampling of clusters: neither
gets all figures of a score out of one multinomial draw per stratum over the few different kinds of groups, which is
what makes a million outcomes cost as much as a thousand.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from reasrm.benchmarks.cell_table import CellTable
from reasrm.scoring.tally import GroupKinds, Tally

CELLS_AT_A_TIME = 2_000_000
"""Numbers held at a time, so that memory does not grow with the number of signatures."""


def resampled(tally: Tally, resamples: int, seed: int) -> CellTable:
    """The cells' sums in `resamples` bootstrap samples of the tally's groups, B = `resamples`."""
    cells = tally.cells()
    sums, counts = np.zeros((resamples, len(cells))), np.zeros((resamples, len(cells)))
    generator = np.random.default_rng(seed)
    for kinds in tally.kinds_by_stratum().values():
        for rows, drawn in _draws_in_slices(kinds, resamples, generator):
            sums[rows] += drawn @ kinds.table.sums
            counts[rows] += drawn @ kinds.table.counts
    return CellTable(cells, sums, counts)


def bootstrap_means(values: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """[B] means of samples drawn with replacement; equal values are drawn together, which is the same and faster."""
    different, frequency = np.unique(values, return_counts=True)
    drawn = _draws(frequency, resamples, seed)
    means: np.ndarray = drawn @ different / len(values)
    return means


def bootstrap_gaps(first: Mapping[str, float], second: Mapping[str, float], resamples: int, seed: int) -> np.ndarray:
    """[B] mean of `first` minus mean of `second` in samples of questions, of which some may be in one of them only.

    A question that is in both is drawn for both, so what the two share is kept.
    """
    missing = -1.0
    pairs = [(first.get(key, missing), second.get(key, missing)) for key in sorted(first.keys() | second.keys())]
    different, frequency = np.unique(np.asarray(pairs), axis=0, return_counts=True)
    drawn = _draws(frequency, resamples, seed)
    there = different != missing
    sums, counts = drawn @ np.where(there, different, 0.0), drawn @ there
    # A sample without a question of one kind has no gap; percentiles leave it out.
    means = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    gaps: np.ndarray = means[:, 0] - means[:, 1]
    return gaps


def _draws(frequency: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """[B, K] how often each kind of question is drawn."""
    questions = int(frequency.sum())
    return np.random.default_rng(seed).multinomial(questions, frequency / questions, size=resamples)


def _draws_in_slices(
    kinds: GroupKinds, resamples: int, generator: np.random.Generator
) -> Iterator[tuple[slice, np.ndarray]]:
    """How often each kind of group of a stratum is drawn, [b, K] for slices of the resamples."""
    groups = int(kinds.frequency.sum())
    step = max(1, CELLS_AT_A_TIME // len(kinds.frequency))
    for start in range(0, resamples, step):
        rows = slice(start, min(start + step, resamples))
        yield rows, generator.multinomial(groups, kinds.frequency / groups, size=rows.stop - rows.start)
