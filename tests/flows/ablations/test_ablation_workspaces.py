"""Workspaces of an ablation: what is laid into them, and that the project itself stays as it was."""

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from dvc.repo import Repo

from flows.ablations.ablation_run import AblationOptions, workspaces
from flows.ablations.ablation_workspace import AblationWorkspace
from flows.ablations.tables import TABLES, TableName
from flows.ablations.workspace_params import document_of, training_seeds, workspace_params
from flows.running.pipeline_run import RUN_LOCK
from flows.running.stage_outcome import BusyError, FlowError, UsageError
from flows.settings.profile import ProfileChoice, compose, use
from flows.workspaces.workspace import copy_anew, refresh
from reasrm.runtime.process_lock import hold
from reasrm.runtime.yaml_files import parse_yaml, read_yaml, write_yaml
from tests.flows.toy_ablation import PARAMS

ROOT = Path(__file__).parents[3]
TABLE2 = TABLES[TableName.TABLE2]


@pytest.fixture
def project(ablation_project: Path) -> Path:
    return ablation_project


def options(project: Path, seeds: int = 2, **more: Any) -> AblationOptions:
    return AblationOptions(project, more.pop("table", TABLE2), seeds, **more)


def state(folder: Path) -> dict[str, str]:
    """What is in a project outside of the ablation's folder."""
    files = [path for path in folder.rglob("*") if path.is_file() and "ablations" not in path.parts]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def made(project: Path, **more: Any) -> list[AblationWorkspace]:
    found = workspaces(options(project, **more))
    for workspace in found:
        refresh(workspace, shares_ledgers=False)
    return found


def edit(project: Path, **sections: Any) -> None:
    write_yaml(project / "params.yaml", PARAMS | sections)


def test_each_seed_has_a_project_of_its_own_on_the_projects_cache(project: Path) -> None:
    before = state(project)
    first, second = made(project)
    assert (first.name, second.name) == ("table2-seed-0", "table2-seed-1")
    assert read_yaml(first.root / "params.yaml") == PARAMS
    assert read_yaml(second.root / "params.yaml") == PARAMS | {"train": {"seed": 5, "steps": 2}}
    assert first.targets[:2] == ("judge@base", "judge@grpo-cold_start")
    for workspace in (first, second):
        with Repo(str(workspace.root)) as repo:
            assert repo.cache.local_cache_dir == f"{project.resolve()}/.dvc/cache"
        assert (workspace.root / "flows/cli.py").read_bytes() == (ROOT / "flows/cli.py").read_bytes()
        assert not (workspace.root / "flows").is_symlink()
        assert (workspace.root / "data/raw/mine.txt").read_text() == "mine\n"
    assert state(project) == before


@pytest.mark.slow
def test_a_projects_path_may_hold_any_character(project: Path) -> None:
    """DVC writes its configuration as ASCII alone."""
    named = project.rename(project.parent / "my pröject 模")
    (workspace,) = made(named, seeds=1)
    with Repo(str(workspace.root)) as repo:
        assert repo.cache.local_cache_dir == f"{named.resolve()}/.dvc/cache"
    (named.parent / "Größe").mkdir()
    (named / ".dvc/config").write_text("[cache]\n    dir = ../../Größe\n")
    with pytest.raises(FlowError, match=r"DVC writes paths in ASCII alone, and its cache is in .*Größe"):
        made(named, seeds=1)


def test_every_training_seed_is_moved_on_and_no_other() -> None:
    """On the real settings: one seed further is what the profile of a second seed sets, the rest is as it was."""
    present = parse_yaml((ROOT / "params.yaml").read_text(), "params.yaml")
    seeds = training_seeds(ROOT)
    assert {"collect_pairs", "base_model", "sft", "grpo", "answer_sft", "scalar_rm"} <= set(seeds)
    further = document_of(workspace_params(ROOT, (), 2))
    for section in seeds:
        assert further[section]["seed"] == present[section]["seed"] + 2
        present[section]["seed"] += 2
    assert further == present
    profile = parse_yaml(compose(ROOT, ProfileChoice("seed-1")), "params.yaml")
    once = document_of(workspace_params(ROOT, (), 1))
    assert {name: once[name] for name in seeds} == {name: profile[name] for name in seeds}


@pytest.mark.parametrize("name", list(TableName))
def test_the_tables_rows_are_judges_of_the_committed_settings(name: TableName) -> None:
    table = TABLES[name]
    found = workspaces(options(ROOT, table=table))
    assert len(found) == 2 * len(table.configurations)
    printed = {row.model for row in table.paper.rows}
    assert {row.paper for row in table.rows if row.paper} == printed
    assert {row for step in table.steps for row in step} == {row.name for row in table.rows}


def test_overlays_lie_over_the_present_params_whose_profile_is_not_claimed(project: Path) -> None:
    write_yaml(project / "profiles/overlays/longer.yaml", {"train": {"steps": 9}})
    use(project, ProfileChoice(settings=("train.seed=7",)))
    text = workspace_params(project, ("longer",), 1)
    assert document_of(text)["train"] == {"seed": 8, "steps": 9}
    assert text.startswith("# Written by `reasrm ablate`")
    assert "reasrm profile use" not in text
    write_yaml(project / "profiles/overlays/wrong.yaml", {"training": {"steps": 9}})
    with pytest.raises(FlowError, match=r"overlays/wrong.yaml: params.yaml has no `training`"):
        workspace_params(project, ("wrong",), 0)


@pytest.mark.slow
def test_an_old_workspace_is_brought_up_to_date_and_keeps_what_it_computed(project: Path) -> None:
    (workspace,) = made(project, seeds=1)
    (workspace.root / "data/judgments").mkdir()
    (workspace.root / "flows/gone.py").write_text("old")
    (workspace.root / "flows/cli.py").write_text("old")
    (workspace.root / ".dvc/config").write_text("[cac")  # killed while it was written
    same = workspace.root / "flows/planning/plan.py"
    os.utime(same, (1, 1))
    edit(project, train={"seed": 4, "steps": 3})
    made(project, seeds=1)
    assert not (workspace.root / "flows/gone.py").exists()
    assert (workspace.root / "flows/cli.py").read_bytes() == (ROOT / "flows/cli.py").read_bytes()
    assert same.stat().st_mtime == 1
    assert (workspace.root / "data/judgments").is_dir()
    assert read_yaml(workspace.root / "params.yaml")["train"]["steps"] == 3


@pytest.mark.slow
def test_nothing_changes_under_a_run_of_somebody_elses(project: Path) -> None:
    (workspace,) = made(project, seeds=1)
    edit(project, train={"seed": 4, "steps": 3})
    with hold(workspace.root / RUN_LOCK), pytest.raises(BusyError, match=f"alive in .*seed-0 .process {os.getpid()}"):
        made(project, seeds=1)
    assert read_yaml(workspace.root / "params.yaml") == PARAMS


@pytest.mark.slow
def test_nothing_is_written_through_a_link_into_the_project(project: Path) -> None:
    """A file that lies in a linked folder is the project's own; so is what a stage reads in two ways."""
    made(project, seeds=1)
    (project / "data/raw/deep").mkdir()
    (project / "data/raw/deep/more.txt").write_text("more\n")
    wiring = read_yaml(project / "dvc.yaml")
    wiring["stages"]["train"]["deps"] = ["data/raw/deep/more.txt", "data/raw/mine.txt", "${files}"]
    write_yaml(project / "dvc.yaml", wiring)
    before = state(project)
    (workspace,) = made(project, seeds=1)
    assert state(project) == before
    assert (workspace.root / "data/raw/deep/more.txt").read_text() == "more\n"


def test_paid_replies_are_shared_and_own_ones_are_not(project: Path) -> None:
    (workspace,) = workspaces(options(project, seeds=1))
    refresh(workspace, shares_ledgers=True)
    (workspace.root / "ledgers/oracle.jsonl").write_text("paid\n")
    assert (project / "ledgers/oracle.jsonl").read_text() == "paid\n"
    refresh(workspace, shares_ledgers=False)
    assert not (workspace.root / "ledgers").exists()
    assert (project / "ledgers/oracle.jsonl").read_text() == "paid\n"


def test_a_copy_is_the_same_as_its_source(tmp_path: Path) -> None:
    for name, text in (("source/a/b.py", "b"), ("source/__pycache__/x.pyc", "x"), ("target/a/c.py", "c")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    copy_anew(tmp_path / "source", tmp_path / "target")
    assert [path.name for path in (tmp_path / "target").rglob("*") if path.is_file()] == ["b.py"]
    copy_anew(tmp_path / "gone", tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_a_missing_judge_is_named(project: Path) -> None:
    judges = {name: skill for name, skill in PARAMS["judge_variants"].items() if name != "grpo-full"}
    edit(project, judge_variants=judges)
    with pytest.raises(
        FlowError, match=r"params.yaml has no `judge_variants.grpo-full`, which row grpo-full of table2"
    ):
        workspaces(options(project))
    assert len(workspaces(options(project, table=TABLE2.only(["base"])))) == 2
    with pytest.raises(UsageError, match=r"no overlay `\+table3`"):
        workspaces(options(project, table=TABLES[TableName.TABLE3]))


def test_what_measures_at_the_end_is_looked_at_before_anything_runs(project: Path) -> None:
    edit(project, score={"headline": ["reward_bench"]})
    with pytest.raises(FlowError, match=r"params.yaml: score.unreadable is missing"):
        workspaces(options(project))


def test_a_missing_seed_is_named(project: Path) -> None:
    edit(project, train={"steps": 2})
    with pytest.raises(FlowError, match=r"params.yaml: train.seed is None, but profiles/seed-1.yaml sets it"):
        workspaces(options(project))
    write_yaml(project / "profiles/seed-1.yaml", {"train": {"steps": 2}})
    with pytest.raises(FlowError, match=r"profiles/seed-1.yaml sets no `seed`"):
        workspaces(options(project))


@pytest.mark.slow
def test_a_file_outside_of_the_project_needs_an_absolute_path(project: Path) -> None:
    (project.parent / "elsewhere").mkdir()
    edit(project, files="../elsewhere")
    with pytest.raises(FlowError, match=r"params.yaml names ../elsewhere, which is outside of the project"):
        made(project)
    edit(project, files=str(project.parent / "elsewhere"))
    assert made(project)


def test_a_vendors_oracle_needs_a_limit(project: Path) -> None:
    edit(project, distill_traces={"source": "oracle", "endpoint": "environment"})
    with pytest.raises(FlowError, match="say with --budget-usd what it may cost in each workspace"):
        workspaces(options(project))
    assert workspaces(options(project, budget_usd=5.0))
    limited = {"distill_traces_asking": {"budget_usd": 5.0}}
    edit(project, distill_traces={"source": "oracle", "endpoint": "environment"}, **limited)
    assert workspaces(options(project))


def test_only_keeps_the_steps_between_its_rows() -> None:
    part = TABLE2.only(["grpo-full", "base", "grpo-cold_start"])
    assert [row.name for row in part.rows] == ["base", "grpo-cold_start", "grpo-full"]
    assert part.steps == (("grpo-cold_start", "base"),)
    with pytest.raises(UsageError, match="--only sft: table2 has no such row, only base, grpo-cold_start"):
        TABLE2.only(["sft"])
