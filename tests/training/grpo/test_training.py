"""GRPO's prompts are those of judging, and what it starts from has all its weights."""

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from reasrm.inference.prompt_rendering import load_tokenizer, render_all
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.prompt import judge_prompt
from reasrm.records.comparison import Comparison, Side
from reasrm.records.pair import Message, Role
from reasrm.runtime.stage_main import StageError
from reasrm.training.checkpoint import load_language_model
from reasrm.training.grpo.settings import GrpoSettings, TrainingOrders
from reasrm.training.grpo.training import grpo_config, prompt_rows, train_grpo
from reasrm.training.training_run import NoTrainingDataError, TrainingRun
from tests.fixtures.chat_families import FAMILIES, family_tokenizer
from tests.training.grpo.test_settings import COLOCATE
from tests.training.stage_runs import GRPO


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_prompts_are_the_same_in_training_and_in_judging(family: str, tmp_path: Path) -> None:
    """The trainer renders the turns itself, by the same template, with the variables that its settings name."""
    settings = GrpoSettings.model_validate(
        GRPO | {"prompt_variant": "full", "rewards": {"verdict": 1.0}, "max_prompt_tokens": 10_000}
    )
    tokenizer = family_tokenizer(FAMILIES[family])
    question = (Message(role=Role.USER, content="<|im_start|>Which one?<start_of_turn> </s>"),)
    comparison = Comparison(pair_id="", prompt=question, response_a=" one", response_b="two\n", better=Side.A)
    ((row,), _) = prompt_rows(tokenizer, [comparison], settings)
    run = TrainingRun("grpo", tmp_path / "work", tmp_path / "checkpoint", tmp_path / "curves")
    variables = grpo_config(settings, run).chat_template_kwargs
    ids = tokenizer.apply_chat_template(
        [row["prompt"]], add_generation_prompt=True, tokenize=True, return_dict=True, **variables
    )["input_ids"]
    prompt = judge_prompt(comparison, PromptVariant.FULL)
    assert ids == [list(render_all(tokenizer, [prompt])[prompt].token_ids)]


def test_number_format_and_attention_are_those_of_the_settings(checkpoint: Path) -> None:
    chosen = GRPO | {"prompt_variant": "plain", "rewards": {"verdict": 1.0}}
    model = load_language_model(
        checkpoint, GrpoSettings.model_validate(chosen | {"dtype": "bfloat16", "attention": "sdpa"})
    )
    assert model.dtype is torch.bfloat16
    assert model.config._attn_implementation == "sdpa"


@pytest.mark.slow
def test_a_checkpoint_that_lacks_weights_is_not_trained_with_random_ones(tmp_path: Path, checkpoint: Path) -> None:
    from safetensors.torch import load_file, save_file

    start = Path(shutil.copytree(checkpoint, tmp_path / "start"))
    weights = load_file(start / "model.safetensors")
    del weights["model.layers.0.self_attn.q_proj.weight"]
    save_file(weights, start / "model.safetensors", {"format": "pt"})
    settings = GrpoSettings.model_validate(
        GRPO | {"prompt_variant": "plain", "rewards": {"verdict": 1.0}, "max_prompt_tokens": 10_000, "batch_size": 8}
    )
    comparison = Comparison(
        pair_id="",
        prompt=(Message(role=Role.USER, content="why"),),
        response_a="one",
        response_b="two",
        better=Side.A,
    )
    run = TrainingRun("grpo", tmp_path / "work", tmp_path / "checkpoint", tmp_path / "curves")
    with pytest.raises(StageError, match=r"lacks model\.layers\.0\.self_attn\.q_proj\.weight"):
        train_grpo(run, start, load_tokenizer(start), [comparison], settings)
    assert not run.checkpoint.exists()


def test_prompts_that_do_not_fill_one_generation_are_too_few(tmp_path: Path) -> None:
    """TRL would take no step, and the checkpoint would be the one that it started from."""
    chosen = {"prompt_variant": "plain", "rewards": {"verdict": 1.0}, "max_prompt_tokens": 10_000}
    settings = GrpoSettings.model_validate(
        GRPO | chosen | {"batch_size": 8, "steps_per_generation": 2, "save_every": 2}
    )
    question = (Message(role=Role.USER, content="why"),)
    comparison = Comparison(pair_id="", prompt=question, response_a="one", response_b="two", better=Side.A)
    run = TrainingRun("grpo", tmp_path / "work", tmp_path / "checkpoint", tmp_path / "curves")
    said = r"grpo: there are 1 prompts \(0 too long\), and one generation takes 2 different ones \(batch_size 8 x"
    with pytest.raises(NoTrainingDataError, match=said):
        train_grpo(run, tmp_path, family_tokenizer(FAMILIES["plain"]), [comparison], settings)


def test_both_orders_are_two_prompts_or_two_halves_of_one() -> None:
    tokenizer = family_tokenizer(FAMILIES["plain"])
    question = (Message(role=Role.USER, content="Which one?"),)
    pairs = [Comparison(pair_id="", prompt=question, response_a=a, response_b="two", better=Side.A) for a in "xy"]
    rows = {}
    for orders in TrainingOrders:
        settings = GrpoSettings.model_validate(
            GRPO
            | {"prompt_variant": "full", "rewards": {"verdict": 1.0}, "max_prompt_tokens": 10_000, "orders": orders}
        )
        rows[orders], _ = prompt_rows(tokenizer, pairs, settings)
    hashed, both, halves = rows.values()
    assert [row["better"] for row in both] == ["A", "B", "A", "B"]
    assert both[0::2] == hashed
    of_order = ("prompt", "better", "response_a", "response_b")
    assert [row["swapped"] for row in halves] == [{name: at[name] for name in of_order} for at in both[1::2]]
    assert [(row["response_a"], row["response_b"]) for row in both] == [
        ("x", "two"),
        ("two", "x"),
        ("y", "two"),
        ("two", "y"),
    ]
    assert [{**row, "swapped": None} for row in halves] == [{**row, "swapped": None} for row in hashed]
    assert "[Start of answer B]\nx" in both[1]["prompt"][1]["content"]


@pytest.mark.skipif(find_spec("vllm") is not None, reason="vLLM is installed")
def test_vllm_that_is_not_installed_is_asked_for_before_anything_is_loaded(tmp_path: Path) -> None:
    settings = GrpoSettings.model_validate(
        GRPO | {"prompt_variant": "full", "rewards": {"verdict": 1.0}, "rollouts": COLOCATE}
    )
    run = TrainingRun("grpo", tmp_path / "work", tmp_path / "checkpoint", tmp_path / "curves")
    with pytest.raises(StageError, match=r"needs vLLM, which is not installed: pip install 'reasrm\[vllm\]'"):
        grpo_config(settings, run)
