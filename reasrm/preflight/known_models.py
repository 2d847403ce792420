"""The shapes of some published models, for a plan before any of their files is here.

Source: `config.json` of each model's repository on the hub. The parameters that follow from them are those that the
model cards state (a test compares them).
"""

from collections.abc import Mapping
from dataclasses import replace

from reasrm.preflight.model_shape import ModelShape


def _qwen2(hidden: int, layers: int, heads: int, kv_heads: int, intermediate: int, vocabulary: int) -> ModelShape:
    return ModelShape(
        hidden, layers, heads, kv_heads, hidden // heads, intermediate, vocabulary, False, True, positions=32768
    )


def _qwen3(hidden: int, layers: int, heads: int, intermediate: int, *, tied: bool) -> ModelShape:
    return ModelShape(hidden, layers, heads, 8, 128, intermediate, 151936, tied, head_norms=True, positions=40960)


_7B = _qwen2(3584, 28, 28, 4, 18944, 152064)
_14B = _qwen2(5120, 48, 40, 8, 13824, 152064)
_32B = _qwen2(5120, 64, 40, 8, 27648, 152064)

KNOWN_MODELS: Mapping[str, ModelShape] = {
    "Qwen/Qwen2.5-0.5B-Instruct": replace(_qwen2(896, 24, 14, 2, 4864, 151936), tied=True),
    "Qwen/Qwen2.5-1.5B-Instruct": replace(_qwen2(1536, 28, 12, 2, 8960, 151936), tied=True),
    "Qwen/Qwen2.5-3B-Instruct": replace(_qwen2(2048, 36, 16, 2, 11008, 151936), tied=True),
    "Qwen/Qwen2.5-7B-Instruct": _7B,
    "Qwen/Qwen2.5-14B-Instruct": _14B,
    "Qwen/Qwen2.5-32B-Instruct": _32B,
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B": replace(_qwen2(1536, 28, 12, 2, 8960, 151936), positions=131072),
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B": replace(_7B, positions=131072),
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-14B": replace(_14B, positions=131072),
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B": replace(_32B, positions=131072),
    "Qwen/Qwen3-0.6B": _qwen3(1024, 28, 16, 3072, tied=True),
    "Qwen/Qwen3-1.7B": _qwen3(2048, 28, 16, 6144, tied=True),
    "Qwen/Qwen3-4B": _qwen3(2560, 36, 32, 9728, tied=True),
    "Qwen/Qwen3-8B": _qwen3(4096, 36, 32, 12288, tied=False),
    "meta-llama/Llama-3.1-8B-Instruct": ModelShape(4096, 32, 32, 8, 128, 14336, 128256, tied=False, positions=131072),
    "HuggingFaceTB/SmolLM2-135M-Instruct": ModelShape(576, 30, 9, 3, 64, 1536, 49152, tied=True, positions=8192),
}
"""By hub id."""


def known_shape(name: str) -> ModelShape | None:
    """The shape of the model with this hub id, or this last part of one, whatever the case; None for others."""
    asked = name.lower()
    return next(
        (shape for known, shape in KNOWN_MODELS.items() if asked in {known.lower(), known.lower().partition("/")[2]}),
        None,
    )
