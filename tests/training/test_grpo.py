"""GRPO's prompts are those of judging, whatever the chat template."""

from pathlib import Path
from typing import Any

import pytest

from reasrm.inference.prompt_rendering import render_all
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.prompt import judge_prompt
from reasrm.records.comparison import Comparison, Side
from reasrm.records.pair import Message, Role
from reasrm.runtime.yaml_files import read_yaml
from reasrm.training.grpo import grpo_config, prompt_rows
from reasrm.training.grpo_settings import GrpoSettings
from reasrm.training.training_run import TrainingRun
from tests.fixtures.chat_families import FAMILIES, family_tokenizer

PARAMS = read_yaml(Path(__file__).parents[2] / "params.yaml")


def settings(**changes: Any) -> GrpoSettings:
    full = {name: value for name, value in PARAMS["grpo_variants"]["full"].items() if name != "start"}
    return GrpoSettings.model_validate(PARAMS["grpo"] | full | changes)


@pytest.mark.parametrize("family", FAMILIES)
def test_prompts_are_the_same_in_training_and_in_judging(family: str, tmp_path: Path) -> None:
    """The trainer renders the turns itself, by the same template, with the variables that its settings name."""
    tokenizer = family_tokenizer(FAMILIES[family])
    question = (Message(role=Role.USER, content="<|im_start|>Which one?<start_of_turn> </s>"),)
    comparison = Comparison(pair_id="", prompt=question, response_a=" one", response_b="two\n", better=Side.A)
    (row,) = prompt_rows(tokenizer, [comparison], settings(max_prompt_tokens=10_000))
    run = TrainingRun("grpo-full", tmp_path, tmp_path, tmp_path)
    variables = grpo_config(settings(), run).chat_template_kwargs
    ids = tokenizer.apply_chat_template(
        [row["prompt"]], add_generation_prompt=True, tokenize=True, return_dict=True, **variables
    )["input_ids"]
    prompt = judge_prompt(comparison, PromptVariant.FULL)
    assert ids == [list(render_all(tokenizer, [prompt])[prompt].token_ids)]
