"""GRPO's settings and prompts: reward terms are known, weighted and summed in one order; batches hold whole groups."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from reasrm.inference.prompt_rendering import render_all
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.prompt import judge_prompt
from reasrm.records.comparison import Comparison, Side
from reasrm.records.pair import Message, Role
from reasrm.runtime.yaml_files import read_yaml
from reasrm.training.grpo import GrpoSettings, _config, prompt_rows
from reasrm.training.rewards.registry import REWARD_TERMS
from tests.fixtures.chat_families import FAMILIES, family_tokenizer

PARAMS = read_yaml(Path(__file__).parents[2] / "params.yaml")


def settings(**changes: Any) -> GrpoSettings:
    return GrpoSettings.model_validate(
        PARAMS["grpo"] | {"prompt_variant": "full", "rewards": {"verdict": 1.0}} | changes
    )


def test_terms_are_summed_in_the_registrys_order_whatever_the_files() -> None:
    assert list(settings(rewards={"format": 0.2, "answer": 1.0}).rewards.items()) == [("answer", 1.0), ("format", 0.2)]


@pytest.mark.parametrize(
    ("rewards", "message"),
    [
        ({"verdict": 1.0, "lenght": 0.1}, f"no reward term lenght; there are {', '.join(sorted(REWARD_TERMS))}"),
        ({}, "at least 1 item"),
        ({"verdict": float("nan")}, "finite number"),
    ],
)
def test_rewards_that_cannot_be_meant_are_refused(rewards: dict[str, float], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        settings(rewards=rewards)


@pytest.mark.parametrize("family", FAMILIES)
def test_prompts_are_the_same_in_training_and_in_judging(family: str) -> None:
    """The trainer renders the turns itself, by the same template, with the variables that its settings name."""
    tokenizer = family_tokenizer(FAMILIES[family])
    question = (Message(role=Role.USER, content="<|im_start|>Which one?<start_of_turn> </s>"),)
    comparison = Comparison(pair_id="", prompt=question, response_a=" one", response_b="two\n", better=Side.A)
    (row,) = prompt_rows(tokenizer, [comparison], settings(max_prompt_tokens=10_000))
    variables = _config(settings(), Path("resume")).chat_template_kwargs
    ids = tokenizer.apply_chat_template(
        [row["prompt"]], add_generation_prompt=True, tokenize=True, return_dict=True, **variables
    )["input_ids"]
    prompt = judge_prompt(comparison, PromptVariant.FULL)
    assert ids == [list(render_all(tokenizer, [prompt])[prompt].token_ids)]


def test_a_batch_of_half_a_group_is_refused() -> None:
    with pytest.raises(ValidationError, match="must hold whole groups of 8 replies"):
        settings(batch_size=20)
