"""Policies among the stages: with the judge that runs in their process, or one that is served."""

from typing import Any

import pytest

from reasrm.preflight.row_lengths import made_by
from reasrm.preflight.stage_settings import JudgeNeeds, StageSettings, stages_with_models
from tests.training.stage_runs import PARAMS

START = "data/checkpoints/policy_start-half"
JUDGED: dict[str, Any] = {
    "arm": "reasrm", "prompts": "world", "start": START, "reward": "judge", "judge": "grpo-full",
    "checkpoint": "data/checkpoints/grpo-full", "scheme": "knockout",
}  # fmt: skip
RANDOM = JUDGED | {"arm": "random", "reward": "random", "scheme": ""}
ARMS: dict[str, Any] = {"policy_variants": {"reasrm-s0": JUDGED, "random-s0": RANDOM}}
SERVED: dict[str, Any] = {"policy_running": PARAMS["policy_running"] | {"judge_url": "http://127.0.0.1:8765"}}


def policies(**sections: Any) -> dict[str, StageSettings]:
    found = stages_with_models(PARAMS | ARMS | sections)
    return {one.stage: one for one in found if one.section == "policy"}


def test_a_policy_holds_its_judge_unless_that_is_served() -> None:
    alone = policies()
    judge = alone["policy@reasrm-s0"].judge
    assert isinstance(judge, JudgeNeeds)
    assert str(judge.checkpoint) == JUDGED["checkpoint"]
    assert judge.max_new_tokens == PARAMS["judge"]["max_new_tokens"]
    assert alone["policy@random-s0"].judge == judge, "it watches whom it does not reward"
    served = policies(**SERVED)
    assert {name: one.judge for name, one in served.items()} == dict.fromkeys(alone)
    assert served["policy@reasrm-s0"].settings == alone["policy@reasrm-s0"].settings


def test_its_rows_are_made_by_the_stage_of_its_prompts() -> None:
    assert {made_by(one) for one in policies().values()} == {"policy_prompts@world"}


@pytest.mark.parametrize(
    ("judges", "said"),
    [
        ({}, "params.yaml: `judge_variants` has no model grpo-full"),
        ({"grpo-full": {"checkpoint": JUDGED["checkpoint"]}}, "params.yaml: section `judge`: "),
    ],
)
def test_a_judge_that_cannot_be_read_is_an_unknown_arm(judges: dict[str, Any], said: str) -> None:
    found = policies(judge_variants=judges)
    for arm in found.values():
        assert arm.error.startswith(said)
        assert arm.settings is None
