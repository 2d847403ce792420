"""The rows of a training with variants are those of the pairs that the variant names."""

from pathlib import Path
from typing import Any

from reasrm.miniature.slices import Family
from reasrm.miniature.world import Split, training_pairs
from reasrm.policy.prompts.world_prompts import world_prompts
from reasrm.preflight.row_lengths import row_lengths
from reasrm.preflight.stage_settings import stages_with_models
from reasrm.records.jsonl import write_records
from tests.preflight.test_stage_settings import ARMS
from tests.training.stage_runs import PARAMS

VARIANTS: dict[str, Any] = {
    "answer_sft_variants": {
        "all": {"start": "base", "pairs": ["distill", "reinforce"]},
        "distilled": {"start": "base", "pairs": ["distill"], "epochs": 9},
    }
}


def test_a_variants_rows_are_those_of_its_pairs(tmp_path: Path) -> None:
    pairs = training_pairs(Split.TRAIN, 30, 0)
    write_records(tmp_path / "data/pairs/distill.jsonl", pairs[:10])
    write_records(tmp_path / "data/pairs/reinforce.jsonl", pairs[10:])
    stages = {one.stage: one for one in stages_with_models(PARAMS | VARIANTS)}
    counted = {name: lengths.rows for name, stage in stages.items() if (lengths := row_lengths(tmp_path, stage))}
    assert counted == {
        "answer_sft@all": 30,
        "answer_sft@distilled": 10,
        "scalar_rm": 30,
        "grpo@full": 20,
        "grpo@cold_start": 30,
        "grpo@cold_start_rubrics": 30,
        "grpo@cold_start_rubrics_qc": 30,
    }
    settings = stages["answer_sft@distilled"].settings
    assert settings is not None
    assert settings.model_dump()["epochs"] == 9


def test_a_policys_rows_are_the_prompts_of_its_set(tmp_path: Path) -> None:
    arms = ARMS["policy_variants"]
    variants = {"policy_variants": {**arms, "other-s0": arms["random-s0"] | {"prompts": "gone"}}}
    prompts = world_prompts(Split.TRAIN, {Family.DIAL: 8}, 0)
    write_records(tmp_path / "data/policy_prompts/world/train.jsonl", prompts)
    stages = {one.stage: one for one in stages_with_models(PARAMS | variants) if one.section == "policy"}
    found = {name: row_lengths(tmp_path, stage) for name, stage in stages.items()}
    assert found["policy@other-s0"] is None
    (rows,) = {found["policy@reasrm-s0"], found["policy@random-s0"]}
    assert rows is not None
    assert rows.longest == tuple(-(-sum(len(turn.content) for turn in one.prompt) // 4) for one in prompts)
