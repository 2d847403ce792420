"""Budgets of an ablation's rows: each training on the way from the base, with the steps that its curves say."""

import json
from pathlib import Path

import pytest

from flows.ablations.budgets import trainings
from flows.ablations.workspace_params import document_of, workspace_params

ROOT = Path(__file__).parents[3]


@pytest.fixture
def roots(tmp_path: Path) -> list[Path]:
    """Two seeds' workspaces with what trainings leave in them."""
    found = [tmp_path / "0", tmp_path / "1"]
    for seed, root in enumerate(found):
        for name, step in (("sft", 30 + seed), ("grpo-full", 30)):
            (root / "data/curves" / name).mkdir(parents=True)
            (root / "data/curves" / name / "metrics.json").write_text(json.dumps({"step": step}))
    return found


def test_each_training_on_the_way_from_the_base_with_the_steps_that_were_done(roots: list[Path]) -> None:
    params = document_of(workspace_params(ROOT, ("table3",), 0))
    sft = {"training": "sft", "steps": [30, 31], "batch": 32, "of": "traces"}
    grpo = {"training": "grpo-full", "steps": [30, 30], "batch": 128, "of": "replies", "questions": 16}
    assert trainings(params, "grpo-full", roots) == [sft, grpo | {"pairs": ["reinforce"]}]
    after = {"training": "answer_sft-after_sft", "steps": [None, None], "batch": 32, "of": "pairs"}
    assert trainings(params, "answer_sft-after_sft", roots) == [sft, after | {"pairs": ["reinforce"]}]
    assert [one["training"] for one in trainings(params, "scalar_rm", roots)] == ["scalar_rm"]


def test_neither_the_base_nor_a_checkpoint_from_elsewhere_has_a_training_of_ours(roots: list[Path]) -> None:
    params = document_of(workspace_params(ROOT, (), 0))
    params["judge_variants"]["bought"] = {"checkpoint": "models/judge"}
    assert trainings(params, "base", roots) == trainings(params, "bought", roots) == []
