"""Who samples the replies that GRPO trains on, and how far their probabilities may be from the trainer's.

`transformers` samples with the trainer's own weights. vLLM holds a copy of them, which is brought up to date before
each generation; what it computes differs from the trainer in rounding at least, so the two are compared at each step.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from reasrm.training.trainer_settings import TrainerSettings


class ImportanceSampling(StrEnum):
    """How a loss is weighed by the ratio of the trainer's to vLLM's probability of a token or reply; TRL's names."""

    SEQUENCE_MASK = "sequence_mask"
    """By the reply's ratio; replies outside the limits are left out."""
    SEQUENCE_TRUNCATE = "sequence_truncate"
    """By the reply's ratio, brought within the limits."""
    TOKEN_MASK = "token_mask"  # noqa: S105  TRL's name, not a password
    TOKEN_TRUNCATE = "token_truncate"  # noqa: S105


class TransformersRollouts(BaseModel):
    """Replies are sampled by transformers' `generate`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: Literal["transformers"]
    batch_size: int | None = Field(gt=0)
    """Replies that one device samples at a time; None samples its whole share of a generation at once. Part of the
    result: other replies are drawn."""


class VllmRollouts(BaseModel):
    """Replies are sampled by vLLM; what holds wherever it runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: Literal["vllm"]
    most_logprob_gap: float = Field(gt=0)
    """Most that a token's log-probability may differ between vLLM and the trainer, on average over the tokens of one
    generation; beyond it the training stops. float32: 1e-4, a hundred times what rounding makes and a twentieth of
    what one stale layer did. bfloat16: 5e-2; weights that are one small step old are then not noticed."""
    importance_sampling_mode: ImportanceSampling
    importance_sampling_clip_min: float | None = Field(ge=0)
    importance_sampling_clip_max: float | None = Field(gt=0)
    """Limits of that ratio; None for no limit. 1 and 1 with a truncating mode correct nothing."""


class ColocatedVllm(VllmRollouts):
    """vLLM in the processes and on the devices that train."""

    mode: Literal["colocate"]
    memory_share: float = Field(gt=0, lt=1)
    """Of a device's memory (CPU: of the machine's), for vLLM's weights and key-value cache."""
    tensor_parallel: int = Field(gt=0)
    """Devices that one copy of the model is cut over; divides `launch.processes`."""
    sleep: bool
    """Free vLLM's memory while the optimiser steps; its weights are sent anew for each generation. GPUs only."""


class VllmServer(VllmRollouts):
    """vLLM as a server on GPUs of its own (`vllm serve`); the trainer sends it weights by NCCL."""

    mode: Literal["server"]
    server: str = Field(pattern=r"^https?://[^\s/?#@]+$")
    """Its address, as http://127.0.0.1:8000; without path or password."""
    server_timeout: float = Field(gt=0)
    """Seconds to wait for it to be up."""


Rollouts = Annotated[
    TransformersRollouts | Annotated[ColocatedVllm | VllmServer, Field(discriminator="mode")],
    Field(discriminator="engine"),
]
"""The setting `rollouts`."""


def require_possible(rollouts: TransformersRollouts | VllmRollouts, training: TrainerSettings) -> None:
    """Do nothing if `rollouts` can be had together with the other settings of the training.

    Raises:
        ValueError: they cannot; says which setting to change.
    """
    if isinstance(rollouts, TransformersRollouts):
        return
    processes = training.launch.processes
    if isinstance(rollouts, ColocatedVllm) and processes % rollouts.tensor_parallel:
        raise ValueError(
            f"rollouts.tensor_parallel ({rollouts.tensor_parallel}) must divide launch.processes ({processes})"
        )
    if training.lora is None:
        return
    if training.lora.quantise is not None:
        raise ValueError(
            "rollouts.engine: vllm cannot follow `lora.quantise`: an adapter merged into weights of four bits is "
            "rounded to them, so vLLM would sample from another model; take lora.quantise: null or engine: transformers"
        )
