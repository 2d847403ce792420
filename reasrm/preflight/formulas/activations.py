"""Bytes of the tensors that a training keeps from the forward pass for the backward pass, and of work on the way.

Counted operation by operation from transformers' modeling_llama.py and modeling_qwen3.py (the others differ in norms
and biases alone) and torch's autograd, as Korthikanti et al. (arXiv 2205.05198, section 4) count those of GPT: a
product keeps its input for the weight's gradient, a norm its input in float32 and what it normalised, the gated
feed-forward layer four tensors of its inner width, attention its queries, keys, values and output. Frozen layers keep
no input; adapters (peft) keep their own.

Letters: h width of the model, q of all queries, k of all keys, f of the feed-forward layer, a heads, s tokens of a
sequence, V vocabulary.
"""

from dataclasses import dataclass

from reasrm.preflight.model_shape import ModelShape
from reasrm.training.lora import LoraSettings
from reasrm.training.trainer_settings import Precision, TrainerSettings, TrainingAttention, WeightType

FLOAT32, BFLOAT16 = 4, 2
PROBABILITY_TILE = (4096, 32768)
"""Tokens and vocabulary entries whose logits exist at once: TRL computes log-probabilities in such tiles
(trl/kernels/chunked_logprob.py), so that no training holds all logits."""
TILE_COPIES_WITHOUT_TRITON = 8
"""Float32 tensors of a tile's size in the backward pass where torch does it (`_backward_tile` there)."""


@dataclass(frozen=True, slots=True)
class NumberFormats:
    """Bytes of a number in the parts of a training."""

    weight: int
    residual: int
    """Of the stream between blocks: as the embedding."""
    product: int
    """Inputs and outputs of products."""

    @property
    def autocast(self) -> bool:
        """Weights are float32 and products bfloat16."""
        return self.weight > self.product


def number_formats(settings: TrainerSettings) -> NumberFormats:
    """The formats of a training by its `dtype` and `precision`."""
    weight = FLOAT32 if settings.dtype is WeightType.FLOAT32 else BFLOAT16
    mixed = settings.precision is Precision.BFLOAT16
    return NumberFormats(weight, weight, BFLOAT16 if mixed else weight)


def adapted_layers(shape: ModelShape, lora: LoraSettings) -> dict[str, tuple[int, int]]:
    """Those linear layers of a block that get an adapter, with inputs and outputs."""
    layers = shape.linear_layers()
    if isinstance(lora.target_modules, str):
        return layers
    return {name: sizes for name, sizes in layers.items() if any(one.endswith(name) for one in lora.target_modules)}


def block_bytes(shape: ModelShape, settings: TrainerSettings, sequences: int, length: int) -> float:
    """Bytes that one block keeps per token of `sequences` sequences of `length` tokens."""
    formats = number_formats(settings)
    kept = _norms(shape, settings, formats) + _inputs(shape, settings, formats)
    kept += formats.product * 3 * shape.queries  # queries, and keys and values repeated for each head
    kept += formats.product * 3 * shape.intermediate  # gate, its activation, the other factor
    if settings.attention is TrainingAttention.EAGER:
        copies = FLOAT32 + (formats.product if formats.product < FLOAT32 else 0)
        kept += shape.heads * length * copies  # the softmax is in float32, its product with the values is not
    elif settings.attention is TrainingAttention.SDPA:
        kept += FLOAT32 * shape.heads  # a sum per head and query
        kept += formats.product * length if sequences > 1 else 0  # each block's own copy of the padding's mask
        if settings.lora is not None and formats.product < FLOAT32:
            kept += formats.product * shape.queries  # the output, which the adapter casts
    return kept


def _norms(shape: ModelShape, settings: TrainerSettings, formats: NumberFormats) -> float:
    """The input in float32, and for the gradient of a norm's weight what it normalised."""
    normalised = 0 if settings.lora else formats.residual
    kept = shape.norms * shape.hidden * (FLOAT32 + normalised)
    if shape.head_norms:
        kept += (shape.queries + shape.keys) * (FLOAT32 + (0 if settings.lora else formats.product))
    return kept


def _inputs(shape: ModelShape, settings: TrainerSettings, formats: NumberFormats) -> float:
    """The inputs of products; where they change their format each product has a copy of its own, else it is shared."""
    if settings.lora is None:
        copies = 5 if formats.autocast else 2
        return formats.product * (copies * shape.hidden + shape.queries + shape.intermediate)
    wide = formats.product if settings.precision is Precision.BFLOAT16 else FLOAT32  # adapters are float32
    layers = adapted_layers(shape, settings.lora)
    inner = len(layers) * settings.lora.rank * wide
    if settings.lora.dropout:  # each keeps what was dropped as well
        return inner + sum((wide + 1) * inputs for inputs, _ in layers.values())
    if formats.weight == wide == FLOAT32:
        read = {"q_proj": "norm", "k_proj": "norm", "v_proj": "norm", "gate_proj": "norm 2", "up_proj": "norm 2"}
        shared = {read.get(name, name): inputs for name, (inputs, _) in layers.items()}
        return inner + wide * sum(shared.values())
    return inner + wide * sum(inputs for inputs, _ in layers.values())


def activation_bytes(shape: ModelShape, settings: TrainerSettings, sequences: int, length: int) -> float:
    """Bytes kept by one forward pass over `sequences` sequences of `length` tokens, and the work of one block besides.

    With gradient checkpointing (Chen et al., arXiv 1604.06174) each block keeps its input alone; one at a time is
    computed again.
    """
    formats = number_formats(settings)
    tokens = sequences * length
    block = block_bytes(shape, settings, sequences, length)
    blocks = (
        shape.layers * formats.residual * shape.hidden + block
        if settings.gradient_checkpointing
        else (shape.layers * block)
    )
    work = 2 * formats.product * shape.intermediate + formats.residual * shape.hidden
    if settings.attention is TrainingAttention.EAGER:
        work = max(work, 2 * FLOAT32 * shape.heads * length)
    ends = 3 * FLOAT32 * shape.hidden  # the last norm and the hidden states that are scored
    return tokens * (blocks + work + ends)


def scoring_bytes(shape: ModelShape, settings: TrainerSettings, tokens: int, *, on_gpu: bool) -> float:
    """Bytes to score `tokens` tokens of a language model and to go back through the output layer, tile by tile."""
    formats = number_formats(settings)
    rows, columns = min(tokens, PROBABILITY_TILE[0]), PROBABILITY_TILE[1]
    tile = rows * columns * formats.product
    if not on_gpu:  # of a buffer that is wider than the vocabulary a CPU touches what is used
        tile = rows * min(columns, shape.vocabulary) * (formats.product + FLOAT32 * TILE_COPIES_WITHOUT_TRITON)
    gradient = 0 if settings.lora else FLOAT32 * shape.embedding
    return tile + FLOAT32 * tokens * shape.hidden + gradient
