"""The plan beside peaks of torch's allocator on one H100 80GB (`benchmarks/gpu_memory.py`, torch 2.11), in GiB."""

from dataclasses import replace
from typing import Any

import pytest

from reasrm.preflight.devices import GIB
from reasrm.preflight.formulas.judge_memory import Judging, judge_memory
from reasrm.preflight.formulas.training_memory import Training, training_memory
from reasrm.preflight.known_models import KNOWN_MODELS
from reasrm.training.grpo.settings import GrpoSettings
from reasrm.training.trainer_settings import EpochSettings, SftSettings
from tests.training.stage_runs import LORA, PARAMS

SHAPES = {
    "0.5B": KNOWN_MODELS["Qwen/Qwen2.5-0.5B-Instruct"], "1.5B": KNOWN_MODELS["Qwen/Qwen2.5-1.5B-Instruct"],
    "1.7B": KNOWN_MODELS["Qwen/Qwen3-1.7B"], "7B": KNOWN_MODELS["Qwen/Qwen2.5-7B-Instruct"],
}  # fmt: skip
ADAPTER = {"dtype": "bfloat16", "lora": LORA | {"rank": 32, "alpha": 64}}
KEPT = {"gradient_checkpointing": False}
LEAST, MOST = 0.9, 1.15
"""Of the plan over the peak."""


def training(section: str, shape: str, length: int, micro: int, prompt: int, **changes: Any) -> Training:
    kinds = {"sft": SftSettings, "scalar_rm": EpochSettings, "grpo": GrpoSettings}
    large = {"precision": "bfloat16", "attention": "sdpa", "gradient_checkpointing": True, "dev": None}
    batch = {"micro_batch_size": micro, "batch_size": 8 if section == "grpo" else 2 * micro}
    task = {"prompt_variant": "full", "rewards": {"verdict": 1.0}, "replies_per_prompt": 4}
    values = PARAMS[section] | task | large | batch | changes
    kind = kinds[section]
    settings = kind.model_validate({name: value for name, value in values.items() if name in kind.model_fields})
    return Training(SHAPES[shape], settings, length, True, section == "scalar_rm", prompt, 80 * GIB)


@pytest.mark.parametrize(
    ("stage", "measured"),
    [
        (training("sft", "1.7B", 8192, 2, 0, packing=True), 33.67),
        (training("sft", "7B", 8192, 1, 0, packing=True, **ADAPTER), 20.30),
        (training("sft", "7B", 2048, 1, 0, **KEPT, **ADAPTER), 28.80),
        (training("sft", "1.5B", 4096, 2, 0, dtype="bfloat16"), 13.90),
        (training("sft", "0.5B", 4096, 2, 0, **KEPT), 21.22),
        (training("scalar_rm", "1.7B", 4096, 2, 0), 32.62),
        (training("grpo", "1.7B", 4096 + 2048, 4, 4096), 42.22),
        (training("grpo", "7B", 8192, 2, 4096, **ADAPTER), 24.52),
    ],
)
def test_forward_and_backward(stage: Training, measured: float) -> None:
    planned = sum(training_memory(stage).phases["forward and backward"].values()) / GIB
    assert LEAST < planned / measured < MOST


def test_sampling_copies_the_weights_under_autocast() -> None:
    """Measured before the optimiser's first step, so without its states."""
    parts = training_memory(training("grpo", "1.7B", 4096 + 64, 4, 4096)).phases["rollouts"]
    planned = sum(size for part, size in parts.items() if part != "optimiser") / GIB
    assert LEAST < planned / 24.61 < MOST


@pytest.mark.parametrize(("batch", "measured"), [(32, 4.25), (128, 8.16)])
def test_judging(batch: int, measured: float) -> None:
    judging = Judging(SHAPES["1.5B"], 2, False, False, batch, batch * 1000, 1000, 256, on_gpu=True)
    assert LEAST < judge_memory(judging).peak / GIB / measured < MOST


def test_only_heads_that_share_keys_repeat_them() -> None:
    judging = Judging(SHAPES["1.5B"], 2, False, False, 32, 32000, 1000, 256, on_gpu=True)
    alone = judging._replace(shape=replace(SHAPES["1.5B"], kv_heads=SHAPES["1.5B"].heads))
    assert judge_memory(judging).parts["repeated"] > 0
    assert "repeated" not in judge_memory(alone).parts
