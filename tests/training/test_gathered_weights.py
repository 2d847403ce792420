"""Shards become one model of the same class, number format and weights."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from reasrm.inference.checkpoint_loading import load_causal
from reasrm.miniature.tiny_model import TinyShape, new_model
from reasrm.runtime.stage_main import StageError
from reasrm.training.gathered_weights import model_with_weights
from tests.fixtures.world import documents, tokenizer_of
from tests.training.stage_runs import PARAMS


@pytest.fixture
def group() -> Iterator[None]:
    """A process group of this process alone."""
    torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A miniature with tied embeddings, in bfloat16."""
    tokenizer = tokenizer_of(documents(20))
    model = new_model(tokenizer, TinyShape.model_validate(PARAMS["base_model"]["shape"]), 0)
    model.to(torch.bfloat16).save_pretrained(tmp_path / "saved")
    return tmp_path / "saved"


@pytest.mark.usefixtures("group")
def test_a_sharded_model_is_written_as_a_whole_one_would_be(saved: Path, tmp_path: Path) -> None:
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
    from torch.distributed.fsdp import fully_shard

    model: Any = load_causal(saved, dtype=torch.bfloat16).to(torch.float32)  # as under mixed precision
    for layer in model.model.layers:
        fully_shard(layer)
    fully_shard(model)
    assert type(model).__name__.startswith("FSDP")
    weights = get_model_state_dict(model, options=StateDictOptions(full_state_dict=True, cpu_offload=True))
    model_with_weights(model, weights, torch.bfloat16).save_pretrained(tmp_path / "whole")
    assert (tmp_path / "whole/config.json").read_text() == (saved / "config.json").read_text()
    expected, found = (load_file(folder / "model.safetensors") for folder in (saved, tmp_path / "whole"))
    assert expected.keys() == found.keys()
    assert all(torch.equal(tensor, found[name]) for name, tensor in expected.items())


def test_a_shard_that_is_missing_is_never_filled_with_noise(saved: Path) -> None:
    model = load_causal(saved, dtype=torch.bfloat16)
    weights = model.state_dict()
    del weights["model.layers.0.mlp.up_proj.weight"]
    with pytest.raises(StageError, match=r"lacks 1 weights, model\.layers\.0\.mlp\.up_proj\.weight first"):
        model_with_weights(model, weights, torch.bfloat16)
