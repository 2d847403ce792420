"""The order in which rows are trained: batches of similar length, decided before the training and by the seed alone."""

import random
from collections.abc import Sequence
from typing import Any

TokenRow = dict[str, Any]
"""One row of a TRL dataset that is tokenised already."""
POOL_BATCHES = 16
"""Batches that are sorted by length together: rows of one batch are of about one length, so little is padded."""


def batches_of_similar_length(lengths: Sequence[int], batch_size: int, epochs: int, seed: int) -> list[int]:
    """The order of rows over all epochs, to be read in sequence: shuffled, batches of similar length, each row once.

    Every epoch is a new shuffle. Only whole batches are formed but for the last of an epoch, which comes last.
    """
    rng = random.Random(f"row order {seed}")
    order: list[int] = []
    for _ in range(epochs):
        rows = list(range(len(lengths)))
        rng.shuffle(rows)
        order += _one_epoch(rows, lengths, batch_size, rng)
    return order


def _one_epoch(rows: list[int], lengths: Sequence[int], batch_size: int, rng: random.Random) -> list[int]:
    whole = len(rows) // batch_size * batch_size
    batches = []
    pool = POOL_BATCHES * batch_size
    for start in range(0, whole, pool):
        members = sorted(rows[start : min(start + pool, whole)], key=lambda row: lengths[row])
        batches += [members[at : at + batch_size] for at in range(0, len(members), batch_size)]
    rng.shuffle(batches)
    return [row for batch in [*batches, rows[whole:]] for row in batch]
