"""The settings of GRPO: nothing is left to a default, terms are summed in one order, batches hold whole groups."""

from typing import Any

import pytest
from pydantic import ValidationError

from reasrm.training.grpo.rewards.registry import REWARD_TERMS
from reasrm.training.grpo.settings import GrpoSettings
from tests.training.stage_runs import GRPO, LORA


def settings(**changes: Any) -> GrpoSettings:
    return GrpoSettings.model_validate(GRPO | {"prompt_variant": "full", "rewards": {"verdict": 1.0}} | changes)


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


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 20}, r"must hold whole groups of replies_per_prompt \(8\) replies: batch_size 16 or 24"),
        ({"save_every": 10, "steps_per_generation": 4}, r"save_every \(10\) must be a multiple of .* \(4\).*; 12 is"),
        ({"save_every": 10, "num_iterations": 3}, r"save_every \(10\) must be a multiple of .* \(3\).*; 12 is"),
        ({"loss_type": "Grpo"}, "'grpo', 'dapo', 'dr_grpo'"),
        ({"scale_rewards": True}, "'group', 'batch' or 'none'"),
        ({"accumulate": 1}, "accumulate"),
        ({"orders": "both_in_group", "replies_per_prompt": 1 + 2, "batch_size": 12}, r"\(3\) must be even: 4 is"),
        ({"zero_signal_groups": "replace"}, r"most_extra_generations \(0\) must be 1 at least with .* replace"),
        ({"most_extra_generations": 2}, r"most_extra_generations \(2\) must be 0 with zero_signal_groups: keep"),
        ({"zero_signal_groups": "drop", "scale_rewards": "batch"}, r"scale_rewards: batch scales .* \(drop\) must be"),
        (
            {"zero_signal_groups": "drop", "trl": {"multi_objective_aggregation": "normalize_then_sum"}},
            "normalize_then_sum scales advantages by all groups",
        ),
        (
            {"rewards": {"verdict": 1.0, "consistency": 0.2}},
            r"one group, and orders \(hashed\) .* orders: both_in_group",
        ),
        ({"rewards": {"consistency": 0.2}, "orders": "both"}, r"orders \(both\) shows a group one of them"),
        (
            {"rewards": {"answer": 1.0, "grounded": 0.2}, "prompt_variant": "plain"},
            r"prompt_variant \(plain\) asks for none: take full, full_categories, rubrics, or leave",
        ),
        ({"micro_batch_size": 48}, "batch_size 96 or 144 would fit, or micro_batch_size 32, 16, 8, 4, 2, 1 or null"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        settings(**changes)


COLOCATE: dict[str, Any] = {
    "engine": "vllm", "mode": "colocate", "memory_share": 0.3, "tensor_parallel": 1, "sleep": False,
    "importance_sampling_mode": "sequence_mask", "importance_sampling_clip_min": None,
    "importance_sampling_clip_max": 3.0, "most_logprob_gap": 1.0e-4,
}  # fmt: skip
SERVER: dict[str, Any] = {
    name: value for name, value in COLOCATE.items() if name not in {"memory_share", "tensor_parallel", "sleep"}
} | {"mode": "server", "server": "http://127.0.0.1:8000", "server_timeout": 240.0}


@pytest.mark.parametrize("rollouts", [COLOCATE, SERVER])
def test_rollouts_hold_what_their_engine_and_place_need(rollouts: dict[str, Any]) -> None:
    assert settings(rollouts=rollouts).rollouts.model_dump(mode="json") == rollouts
    for name in rollouts:
        with pytest.raises(ValidationError, match=r"Field required|Unable to extract tag"):
            settings(rollouts={other: value for other, value in rollouts.items() if other != name})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rollouts": {"engine": "vlm"}}, "'transformers', 'vllm'"),
        ({"rollouts": {"engine": "transformers", "batch_size": 4, "memory_share": 0.3}}, "memory_share"),
        ({"rollouts": {"engine": "transformers"}}, "batch_size"),
        ({"rollouts": {"engine": "transformers", "batch_size": 0}}, "batch_size"),
        ({"rollouts": COLOCATE | {"server": "http://127.0.0.1:8000"}}, "server"),
        ({"rollouts": COLOCATE | {"most_logprob_gap": 0.0}}, "most_logprob_gap"),
        ({"rollouts": SERVER | {"server": "127.0.0.1:8000"}}, "server"),
        ({"rollouts": SERVER | {"server": "http://key@host:8000"}}, "server"),
        ({"rollouts": COLOCATE | {"tensor_parallel": 2}}, r"tensor_parallel \(2\) must divide launch.processes \(1\)"),
        ({"lora": LORA | {"dropout": 0.1}}, r"lora.dropout \(0.1\) would act while replies are sampled"),
        ({"rollouts": COLOCATE, "lora": LORA | {"quantise": "nf4"}}, "cannot follow `lora.quantise`"),
    ],
)
def test_rollouts_that_cannot_be_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        settings(**changes)


def test_a_group_may_be_larger_than_a_forward_pass() -> None:
    """Eight replies of one prompt in passes of four, in two passes."""
    assert settings(batch_size=8, micro_batch_size=4).accumulate == 2


def test_a_group_may_be_larger_than_the_batch_of_a_step() -> None:
    assert settings(batch_size=4, steps_per_generation=2).accumulate == 1


@pytest.mark.parametrize("name", sorted(GrpoSettings.model_fields))
def test_nothing_has_a_default(name: str) -> None:
    values = settings().model_dump(mode="json")
    del values[name]
    with pytest.raises(ValidationError, match="Field required"):
        GrpoSettings.model_validate(values)
