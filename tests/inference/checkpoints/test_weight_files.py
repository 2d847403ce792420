"""Weights are whole: each file's header says how long it is, and the index names files that are there."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from reasrm.inference.checkpoint_loading import refuse_broken_numbers
from reasrm.inference.checkpoints.weight_files import (
    INDEX,
    WEIGHTS,
    listed,
    odd_weights,
    require_weights,
    stored_dtype,
    tensor_names,
)
from reasrm.runtime.stage_main import StageError

SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


@pytest.fixture
def sharded(tmp_path: Path) -> Path:
    for number, shard in enumerate(SHARDS):
        save_file({f"weight.{number}": torch.ones(3)}, tmp_path / shard)
    weight_map = {f"weight.{number}": shard for number, shard in enumerate(SHARDS)}
    (tmp_path / INDEX).write_text(json.dumps({"weight_map": weight_map}))
    return tmp_path


def test_a_checkpoint_in_shards_passes_and_says_its_names(sharded: Path) -> None:
    require_weights(sharded)
    assert tensor_names(sharded) == ["weight.0", "weight.1"]


def test_weights_that_are_whole_numbers_or_of_one_byte_are_found_in_every_shard(sharded: Path) -> None:
    assert odd_weights(sharded) == odd_weights(sharded / "nowhere") == []
    kinds = {"a": torch.int8, "b": torch.float8_e4m3fn, "c": torch.bfloat16, "d": torch.float16}
    tensors = {f"{name}.weight": torch.ones(3).to(kind) for name, kind in kinds.items()}
    save_file(tensors | {"attn.bias": torch.ones(3, dtype=torch.bool)}, sharded / SHARDS[1])
    assert odd_weights(sharded) == ["a.weight", "b.weight"]


def test_the_number_format_of_a_checkpoint_is_that_of_most_of_its_weights(sharded: Path) -> None:
    assert stored_dtype(sharded) == "float32"
    save_file({"weight.1": torch.ones(7).bfloat16(), "mask": torch.ones(99, dtype=torch.bool)}, sharded / SHARDS[1])
    assert stored_dtype(sharded) == "bfloat16"
    for shard in SHARDS:
        save_file({"mask": torch.ones(3, dtype=torch.int8)}, sharded / shard)
    with pytest.raises(StageError, match="no weights there that are floating-point numbers"):
        stored_dtype(sharded)


def test_a_shard_that_is_gone_or_lacks_a_weight_is_named(sharded: Path) -> None:
    save_file({"other": torch.ones(3)}, sharded / SHARDS[1])
    with pytest.raises(StageError, match=rf"{SHARDS[1]} lacks weight\.1, which {INDEX} places there"):
        require_weights(sharded)
    (sharded / SHARDS[1]).unlink()
    with pytest.raises(StageError, match=f"{INDEX} names {SHARDS[1]}, not there"):
        require_weights(sharded)


@pytest.mark.parametrize(
    "index", ["", "{", "[]", "{}", '{"weight_map": {}}', '{"weight_map": {"a": "../a"}}', '{"weight_map": {"a": 1}}']
)
def test_an_index_that_is_none_is_refused(sharded: Path, index: str) -> None:
    (sharded / INDEX).write_text(index)
    with pytest.raises(StageError, match=r"its list of weights cannot be read"):
        require_weights(sharded)


@given(cut=st.integers(0, 200), more=st.binary(max_size=3))
def test_a_file_of_another_length_is_refused(tmp_path_factory: pytest.TempPathFactory, cut: int, more: bytes) -> None:
    folder = tmp_path_factory.mktemp("weights")
    save_file({"a": torch.ones(20), "b": torch.ones(2, 3)}, folder / WEIGHTS, {"format": "pt"})
    whole = (folder / WEIGHTS).read_bytes()
    changed = whole[: len(whole) - cut] + more
    (folder / WEIGHTS).write_bytes(changed)
    if len(changed) == len(whole) and cut <= 104:
        require_weights(folder)  # other numbers, but whole
    else:
        with pytest.raises(StageError, match=r"its weights cannot be read \(model\.safetensors "):
            require_weights(folder)


@given(st.binary(max_size=40))
def test_no_bytes_end_in_a_traceback(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("weights")
    (folder / WEIGHTS).write_bytes(content)
    with pytest.raises(StageError, match=r"its weights cannot be read|cut short"):
        require_weights(folder)


def test_a_long_list_is_counted() -> None:
    assert listed([str(number) for number in range(9)]) == "0, 1, 2, 3, 4, 5 and 3 more"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_no_numbers_are_refused_by_name(number: float) -> None:
    model: Any = torch.nn.Linear(3, 2)
    refuse_broken_numbers(model, Path("folder"))
    with torch.no_grad():
        model.bias[1] = number
    with pytest.raises(StageError, match=r"folder: its weights are no numbers in bias \(NaN or infinite\)"):
        refuse_broken_numbers(model, Path("folder"))
