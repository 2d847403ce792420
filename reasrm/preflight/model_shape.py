"""The shape of a decoder model (Llama, Mistral, Qwen2, Qwen3, Gemma) from its config.json, and what follows from it.

All counts are of parameters (numbers), not of bytes. They are exact for the kinds named in `KINDS`: the weights' file
of a checkpoint holds the same number (`stored_parameters`), which a test checks for each kind.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reasrm.inference.checkpoints.checkpoint_folder import CONFIG, quantisation, read_config
from reasrm.inference.checkpoints.weight_files import tensor_shapes
from reasrm.runtime.stage_main import StageError

EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts")
"""Keys of a config that say that the model is a mixture of experts."""
HEAD_WEIGHT = "lm_head.weight"
LARGEST_SIZE = 10**9
"""Of a single number in a config.json; the largest published ones are vocabularies and contexts of some millions."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What the layers of one kind of model have besides seven linear layers and two norms."""

    qkv_bias: bool = False
    head_norms: bool = False
    """Norms of queries and keys, each as wide as a head."""
    norms: int = 2
    """Norms of one layer that are as wide as the model."""
    tied: bool = False
    """What `tie_word_embeddings` is where config.json leaves it out."""


KINDS: Mapping[str, _Kind] = {
    "llama": _Kind(),
    "mistral": _Kind(),
    "qwen2": _Kind(qkv_bias=True),
    "qwen3": _Kind(head_norms=True),
    "gemma": _Kind(tied=True),
    "gemma2": _Kind(norms=4, tied=True),
    "gemma3_text": _Kind(norms=4, head_norms=True, tied=True),
}
"""By `model_type`; the layers of transformers' modeling_<type>.py."""


@dataclass(frozen=True, slots=True)
class ModelShape:
    """The sizes of one decoder model with grouped-query attention and a gated feed-forward layer."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocabulary: int
    tied: bool
    """The output layer is the embedding."""
    qkv_bias: bool = False
    output_bias: bool = False
    mlp_bias: bool = False
    head_norms: bool = False
    norms: int = 2
    positions: int | None = None
    """Tokens of the longest sequence that the model takes; None where its config does not say."""

    @property
    def queries(self) -> int:
        """Width of all queries of a token: heads x dimensions of a head."""
        return self.heads * self.head_dim

    @property
    def keys(self) -> int:
        """Width of all keys, or all values, of a token."""
        return self.kv_heads * self.head_dim

    def linear_layers(self) -> dict[str, tuple[int, int]]:
        """Inputs and outputs of the seven linear layers of one block, by transformers' names."""
        return {
            "q_proj": (self.hidden, self.queries),
            "k_proj": (self.hidden, self.keys),
            "v_proj": (self.hidden, self.keys),
            "o_proj": (self.queries, self.hidden),
            "gate_proj": (self.hidden, self.intermediate),
            "up_proj": (self.hidden, self.intermediate),
            "down_proj": (self.intermediate, self.hidden),
        }

    @property
    def block_linear(self) -> int:
        """Weights of the linear layers of one block, without biases."""
        return sum(rows * columns for rows, columns in self.linear_layers().values())

    @property
    def block(self) -> int:
        """All parameters of one block."""
        biases = (self.queries + 2 * self.keys) * self.qkv_bias + self.hidden * self.output_bias
        biases += (2 * self.intermediate + self.hidden) * self.mlp_bias
        return self.block_linear + biases + self.norms * self.hidden + 2 * self.head_dim * self.head_norms

    @property
    def embedding(self) -> int:
        """Parameters of the embedding."""
        return self.vocabulary * self.hidden

    @property
    def parameters(self) -> int:
        """All parameters of the language model; a tied output layer counts once."""
        return self.embedding * (1 if self.tied else 2) + self.layers * self.block + self.hidden

    @property
    def scalar_parameters(self) -> int:
        """All parameters with a head of one score in place of the output layer."""
        return self.embedding + self.layers * self.block + 2 * self.hidden

    def cache_numbers(self) -> int:
        """Numbers that the key-value cache holds for one token: a key and a value per layer."""
        return 2 * self.layers * self.keys


def shape_of_config(config: Mapping[str, Any], where: str) -> ModelShape:
    """The shape that a config.json describes; of a model of several parts, that of its text part.

    Raises:
        StageError: it is of a kind whose memory is not known here, or lacks a size.
    """
    inner = config.get("text_config")
    text = {**config, **inner} if isinstance(inner, Mapping) else config
    kind = KINDS.get(str(text.get("model_type")))
    experts = [key for key in EXPERTS if text.get(key)]
    if kind is None or experts:
        said = f"`{experts[0]}`" if experts else f"model_type `{str(text.get('model_type'))[:60]}`"
        raise StageError(f"{where}: no estimate for {said}; there are formulas for {', '.join(KINDS)}")
    heads, hidden = _size(text, "num_attention_heads", where), _size(text, "hidden_size", where)
    bias = _flag(text, "attention_bias", where)
    return ModelShape(
        hidden=hidden,
        layers=_size(text, "num_hidden_layers", where),
        heads=heads,
        kv_heads=_size(text, "num_key_value_heads", where, heads),
        head_dim=_size(text, "head_dim", where, max(1, hidden // heads)),
        intermediate=_size(text, "intermediate_size", where),
        vocabulary=_size(text, "vocab_size", where),
        tied=_flag(text, "tie_word_embeddings", where, kind.tied),
        qkv_bias=kind.qkv_bias or bias,
        output_bias=bias,
        mlp_bias=_flag(text, "mlp_bias", where),
        head_norms=kind.head_norms,
        norms=kind.norms,
        positions=_size(text, "max_position_embeddings", where, 0) or None,
    )


def _size(text: Mapping[str, Any], key: str, where: str, otherwise: int | None = None) -> int:
    """A size in a config.json; `otherwise` where it is left out or null."""
    value = text.get(key)
    if value is None and otherwise is not None:
        return otherwise
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= LARGEST_SIZE:
        found = "is missing" if value is None else f"is {str(value)[:60]!a}, no size of a model"
        raise StageError(f"{where}: {CONFIG}: `{key}` {found}; get the whole checkpoint")
    return value


def _flag(text: Mapping[str, Any], key: str, where: str, otherwise: bool = False) -> bool:
    """A yes or no in a config.json; `otherwise` where it is left out or null."""
    value = text.get(key)
    if value is None:
        return otherwise
    if not isinstance(value, bool):
        raise StageError(f"{where}: {CONFIG}: `{key}` is {str(value)[:60]!a}, neither true nor false")
    return value


def shape_of_folder(folder: Path) -> ModelShape:
    """The shape of the checkpoint in `folder`, from config.json; whether the output layer is tied, from its weights.

    Raises:
        StageError: its config cannot be read, is of a kind without formulas, or its weights are quantised.
    """
    config = read_config(folder)
    if method := quantisation(config):
        raise StageError(f"{folder}: no estimate for weights that are quantised by {method}")
    return shape_of_config(config, str(folder))


def stored_parameters(folder: Path, shape: ModelShape) -> int | None:
    """The parameters that the safetensors files of `folder` hold, from their headers; None without weights there.

    A tied output layer that is stored beside the embedding counts once, as in `ModelShape.parameters`.
    """
    sizes = tensor_shapes(folder)
    if not sizes:
        return None
    return sum(_product(size) for name, size in sizes.items() if not (shape.tied and name == HEAD_WEIGHT))


def _product(sizes: tuple[int, ...]) -> int:
    product = 1
    for size in sizes:
        product *= size
    return product
