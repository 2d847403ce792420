"""An adapter learns, is merged into one folder in the base's number format, and the merged model judges as with it."""

import json
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file

from reasrm.inference.checkpoint_loading import load_causal, load_scalar
from reasrm.inference.checkpoints.weight_files import stored_dtype
from reasrm.inference.prompt_rendering import load_tokenizer
from reasrm.judging.chat_templates.chat_template import prompt_token_ids
from reasrm.miniature.tiny_model import TinyShape, new_model
from reasrm.miniature.world import Split, training_pairs
from reasrm.runtime.stage_main import StageError
from reasrm.training.checkpoint import load_language_model
from reasrm.training.lora import LoraSettings, merged_into_base, quantisation_config
from reasrm.training.scalar import load_scalar_model, train_scalar
from reasrm.training.sft import TrainingExample, train_sft
from reasrm.training.trainer_settings import EpochSettings, SftSettings
from reasrm.training.training_run import TrainingRun
from tests.fixtures.world import documents, tokenizer_of
from tests.training.stage_runs import LORA, PARAMS

SHAPE = {"hidden_size": 32, "layers": 2, "heads": 2, "intermediate_size": 64}
SHORT = {"epochs": 1, "learning_rate": 1e-2, "warmup_steps": 0, "batch_size": 8, "save_every": 4, "log_every": 2}


class Base(NamedTuple):
    """An untrained miniature in a folder."""

    folder: Path
    tokenizer: Any
    examples: list[TrainingExample]


@pytest.fixture(scope="module", params=["float32", "bfloat16"])
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Base:
    folder = tmp_path_factory.mktemp("base")
    written = documents(64)
    tokenizer = tokenizer_of(written)
    model = new_model(tokenizer, TinyShape.model_validate(PARAMS["base_model"]["shape"] | SHAPE), 0)
    model.to(getattr(torch, request.param)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Base(folder, tokenizer, [TrainingExample(one.prompt, one.completion) for one in written])


def settings(model: Any, section: str, base: Base, **changes: Any) -> Any:
    dtype = str(next(iter(load_file(base.folder / "model.safetensors").values())).dtype).removeprefix("torch.")
    values = {name: PARAMS[section][name] for name in model.model_fields}
    return model.model_validate(values | SHORT | {"dev": None, "dtype": dtype, "lora": LORA} | changes)


def run_in(folder: Path, name: str) -> TrainingRun:
    return TrainingRun(name, folder / "work", folder / "checkpoint", folder / "curves")


@pytest.mark.slow
def test_the_merged_folder_judges_as_the_model_with_its_adapter(tmp_path: Path, base: Base) -> None:
    chosen = settings(SftSettings, "sft", base)
    run = run_in(tmp_path, "sft")
    result = train_sft(run, lambda: load_language_model(base.folder, chosen), base.tokenizer, base.examples, chosen)
    assert result.steps == 8

    before, after = (load_file(folder / "model.safetensors") for folder in (base.folder, run.checkpoint))
    assert before.keys() == after.keys()
    assert {name: tensor.dtype for name, tensor in before.items()} == {
        name: tensor.dtype for name, tensor in after.items()
    }
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {name for name in before if name.endswith("proj.weight")}
    assert sorted(path.name for path in run.checkpoint.iterdir()) == sorted(
        path.name for path in base.folder.iterdir()
    ), "a checkpoint like any other"

    dtype = getattr(torch, chosen.dtype.value)
    from peft import AutoPeftModelForCausalLM

    with_adapter = AutoPeftModelForCausalLM.from_pretrained(run.resume_from / "checkpoint-8", dtype=dtype).eval()
    merged = load_causal(run.checkpoint, dtype=dtype).eval()
    untrained = load_causal(base.folder, dtype=dtype).eval()
    for example in base.examples[:8]:
        ids = torch.tensor([prompt_token_ids(load_tokenizer(run.checkpoint), example.prompt)])
        with torch.no_grad():
            expected, found, plain = (model(input_ids=ids).logits for model in (with_adapter, merged, untrained))
        near = 1e-5 if dtype is torch.float32 else 0.05 * expected.abs().max().item()
        torch.testing.assert_close(found, expected, rtol=0, atol=near)
        assert (plain - expected).abs().max() > 10 * (found - expected).abs().max()
        if dtype is torch.float32:
            replies = [
                model.generate(input_ids=ids, max_new_tokens=24, do_sample=False) for model in (with_adapter, merged)
            ]
            assert torch.equal(*replies)


@pytest.mark.slow
def test_an_adapter_on_disk_is_merged_into_its_base_as_it_lies_there(tmp_path: Path, base: Base) -> None:
    """The way of quantised weights, from which nothing can be merged."""
    chosen = settings(SftSettings, "sft", base)
    run = run_in(tmp_path, "sft")
    train_sft(run, lambda: load_language_model(base.folder, chosen), base.tokenizer, base.examples, chosen)
    dtype = getattr(torch, chosen.dtype.value)
    merged_into_base(run.resume_from / "checkpoint-8", dtype, dtype).save_pretrained(tmp_path / "m")
    expected, found = (load_file(folder / "model.safetensors") for folder in (run.checkpoint, tmp_path / "m"))
    assert expected.keys() == found.keys()
    assert all(torch.equal(tensor, found[name]) for name, tensor in expected.items())


@pytest.mark.slow
@pytest.mark.parametrize("lora", [None, LORA])
def test_weights_trained_in_float32_are_rounded_once_to_the_bases_number_format(
    tmp_path: Path, base: Base, lora: dict[str, Any] | None
) -> None:
    stored = {}
    for save_dtype in ("base", "float32", "bfloat16"):
        chosen = settings(SftSettings, "sft", base, dtype="float32", lora=lora, save_dtype=save_dtype)
        run = run_in(tmp_path / save_dtype, "sft")
        train_sft(run, partial(load_language_model, base.folder, chosen), base.tokenizer, base.examples, chosen)
        stored[save_dtype] = load_file(run.checkpoint / "model.safetensors")
        config = json.loads((run.checkpoint / "config.json").read_text())
        assert {str(one.dtype) for one in stored[save_dtype].values()} == {f"torch.{config['dtype']}"}
    assert all(torch.equal(one.bfloat16(), stored["bfloat16"][name]) for name, one in stored["float32"].items())
    expected = stored[stored_dtype(base.folder)]
    assert all(torch.equal(one, stored["base"][name]) for name, one in expected.items())
    if lora is None:
        assert any(not torch.equal(one, one.bfloat16().float()) for one in stored["float32"].values())


@pytest.mark.slow
def test_a_scalar_models_new_head_is_trained_whole_and_merged(tmp_path: Path, base: Base) -> None:
    chosen = settings(EpochSettings, "scalar_rm", base)
    run = run_in(tmp_path, "scalar_rm")
    pairs = training_pairs(Split.TRAIN, 64, 0)
    load = partial(load_scalar_model, base.folder, base.tokenizer, chosen)
    train_scalar(run, load, base.tokenizer, pairs, chosen)
    assert load_scalar(run.checkpoint).config.num_labels == 1
    assert "score.weight" in load_file(run.checkpoint / "model.safetensors")


def test_layers_that_the_model_does_not_have_are_refused_in_one_line(tmp_path: Path, base: Base) -> None:
    chosen = settings(SftSettings, "sft", base, lora=LORA | {"target_modules": ["c_attn"]})
    with pytest.raises(StageError, match=r"^sft: refused by the trainer: .*c_attn.* not found") as caught:
        run = run_in(tmp_path, "sft")
        train_sft(run, lambda: load_language_model(base.folder, chosen), base.tokenizer, base.examples, chosen)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_an_adapter_on_tied_embeddings_is_refused_before_it_is_trained(tmp_path: Path, base: Base) -> None:
    """Merged, it would change the output layer as well; a scalar model has none."""
    embedding = LORA | {"target_modules": ["embed_tokens"]}
    chosen, run = settings(SftSettings, "sft", base, lora=embedding), run_in(tmp_path, "sft")
    with pytest.raises(StageError, match=r"^sft: lora\.target_modules names the embedding"):
        train_sft(run, lambda: load_language_model(base.folder, chosen), base.tokenizer, base.examples, chosen)
    assert not run.resume_from.exists() or not list(run.resume_from.glob("checkpoint-*"))
    scalar = settings(EpochSettings, "scalar_rm", base, lora=embedding, dev=None)
    load = partial(load_scalar_model, base.folder, base.tokenizer, scalar)
    train_scalar(run_in(tmp_path, "scalar_rm"), load, base.tokenizer, training_pairs(Split.TRAIN, 8, 0), scalar)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_quantised_weights_without_a_gpu_are_refused() -> None:
    with pytest.raises(StageError, match="needs a CUDA device and the package bitsandbytes"):
        quantisation_config(LoraSettings.model_validate(LORA | {"quantise": "nf4"}), "bfloat16")


@pytest.mark.parametrize(
    "wrong", [{"rank": 0}, {"dropout": 1.0}, {"target_modules": []}, {"quantise": "int4"}, {"r": 8}]
)
def test_what_no_adapter_can_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        LoraSettings.model_validate(LORA | wrong)
