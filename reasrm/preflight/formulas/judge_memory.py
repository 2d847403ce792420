"""Memory of a judge on one device, by the engine that runs it: transformers with our own decode loop, or vLLM.

The decode loop (`reasrm.inference.decoding`) reads prompts in groups of some tokens, joins their caches layer by
layer and enlarges the cache, again layer by layer, up to the longest prompt with its reply. Where heads share keys
and values, attention repeats those of one layer. A CPU's heap keeps what was enlarged: there the cache counts one and a
half times.
"""

from collections.abc import Iterator
from typing import NamedTuple

from reasrm.preflight.formulas.activations import BFLOAT16, FLOAT32
from reasrm.preflight.formulas.generation import cache_bytes, prefill_bytes, sampling_bytes
from reasrm.preflight.formulas.memory import MemoryNeed, Parts
from reasrm.preflight.model_shape import ModelShape

JUDGE_PROCESS = 430 * 2**20
"""Bytes of a judging process on a CPU before a model is loaded: interpreter, torch, transformers."""
PREFILL_TOKENS = 4096
"""`reasrm.inference.decoding.PREFILL_TOKENS`, which importing would load torch; a test compares them."""
HEAP_GROWTH = 1.5
VLLM_WORK = 2 * 2**30
"""Bytes that vLLM takes beside weights and cache, about: work of a forward pass, graphs, exchange between GPUs. Sleep
frees weights and cache alone, so it counts as long as the engine is there. An assumption: no GPU has been measured."""


class Judging(NamedTuple):
    """How a judge is run, as far as its memory goes; lengths in tokens."""

    shape: ModelShape
    width: int
    """Bytes of a weight."""
    eager: bool
    scalar: bool
    batch_size: int
    batch_tokens: int
    longest_prompt: int
    reply: int
    on_gpu: bool
    cache_tokens: int | None = None
    """Most tokens that the cache of one batch may hold."""


def judge_memory(judging: Judging) -> MemoryNeed:
    """What a judge by transformers holds, with the batch that needs most among those that its limits allow."""
    shape = judging.shape
    parameters = shape.scalar_parameters if judging.scalar else shape.parameters
    always = {"weights": float(parameters * judging.width)}
    if not judging.on_gpu:
        always["libraries"] = JUDGE_PROCESS
    return MemoryNeed({"scoring" if judging.scalar else "replies": {**always, **batch_parts(judging)}})


def _batches(judging: Judging) -> Iterator[tuple[int, int]]:
    """Rows and prompt lengths of the batches at the limits: the longest prompts, and the most rows."""
    longest = judging.longest_prompt
    for length in (longest, max(1, min(longest, judging.batch_tokens // judging.batch_size))):
        rows = min(judging.batch_size, judging.batch_tokens // length)
        if judging.cache_tokens is not None:
            rows = min(rows, judging.cache_tokens // (length + judging.reply))
        yield max(1, rows), length


def batch_parts(judging: Judging) -> Parts:
    """What the largest batch holds besides the weights."""
    if judging.scalar:
        rows = max(1, min(judging.batch_size, judging.batch_tokens // judging.longest_prompt))
        work = prefill_bytes(judging.shape, judging.width, rows, judging.longest_prompt, eager=judging.eager)
        return {"conversations": work}
    return max((_batch(judging, *batch) for batch in _batches(judging)), key=lambda parts: sum(parts.values()))


def _batch(judging: Judging, rows: int, length: int) -> dict[str, float]:
    shape = judging.shape
    group = max(1, min(rows, PREFILL_TOKENS // length))
    ended = length + judging.reply
    spare = 1 + 1 / shape.layers if judging.on_gpu else max(HEAP_GROWTH, 2 * length / ended)
    repeated = 2 * judging.width * shape.queries * rows * ended if shape.heads > shape.kv_heads else 0
    return {
        "cache": cache_bytes(shape, judging.width, rows * ended) * spare,
        "repeated": float(repeated),
        "prompts": prefill_bytes(shape, judging.width, group, length, eager=judging.eager),
        "logits": sampling_bytes(shape, rows, copies=3),
    }


def vllm_memory(shape: ModelShape, width: int, tokens: int, devices: int) -> MemoryNeed:
    """What vLLM needs of each GPU at least: weights over `devices` GPUs, work, the cache of one longest sequence.

    It takes its whole share of a GPU whatever it needs; what the share leaves becomes cache for more sequences at once
    (`gpu_memory_utilization` of its documentation).

    Args:
        shape: of the model.
        width: bytes of a weight.
        tokens: of the longest sequence, prompt and reply.
        devices: GPUs that one copy of the model is cut over.
    """
    weights = shape.parameters * width / devices
    one = cache_bytes(shape, width, tokens) / devices
    return MemoryNeed({"replies": {"weights": weights, "cache": one, "work": float(VLLM_WORK)}})


def width_of(dtype: str) -> int:
    """Bytes of a number in the format `dtype`."""
    return FLOAT32 if dtype == "float32" else BFLOAT16
