"""Trainings on a very small model: the same bytes twice, and the same bytes after kill -9 and a rerun."""

from pathlib import Path

import pytest

from reasrm.records.jsonl import read_records
from reasrm.records.rollout import RolloutGroup
from tests.training.stage_runs import train_twice

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
