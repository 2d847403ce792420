"""Scalar judges of others: the key layouts of their checkpoints, scores as computed by hand, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from reasrm.inference.checkpoint_loading import INDEX, WEIGHTS, refuse_scalar, tensor_names
from reasrm.inference.local_model import LocalModelSettings
from reasrm.inference.model_opening import EngineName, open_model
from reasrm.inference.scalar_engine import ScalarEngine
from reasrm.inference.transformers_engine import TransformersEngine
from reasrm.runtime.stage_main import ExitCode, StageError
from reasrm.training.checkpoint import load_language_model
from reasrm.training.scalar import load_scalar_model
from reasrm.training.trainer_settings import EpochSettings
from tests.fixtures.command_line import reasrm
from tests.training.stage_runs import PARAMS

WIDTH = 32
TRAINING = EpochSettings.model_validate(PARAMS["scalar_rm"])
ROWS = [(5, 6, 7, 8, 9), (5, 6), (11, 3, 3, 4, 20, 3), (7,)]
"""Conversations as token ids; all end differently."""
Shapes = dict[str, tuple[int, ...]]
PLAIN: Shapes = {"score.weight": (1, WIDTH)}
TWO_LAYERS: Shapes = {
    "score.0.bias": (WIDTH,), "score.0.weight": (WIDTH, WIDTH), "score.2.bias": (1,), "score.2.weight": (1, WIDTH),
}  # fmt: skip


def write(folder: Path, tokenizer: Any, head: Shapes, drop: str = "", **config: Any) -> Path:
    """A tiny Llama with a head of these shapes, less the weights whose names begin with `drop`."""
    import torch
    from safetensors.torch import load_file, save_file
    from transformers import LlamaConfig, LlamaForSequenceClassification

    torch.manual_seed(3)
    shape = LlamaConfig(
        vocab_size=512, hidden_size=WIDTH, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=256, initializer_range=0.3, **config,
    )  # fmt: skip
    LlamaForSequenceClassification(shape).save_pretrained(folder)
    weights = {name: one for name, one in load_file(folder / WEIGHTS).items() if not name.startswith("score")}
    weights |= {name: torch.randn(shape) for name, shape in head.items()}
    kept = {name: one for name, one in weights.items() if not drop or not name.startswith(drop)}
    save_file(kept, folder / WEIGHTS, metadata={"format": "pt"})
    tokenizer.save_pretrained(folder)
    return folder


def by_hand(folder: Path, row: tuple[int, ...]) -> float:
    """The score of one conversation: the backbone's last state, then the head's own arithmetic."""
    import torch
    from safetensors.torch import load_file
    from transformers import LlamaModel

    weights = load_file(folder / WEIGHTS)
    with torch.inference_mode():
        state = LlamaModel.from_pretrained(folder).eval()(torch.tensor([row])).last_hidden_state[0, -1]
        if "score.weight" in weights:
            return float(weights["score.weight"][0] @ state)
        inner = (weights["score.0.weight"] @ state + weights["score.0.bias"]).clamp(min=0)
        return float(weights["score.2.weight"][0] @ inner + weights["score.2.bias"][0])


def engine_for(folder: Path, settings: LocalModelSettings, tokenizer: Any) -> ScalarEngine:
    return ScalarEngine(settings.model_copy(update={"checkpoint": folder}), tokenizer)


@pytest.mark.parametrize("head", [PLAIN, TWO_LAYERS], ids=["Skywork-Reward", "INF-ORM"])
@pytest.mark.parametrize("pad_token_id", [0, None], ids=["pad", "no_pad"])
def test_scores_are_those_computed_by_hand(
    tmp_path: Path, settings: LocalModelSettings, tokenizer: Any, head: Shapes, pad_token_id: int | None
) -> None:
    folder = write(tmp_path, tokenizer, head, pad_token_id=pad_token_id, num_labels=1)
    assert [name for name in tensor_names(folder) if name.startswith("score")] == list(head)
    scores = list(engine_for(folder, settings, tokenizer).score(ROWS))
    assert scores == pytest.approx([by_hand(folder, row) for row in ROWS], abs=2e-5)
    assert len(set(scores)) == len(ROWS)


def test_the_last_token_counts_even_where_it_is_the_tokenizers_padding(
    tmp_path: Path, settings: LocalModelSettings, tokenizer: Any
) -> None:
    """A conversation ends with its end-of-turn token, which many tokenizers also pad with."""
    folder = write(tmp_path, tokenizer, PLAIN, pad_token_id=None, num_labels=1)
    rows = [(*row, tokenizer.pad_token_id) for row in ROWS]
    scores = list(engine_for(folder, settings, tokenizer).score(rows))
    assert scores == pytest.approx([by_hand(folder, row) for row in rows], abs=2e-5)


def test_a_checkpoint_in_several_files_says_its_names(tmp_path: Path, tokenizer: Any) -> None:
    folder = write(tmp_path, tokenizer, TWO_LAYERS, num_labels=1)
    names = tensor_names(folder)
    (folder / INDEX).write_text(json.dumps({"weight_map": dict.fromkeys(reversed(names), WEIGHTS)}))
    (folder / WEIGHTS).rename(folder / "model-00001-of-00001.safetensors")
    assert tensor_names(folder) == names


def test_labels_are_those_of_the_weights_and_not_of_the_config(
    tmp_path: Path, settings: LocalModelSettings, tokenizer: Any
) -> None:
    """Published configs often leave the number of labels to the caller."""
    folder = write(tmp_path, tokenizer, TWO_LAYERS, pad_token_id=0)
    assert "num_labels" not in json.loads((folder / "config.json").read_text())
    assert list(engine_for(folder, settings, tokenizer).score(ROWS)) == pytest.approx(
        [by_hand(folder, row) for row in ROWS], abs=2e-5
    )


@pytest.mark.parametrize(
    ("head", "drop", "message"),
    [
        ({}, "", "lacks score.weight"),
        (PLAIN, "model.norm", "lacks model.norm.weight"),
        (TWO_LAYERS, "score.0.bias", "lacks score.0.bias"),
        ({"score.weight": (2, WIDTH)}, "", "has in another shape score.weight"),
        (PLAIN | {"score.bias": (1,)}, "", "unknown to this kind of model, score.bias"),
        (TWO_LAYERS | {"score.4.weight": (1, 1)}, "", "score.4.weight"),
        ({"score.dense.weight": (1, WIDTH)}, "", "lacks score.weight and has, unknown"),
        (PLAIN, "model.layers", r"model.layers.0.self_attn.k_proj.weight and \d+ more"),
    ],
)
def test_what_would_be_random_is_refused_by_name(
    tmp_path: Path, settings: LocalModelSettings, tokenizer: Any, head: Shapes, drop: str, message: str
) -> None:
    folder = write(tmp_path, tokenizer, head, drop, pad_token_id=0, num_labels=1)
    with pytest.raises(StageError, match=message) as caught:
        list(engine_for(folder, settings, tokenizer).score(ROWS))
    assert str(folder) in str(caught.value)
    assert "kind: generative" in str(caught.value)


@pytest.mark.parametrize("tied", [True, False])
def test_a_language_model_is_no_scalar_judge_and_tied_weights_are_not_missing(
    tmp_path: Path, settings: LocalModelSettings, tokenizer: Any, tied: bool
) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    shape = LlamaConfig(
        vocab_size=512, hidden_size=WIDTH, intermediate_size=48, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=256, tie_word_embeddings=tied,
    )  # fmt: skip
    LlamaForCausalLM(shape).save_pretrained(tmp_path)
    assert ("lm_head.weight" in tensor_names(tmp_path)) is not tied
    refuse_scalar(tmp_path)
    here = settings.model_copy(update={"checkpoint": tmp_path})
    TransformersEngine(here, tokenizer)._loaded()
    with pytest.raises(StageError, match="kind: generative"):
        list(ScalarEngine(here, tokenizer).score(ROWS))


@pytest.mark.parametrize("head", [PLAIN, TWO_LAYERS, {}])
def test_a_scalar_checkpoint_writes_no_text(
    tmp_path: Path, settings: LocalModelSettings, tokenizer: Any, capsys: pytest.CaptureFixture[str], head: Shapes
) -> None:
    """Whether its architecture's name or its weights tell it; on any engine, and by the command."""
    folder = write(tmp_path, tokenizer, head, num_labels=1, tie_word_embeddings=True)
    if head:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"architectures": ["SomethingElse"]}))
    for engine in (EngineName.TRANSFORMERS, EngineName.VLLM):
        with pytest.raises(StageError, match="kind: scalar"):
            open_model(engine, settings.model_copy(update={"checkpoint": folder}))
    arguments = ["--prompt", "q", "--a", "x", "--b", "y", "--model", str(folder)]
    assert reasrm("judge", *arguments) == ExitCode.FAILED
    assert "kind: scalar" in capsys.readouterr().err


def test_a_language_model_that_lacks_weights_is_refused(
    tmp_path: Path, settings: LocalModelSettings, tokenizer: Any, checkpoint: Path
) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(checkpoint / WEIGHTS)
    gone = next(name for name in weights if "down_proj" in name)
    for file in checkpoint.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    save_file({name: one for name, one in weights.items() if name != gone}, tmp_path / WEIGHTS, {"format": "pt"})
    with pytest.raises(StageError, match=f"lacks {gone}"):
        TransformersEngine(settings.model_copy(update={"checkpoint": tmp_path}), tokenizer)._loaded()
    with pytest.raises(StageError, match=f"lacks {gone}"):
        load_language_model(tmp_path, TRAINING)
    with pytest.raises(StageError, match=f"lacks {gone}"):
        load_scalar_model(tmp_path, tokenizer, TRAINING)


def test_training_begins_from_whole_weights_and_makes_a_new_head_alone(
    checkpoint: Path, tokenizer: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    from safetensors.torch import load_file

    weights = load_file(checkpoint / WEIGHTS)
    model, scorer = load_language_model(checkpoint, TRAINING), load_scalar_model(checkpoint, tokenizer, TRAINING)
    assert "MISSING" not in capfd.readouterr().err
    for name, parameter in scorer.named_parameters():
        if name != "score.weight":
            assert parameter.equal(weights[name])
            assert parameter.equal(model.get_parameter(name))
