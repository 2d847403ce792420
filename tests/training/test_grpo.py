"""The settings of GRPO: reward terms are known, weighted and summed in one order; batches hold whole groups."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from reasrm.runtime.yaml_files import read_yaml
from reasrm.training.grpo import GrpoSettings
from reasrm.training.rewards.registry import REWARD_TERMS

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


def test_a_batch_of_half_a_group_is_refused() -> None:
    with pytest.raises(ValidationError, match="must hold whole groups of 8 replies"):
        settings(batch_size=20)
