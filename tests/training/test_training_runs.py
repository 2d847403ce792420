"""Trainings on a very small model: the same bytes twice, and the same bytes after kill -9 and a rerun."""

import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file

from reasrm.records.jsonl import read_records
from reasrm.records.rollout import RolloutGroup
from reasrm.runtime.yaml_files import read_yaml, write_yaml
from tests.training.stage_runs import run, summary, train_twice

pytestmark = pytest.mark.slow


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("stages.sft",), "sft"),
        (("stages.answer_sft", "all"), "answer_sft-all"),
        (("stages.scalar_rm",), "scalar_rm"),
        (("stages.grpo", "cold_start"), "grpo-cold_start"),
    ],
)
def test_twice_and_after_kill_the_same_bytes(project: Path, command: tuple[str, ...], name: str) -> None:
    train_twice(project, command, name)
    if name.startswith("grpo"):
        kept = read_records(project / "data/curves" / name / "rollout_samples.jsonl", RolloutGroup)
        assert [group.step for group in kept] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5], "each once, whatever was killed"


@pytest.mark.timeout(900)
def test_a_variant_trains_its_own_start_on_its_own_pairs(project: Path) -> None:
    folder = project.with_name("with_variants")
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns("work", "answer_sft-*", "grpo-*"))
    params = read_yaml(folder / "params.yaml")
    still = {"learning_rate": 1e-7}  # so that what comes out is what went in
    params["answer_sft_variants"] = {
        "distilled": {"start": "base", "pairs": ["distill"], **still},
        "after_sft": {"start": "sft", "pairs": ["reinforce"], **still},
    }
    params["grpo"] |= {"steps": 2, **still}
    write_yaml(folder / "params.yaml", params)
    run(folder, "stages.sft")
    weights = {name: load_file(folder / f"data/checkpoints/{name}/model.safetensors") for name in ("base", "sft")}
    for stage, variant, begun_from, other, learnt in (
        ("answer_sft", "distilled", "base", "sft", "160 pairs"),
        ("answer_sft", "after_sft", "sft", "base", "80 pairs"),
        ("grpo", "cold_start", "base", "sft", "240 prompts"),
        ("grpo", "full", "sft", "base", "80 prompts"),
    ):
        assert f" {learnt}, " in summary(folder, f"stages.{stage}", variant), (stage, variant)
        made = load_file(folder / f"data/checkpoints/{stage}-{variant}/model.safetensors")
        moved = {
            name: max(float((made[key] - before[key]).abs().max()) for key in made) for name, before in weights.items()
        }
        assert moved[begun_from] < 1e-5 < 1e-4 < moved[other], (stage, variant)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("command", "name"), [(("stages.sft",), "sft"), (("stages.grpo", "cold_start"), "grpo-cold_start")]
)
def test_with_an_adapter_too(project_with_adapters: Path, command: tuple[str, ...], name: str) -> None:
    train_twice(project_with_adapters, command, name)
    if name.startswith("grpo"):
        curve = (project_with_adapters / "data/curves" / name / "plots/metrics/train/kl.tsv").read_text().split("\n")
        assert float(curve[1].split("\t")[1]) == 0.0, "the reference is the base without its adapter"


@pytest.mark.timeout(900)
def test_between_two_generations_a_killed_run_goes_on_exactly(project_with_mini_batches: Path) -> None:
    train_twice(project_with_mini_batches, ("stages.grpo", "cold_start"), "grpo-cold_start")


@pytest.mark.timeout(900)
def test_replaced_groups_are_replaced_alike(project_with_replaced_groups: Path) -> None:
    """The prompts that are sampled in place of others follow from the step, not from what was sampled before."""
    train_twice(project_with_replaced_groups, ("stages.grpo", "cold_start"), "grpo-cold_start")
    curves = project_with_replaced_groups / "data/curves/grpo-cold_start/plots/metrics/train/groups"
    for name in ("replaced", "dropped"):
        lines = (curves / f"{name}.tsv").read_text().splitlines()[1:]
        assert sum(float(line.split("\t")[1]) for line in lines) > 0, f"no group was {name}"
    agreed = (curves.parent / "rewards/consistency_reward/mean.tsv").read_text().splitlines()[1:]
    assert len({line.split("\t")[1] for line in agreed}) > 1, "the two orders agree now and then"
