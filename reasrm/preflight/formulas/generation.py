"""Bytes of generating text: the key-value cache, the pass over the prompts, and the logits of the next token.

The cache holds 2 x layers x key heads x head dimensions numbers per token (Pope et al., arXiv 2211.05102, section 3.3).
"""

from reasrm.preflight.formulas.activations import FLOAT32
from reasrm.preflight.model_shape import ModelShape


def prefill_bytes(shape: ModelShape, width: int, sequences: int, length: int, *, eager: bool) -> float:
    """Bytes of work to read `sequences` prompts of `length` tokens at once, one block after the other.

    The stream three times (before, normalised, after) and the larger of the feed-forward layer (gate, its activation,
    the other factor) and attention (queries before and after rotation, keys and values repeated, output); eager
    attention besides holds all weights of attention three times: as they are, masked, and their softmax in float32.
    """
    tokens = sequences * length
    attention = 5.0 * width * shape.queries
    if eager:
        attention += shape.heads * length * (2 * width + FLOAT32)
    return tokens * (3 * max(width, FLOAT32) * shape.hidden + max(3 * width * shape.intermediate, attention))


def cache_bytes(shape: ModelShape, width: float, tokens: int) -> float:
    """Bytes of the keys and values of `tokens` tokens, of `width` bytes each."""
    return shape.cache_numbers() * width * tokens


def sampling_bytes(shape: ModelShape, sequences: int, copies: int = 4) -> float:
    """Bytes of the next token's logits in float32: as they are, scaled, as probabilities, and sorted or drawn from."""
    return float(FLOAT32 * copies * shape.vocabulary * sequences)
