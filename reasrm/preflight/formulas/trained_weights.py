"""What a training holds from step to step on one device: weights, gradients, optimiser; and how a launch divides it.

Bytes per parameter: weights by `dtype`; gradients as the trained weights; optimiser by `optimiser_bytes`. Under
autocast (`dtype: float32`, `precision: bfloat16`) a copy of the blocks' weights in bfloat16 lives as long as the graph
(torch's autocast cache). ZeRO (Rajbhandari et al., arXiv 1910.02054) cuts gradients and optimiser (stage 2) or weights
too (stage 3) over the processes and keeps float32 masters beside bfloat16 weights; fully_shard cuts all three and
gathers block by block, in float32 under mixed precision (accelerate's utils/fsdp_utils.py). LoRA (arXiv 2106.09685)
trains rank x (inputs + outputs) parameters per adapted layer, in float32 (peft); QLoRA (arXiv 2305.14314) holds the
blocks' products in 4.127 bits.

Optimisers by transformers' name (`OptimizerNames`). Sources: torch.optim (states have the type of the weights),
bitsandbytes (8-bit states of one byte, with a float32 for each block of 256; 32-bit ones of four), transformers'
`Trainer.get_optimizer_cls_and_kwargs`, and for the numbers per parameter AdamW (arXiv 1711.05101), Lion (2302.06675),
AdEMAMix (2409.03137), Adafactor (1804.04235: a row and a column per matrix).
"""

from typing import NamedTuple

from reasrm.preflight.formulas.activations import BFLOAT16, FLOAT32, adapted_layers, number_formats
from reasrm.preflight.model_shape import ModelShape
from reasrm.training.trainer_settings import Precision, Strategy, TrainerSettings

NF4_BYTES = 4.127 / 8
"""Per quantised weight, its scales with double quantisation included (QLoRA, section 3)."""
DEEPSPEED_BUCKETS = 2 * 500_000_000 * BFLOAT16
"""DeepSpeed's default buckets to reduce and to gather, 5e8 numbers each (its documentation, zero_optimization)."""

NUMBERS = (
    ("ademamix", 3), ("grokadamw", 3), ("adamw", 2), ("radam", 2), ("lion", 1), ("rmsprop", 1), ("adagrad", 1),
    ("schedule_free_sgd", 1), ("sgd", 0), ("lomo", 0),
)  # fmt: skip
"""Numbers per parameter by a part of the name; the first that fits."""
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


class TrainedWeights(NamedTuple):
    """Bytes on one device."""

    weights: float
    gradients: float
    optimiser: float
    step: float
    """Work of the optimiser during its step."""
    copies: float
    """Of weights in bfloat16, or gathered from other devices, during a forward and backward pass."""
    trained: int
    """Parameters, over all devices."""
    stored: float
    """Bytes of weights and optimiser in a checkpoint to resume from, over all devices."""


def trained_weights(shape: ModelShape, settings: TrainerSettings, parameters: int) -> TrainedWeights:
    """What `settings` make a training of a model of `parameters` parameters hold."""
    if settings.lora is not None:
        return _with_adapter(shape, settings, parameters)
    strategy, processes = settings.launch.strategy, settings.launch.processes
    formats = number_formats(settings)
    mixed = settings.precision is Precision.BFLOAT16
    width, master = formats.weight, 0
    if strategy in {Strategy.ZERO2, Strategy.ZERO3} and mixed:
        width, master = BFLOAT16, FLOAT32
    if strategy is Strategy.FSDP2 and mixed:
        width = FLOAT32
    optimiser = optimiser_bytes(settings.optim, max(width, master))
    return TrainedWeights(
        weights=parameters * width / _cut_weights(strategy, processes),
        gradients=parameters * width / _cut_gradients(strategy, processes) * (2 if strategy is Strategy.DDP else 1),
        optimiser=parameters * (optimiser.state + master) / _cut_gradients(strategy, processes),
        step=parameters * optimiser.step / _cut_gradients(strategy, processes),
        copies=_copies(shape, settings),
        trained=parameters,
        stored=parameters * (width + optimiser.state + master),
    )


def _with_adapter(shape: ModelShape, settings: TrainerSettings, parameters: int) -> TrainedWeights:
    """As `trained_weights`, where the model is frozen and an adapter trained."""
    assert settings.lora is not None
    strategy, processes = settings.launch.strategy, settings.launch.processes
    trained = shape.layers * settings.lora.rank * sum(map(sum, adapted_layers(shape, settings.lora).values()))
    width = number_formats(settings).weight
    frozen = float(parameters * width)
    if settings.lora.quantise is not None:
        quantised = shape.layers * shape.block_linear
        frozen = (parameters - quantised) * width + quantised * NF4_BYTES
    optimiser: OptimiserBytes = optimiser_bytes(settings.optim, FLOAT32)
    return TrainedWeights(
        weights=(frozen + trained * FLOAT32) / _cut_weights(strategy, processes),
        gradients=trained * FLOAT32 / _cut_gradients(strategy, processes),
        optimiser=trained * optimiser.state / _cut_gradients(strategy, processes),
        step=trained * optimiser.step / _cut_gradients(strategy, processes),
        copies=_copies(shape, settings),
        trained=trained,
        stored=trained * (FLOAT32 + optimiser.state),
    )


def _cut_weights(strategy: Strategy, processes: int) -> int:
    return processes if strategy in {Strategy.FSDP2, Strategy.ZERO3} else 1


def _cut_gradients(strategy: Strategy, processes: int) -> int:
    return processes if strategy in {Strategy.FSDP2, Strategy.ZERO2, Strategy.ZERO3} else 1


def _copies(shape: ModelShape, settings: TrainerSettings) -> float:
    """Copies of weights during a forward and backward pass."""
    strategy, formats = settings.launch.strategy, number_formats(settings)
    gathered = 2.0 * max(shape.block, shape.embedding) * formats.product  # one is used while the next comes
    if strategy is Strategy.FSDP2:
        return gathered
    if strategy is Strategy.ZERO3:
        return gathered + DEEPSPEED_BUCKETS
    if strategy is Strategy.ZERO2:
        return DEEPSPEED_BUCKETS
    if settings.lora is not None and settings.lora.quantise is not None:
        return 2.0 * max(rows * columns for rows, columns in shape.linear_layers().values()) * formats.product
    return float(BFLOAT16 * shape.layers * shape.block_linear) if formats.autocast else 0.0


def optimiser_bytes(name: str, width: int) -> OptimiserBytes:
    """Bytes per trained parameter under the optimiser `name`, for trained weights of `width` bytes."""
    numbers = next((numbers for part, numbers in NUMBERS if part in name), None)
    known = numbers is not None or "adafactor" in name
    if "adafactor" in name:
        return OptimiserBytes(ADAFACTOR_STATE, width, known)
    if "4bit" in name:
        return OptimiserBytes(2 * 0.5, width, known)
    by_bitsandbytes = any(part in name for part in ("bnb", "paged", "8bit", "32bit"))
    one = EIGHT_BIT if "8bit" in name else FLOAT32 if by_bitsandbytes else width
    fused = by_bitsandbytes or "fused" in name
    return OptimiserBytes((2 if numbers is None else numbers) * one, 0 if fused else width, known)
