"""Bytes that an optimiser holds per trained parameter, by transformers' name (`OptimizerNames`).

Sources: torch.optim (states have the type of the weights), bitsandbytes (8-bit states of one byte, with a float32 for
each block of 256; 32-bit ones of four), transformers' `Trainer.get_optimizer_cls_and_kwargs`, and for the numbers per
parameter AdamW (arXiv 1711.05101), Lion (2302.06675), AdEMAMix (2409.03137), Adafactor (1804.04235: a row and a column
per matrix).
"""

from typing import NamedTuple

NUMBERS = (
    ("ademamix", 3), ("grokadamw", 3), ("adamw", 2), ("radam", 2), ("lion", 1), ("rmsprop", 1), ("adagrad", 1),
    ("schedule_free_sgd", 1), ("sgd", 0), ("lomo", 0),
)  # fmt: skip
"""Numbers per parameter by a part of the name; the first that fits."""
FLOAT32_WIDTH = 4
ADAFACTOR_STATE = 0.02
"""Bytes per parameter: two vectors of float32 for each matrix of some thousand rows."""
EIGHT_BIT = 1 + 4 / 256
"""Bytes of one 8-bit state."""


class OptimiserBytes(NamedTuple):
    """What one trained parameter costs in the optimiser, in bytes."""

    state: float
    """Held from the first step on."""
    step: float
    """Held during a step besides: what is not fused works on copies."""
    known: bool
    """False for a name that means nothing here: AdamW stands for it."""


def optimiser_bytes(name: str, width: int) -> OptimiserBytes:
    """Bytes per trained parameter under the optimiser `name`, for trained weights of `width` bytes."""
    numbers = next((numbers for part, numbers in NUMBERS if part in name), None)
    known = numbers is not None or "adafactor" in name
    if "adafactor" in name:
        return OptimiserBytes(ADAFACTOR_STATE, width, known)
    if "4bit" in name:
        return OptimiserBytes(2 * 0.5, width, known)
    by_bitsandbytes = any(part in name for part in ("bnb", "paged", "8bit", "32bit"))
    one = EIGHT_BIT if "8bit" in name else FLOAT32_WIDTH if by_bitsandbytes else width
    fused = by_bitsandbytes or "fused" in name
    return OptimiserBytes((2 if numbers is None else numbers) * one, 0 if fused else width, known)
