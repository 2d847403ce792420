"""How much a stage computes, and in how many hours a device does it: a range, since both ends rest on assumptions.

Products of one token: 2 per parameter in the forward pass, twice that in the backward pass (Kaplan et al., arXiv
2001.08361, section 2.1), so 6 in training; frozen weights need no gradient of their own, 4; gradient checkpointing adds
a forward pass, 2. Attention adds 4 x layers x query width x length in the forward pass (Chowdhery et al., arXiv
2204.02311, appendix B). The embedding is looked up, not multiplied.

Generating reads all weights and the cache once for each token of the longest reply (Pope et al., arXiv 2211.05102), so
the memory's speed limits it, and transformers' own `generate` at about a millisecond per layer besides.
"""

from typing import NamedTuple

from reasrm.preflight.devices import Device
from reasrm.preflight.model_shape import ModelShape
from reasrm.training.trainer_settings import TrainerSettings

TRAINING_SHARE = (0.20, 0.45)
"""Of the peak of products, what training on a GPU reaches: PaLM 0.46 at its best, common trainers half of it."""
CPU_SHARE = (0.10, 1.0)
"""Of one measured product of large matrices, what small and large models reach on a CPU."""
MEMORY_SHARE = (0.30, 0.70)
"""Of the memory's speed, what generating reaches."""
LAYER_SECONDS = (0.0, 1e-3)
"""Of one layer for one token, whatever its size: none in graphs, starts of kernels in `generate`."""
SECONDS_PER_HOUR = 3600


class Work(NamedTuple):
    """What a stage computes, over all devices."""

    products: float
    """Floating-point operations."""
    tokens: int
    """Trained on, or read and written."""
    decode_steps: float = 0.0
    """Tokens generated one after the other on one device."""
    decode_bytes: float = 0.0
    """Read from its memory in one such step."""
    layers: int = 0


def forward_products(shape: ModelShape, length: int, *, scalar: bool = False) -> float:
    """Operations of one token in the forward pass, in a sequence of `length` tokens."""
    matrices = shape.layers * shape.block_linear + (0 if scalar else shape.embedding)
    return 2.0 * matrices + 4.0 * shape.layers * shape.queries * length


def training_products(shape: ModelShape, settings: TrainerSettings, length: int, *, scalar: bool = False) -> float:
    """Operations of one token in forward and backward pass."""
    passes = (2 if settings.lora else 3) + (1 if settings.gradient_checkpointing else 0)
    return passes * forward_products(shape, length, scalar=scalar)


def hours(work: Work, device: Device, used: int) -> tuple[float, float] | None:
    """The least and the most hours of `work` on `used` devices; None where the device's speed is unknown."""
    if device.peak_flops is None:
        return None
    shares = TRAINING_SHARE if device.is_gpu else CPU_SHARE
    slowest, fastest = (work.products / (device.peak_flops * used * share) for share in shares)
    if work.decode_steps and device.bytes_per_second:
        slow, fast = (work.decode_bytes / (device.bytes_per_second * share) for share in MEMORY_SHARE)
        fastest += work.decode_steps * (fast + work.layers * LAYER_SECONDS[0])
        slowest += work.decode_steps * (slow + work.layers * LAYER_SECONDS[1])
    return fastest / SECONDS_PER_HOUR, slowest / SECONDS_PER_HOUR
