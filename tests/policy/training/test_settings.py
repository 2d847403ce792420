"""A policy's settings: what contradicts itself is refused with what to take instead."""

from typing import Any

import pytest
from pydantic import ValidationError

from reasrm.policy.training.settings import PolicySettings
from reasrm.runtime.yaml_files import read_yaml
from tests.training.stage_runs import ROOT

SECTION = read_yaml(ROOT / "params.yaml")["policy"]
ARM = {"arm": "reasrm", "reward": "judge", "judge": "grpo-full", "scheme": "knockout"}


def settings(**changes: Any) -> PolicySettings:
    return PolicySettings.model_validate(SECTION | ARM | changes)


def test_every_setting_stands_in_params() -> None:
    assert settings().model_dump(mode="json") == PolicySettings.model_validate(SECTION | ARM).model_dump(mode="json")
    assert set(PolicySettings.model_fields) == set(SECTION) | set(ARM)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"judge": ""}, "judge"),
        ({"scheme": ""}, "scheme is '' and reward judge: name one"),
        ({"reward": "verifier", "scheme": "ring"}, "scheme is 'ring' and reward verifier: leave it empty"),
        ({"scheme": "elo"}, "there is no reward scheme 'elo': one of greedy_anchor"),
        ({"scheme": "pairwise_advantage"}, "take scale_rewards: none"),
        ({"launch": {"processes": 2, "strategy": "fsdp2"}}, "take ddp or zero2"),
        ({"launch": {"processes": 2, "strategy": "ddp"}, "batch_size": 18}, "is 9, which cuts groups of"),
        (
            {
                "launch": {"processes": 2, "strategy": "ddp"},
                "zero_signal_groups": "replace",
                "most_extra_generations": 1,
            },
            "would cut them: take keep or drop",
        ),
        ({"keep": "best_on_dev"}, "keep"),
        ({"judge_tokens": 0}, "judge_tokens"),
    ],
)
def test_contradictions_are_refused_with_a_way_out(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        settings(**changes)
    assert said in str(refused.value)


def test_an_advantage_is_taken_as_it_is() -> None:
    assert settings(scheme="pairwise_advantage", scale_rewards="none").scheme == "pairwise_advantage"
