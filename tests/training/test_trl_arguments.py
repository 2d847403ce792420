"""Settings reach TRL's config under TRL's names; `trl` adds to them, and what it may not say is named in one line."""

from pathlib import Path
from typing import Any

import pytest
from transformers.utils import is_bitsandbytes_available

from reasrm.runtime.stage_main import StageError
from reasrm.training.grpo.settings import GrpoSettings
from reasrm.training.grpo.training import grpo_config
from reasrm.training.sft import sft_config
from reasrm.training.trainer_settings import SftSettings
from reasrm.training.training_run import TrainingRun
from reasrm.training.trl_arguments import NOT_OPEN, OUR_NAME
from tests.training.stage_runs import GRPO, PARAMS


@pytest.fixture
def run(tmp_path: Path) -> TrainingRun:
    return TrainingRun("trained", tmp_path / "work", tmp_path / "checkpoint", tmp_path / "curves")


def sft(**changes: Any) -> SftSettings:
    values = {key: value for key, value in PARAMS["sft"].items() if key != "prompt_variant"}
    return SftSettings.model_validate(values | changes)


def grpo(**changes: Any) -> GrpoSettings:
    return GrpoSettings.model_validate(GRPO | {"prompt_variant": "full", "rewards": {"verdict": 1.0}} | changes)


def test_every_setting_reaches_the_config_of_trl(run: TrainingRun) -> None:
    settings = grpo(
        batch_size=32, micro_batch_size=4, steps_per_generation=2, num_iterations=1, loss_type="dr_grpo",
        weight_decay=0.1, scale_rewards="none", epsilon=0.1, epsilon_high=0.3, mask_truncated_completions=True,
        max_grad_norm=0.5, lr_scheduler_type="linear", optim="adamw_torch", dtype="bfloat16", attention="sdpa",
        use_bias_correction_kl=True,
    )  # fmt: skip
    config = grpo_config(settings, run)
    assert (config.per_device_train_batch_size, config.gradient_accumulation_steps) == (4, 8)
    assert (config.steps_per_generation, config.generation_batch_size) == (16, 64)
    assert (config.loss_type, config.scale_rewards, config.epsilon, config.epsilon_high) == (
        "dr_grpo",
        "none",
        0.1,
        0.3,
    )
    assert (config.mask_truncated_completions, config.use_bias_correction_kl) == (True, True)
    assert (config.weight_decay, config.max_grad_norm) == (0.1, 0.5)
    assert (config.lr_scheduler_type.value, config.optim.value) == ("linear", "adamw_torch")


def test_ratios_are_clipped_above_at_one_and_epsilon_high_whatever_the_loss(run: TrainingRun) -> None:
    """TRL's CISPO takes the greatest ratio itself: 0.28 would weigh every token by 0.28."""
    assert grpo_config(grpo(loss_type="dapo", epsilon_high=0.25), run).epsilon_high == 0.25
    assert grpo_config(grpo(loss_type="cispo", epsilon_high=0.25), run).epsilon_high == 1.25


def test_further_arguments_are_passed_through(run: TrainingRun) -> None:
    assert grpo_config(grpo(trl={"top_k": 20, "adam_beta2": 0.95}), run).top_k == 20
    assert sft_config(sft(trl={"neftune_noise_alpha": 5}), run).neftune_noise_alpha == 5.0


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("top_kk", 1, r"`trl\.top_kk` is no argument of this training's config class in TRL"),
        ("beta", 0.1, r"`trl\.beta` is decided by `kl_weight`"),
        ("bf16", True, r"`trl\.bf16` is decided by `precision`"),
        ("max_grad_norm", 1.0, r"`trl\.max_grad_norm` is decided by `max_grad_norm`"),
        ("gradient_accumulation_steps", 2, "is decided by `batch_size` and `micro_batch_size`"),
        ("push_to_hub", True, "nothing is uploaded"),
        ("report_to", "wandb", "cannot be set"),
        ("sync_ref_model", True, "cannot be set: a killed run would go on with another reference model"),
        ("remove_unused_columns", True, "cannot be set: rows hold what a training reads"),
        ("trust_remote_code", True, "code of others never runs here"),
        ("adam_beta1", "a lot", r"`trl\.adam_beta1` of GRPOConfig: .*valid number"),
        ("importance_sampling_level", ["token"], "valid string"),
        ("vllm_importance_sampling_clip_min", 9.0, "is decided by `rollouts`"),
        ("logging_strategy", "sometimes", "refused by the trainer: .*sometimes"),
    ],
)
def test_what_trl_may_not_say_is_named_in_one_line(run: TrainingRun, name: str, value: Any, message: str) -> None:
    with pytest.raises(StageError, match=message) as caught:
        grpo_config(grpo(trl={name: value}), run)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("trained: ")


def test_an_optimiser_or_schedule_that_is_not_there_is_refused_in_one_line(run: TrainingRun) -> None:
    with pytest.raises(StageError, match=r"refused by the trainer: .*adamw_tourch.* is not a valid"):
        grpo_config(grpo(optim="adamw_tourch"), run)
    with pytest.raises(StageError, match=r"refused by the trainer: .*cosin"):
        sft_config(sft(lr_scheduler_type="cosin"), run)


@pytest.mark.skipif(is_bitsandbytes_available(), reason="bitsandbytes is installed")
@pytest.mark.parametrize("optim", ["adamw_8bit", "paged_adamw_32bit", "adamw_bnb_8bit"])
def test_an_optimiser_whose_library_is_not_here_is_refused_before_anything_is_loaded(
    run: TrainingRun, optim: str
) -> None:
    with pytest.raises(StageError, match=f"`optim: {optim}` needs the package bitsandbytes"):
        sft_config(sft(optim=optim), run)


def test_flash_attention_without_a_gpu_is_refused(run: TrainingRun) -> None:
    with pytest.raises(StageError, match="take `sdpa`"):
        sft_config(sft(attention="flash_attention_2"), run)


def test_what_is_said_to_be_decided_elsewhere_are_arguments_of_trl() -> None:
    from dataclasses import fields

    from trl import GRPOConfig, RewardConfig, SFTConfig

    known = {field.name for config in (GRPOConfig, RewardConfig, SFTConfig) for field in fields(config)}
    assert not (OUR_NAME.keys() | {name for names in NOT_OPEN.values() for name in names}) - known
