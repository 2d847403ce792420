"""Trainings on a CUDA device: the same bytes twice and after a kill, and lost weights named before they sample.

python -m pytest -m gpu
"""

import shutil
from pathlib import Path
from typing import Any

import pytest

from reasrm.runtime.stage_main import StageError
from reasrm.runtime.yaml_files import read_yaml, write_yaml
from reasrm.training.training_run import make_repeatable
from tests.training.grpo.group_trainers import settings, trainer
from tests.training.stage_runs import train_twice

pytestmark = pytest.mark.gpu
LONG = {"batch": 2, "heads": 12, "tokens": 4096, "width": 128}
"""Long enough that attention's backward pass adds up parts of a sequence, in any order where it may."""


@pytest.fixture(scope="module")
def project_in_bfloat16(project: Path) -> Path:
    """The small project as the profiles of large models train: `sdpa`, autocast, gradient checkpointing."""
    folder = project.with_name("in_bfloat16")
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns("work", "sft", "grpo-*", "scalar_rm"))
    params = read_yaml(folder / "params.yaml")
    for section in ("sft", "scalar_rm", "grpo"):
        params[section] |= {
            "attention": "sdpa", "precision": "bfloat16", "gradient_checkpointing": True, "micro_batch_size": 8,
        }  # fmt: skip
    write_yaml(folder / "params.yaml", params)
    return folder


@pytest.mark.parametrize("padded", [False, True])
def test_attention_sums_in_one_order(padded: bool) -> None:
    import torch

    make_repeatable(0, 1, strict=True)
    shape = (LONG["batch"], LONG["heads"], LONG["tokens"], LONG["width"])
    inputs = [torch.randn(shape, device="cuda", dtype=torch.bfloat16, requires_grad=True) for _ in range(3)]
    towards = torch.randn(shape, device="cuda", dtype=torch.bfloat16)
    mask: Any = torch.ones(LONG["tokens"], LONG["tokens"], dtype=torch.bool, device="cuda").tril()[None, None]
    mask = mask.repeat(LONG["batch"], 1, 1, 1)
    mask[0, :, 100:, :100] = False
    gradients = []
    for _ in range(4):
        attention = torch.nn.functional.scaled_dot_product_attention
        reply = attention(*inputs, attn_mask=mask if padded else None, is_causal=not padded)
        gradients.append(torch.autograd.grad(reply, inputs, towards))
    assert all(torch.equal(one, first) for other in gradients for one, first in zip(other, gradients[0], strict=True))


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("stages.sft",), "sft"),
        (("stages.scalar_rm",), "scalar_rm"),
        (("stages.grpo", "cold_start"), "grpo-cold_start"),
    ],
)
def test_twice_and_after_kill_the_same_bytes(project_in_bfloat16: Path, command: tuple[str, ...], name: str) -> None:
    train_twice(project_in_bfloat16, command, name)


def test_lost_weights_are_named_before_they_sample(tmp_path: Path) -> None:
    """Sampling from them would end the device's context, and with it every later word of the process."""
    made = trainer(tmp_path, settings())
    next(made.model.parameters()).data.fill_(float("nan"))
    rows = [made.train_dataset[at // 4] for at in range(12)]
    with pytest.raises(StageError, match=r"step 1: the model's probabilities are no numbers .* lower `learning_rate`"):
        made._generate_and_score_completions(rows)
