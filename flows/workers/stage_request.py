"""What a run asks of a worker: one stage, of this commit, with these settings, from these inputs and no other."""

import json
import subprocess
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from flows.dvc_graph import Pipeline
from flows.git import commit_of
from flows.running.stage_outcome import FlowError
from flows.running.stage_process import REPRODUCE, stage_environment
from flows.settings.profile import PARAMS
from reasrm.runtime.work_folder import file_hash


class StageRequest(BaseModel):
    """The parameters of the flow `reasrm-stage`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: str
    """As in dvc.yaml: `grpo@full`."""
    above: dict[str, Any]
    """The stages whose outputs it needs, parents first, with their entries of dvc.lock: these outputs and no others."""
    commit: str
    """Of the code, as git has it; all 40 digits."""
    params: str
    """SHA-256 of params.yaml."""
    key: str
    """The stage's key in DVC's run cache: a hash of its command, what it reads, and its parameters."""
    force: bool = False
    """Run it even if the remote holds its outputs."""
    gpus_per_stage: int = 1
    budget_usd: float | None = None
    """As of `reasrm run`."""


def stage_request(
    root: Path, pipeline: Pipeline, stage: str, *, force: bool, gpus_per_stage: int, budget_usd: float | None
) -> StageRequest:
    """What the checkout in `root` means by a stage, all of whose inputs are there.

    Raises:
        FlowError: `root` is in no git repository, or DVC cannot read what the stage reads.
    """
    needed = pipeline.above([stage])
    described = describe(root, [name for name in pipeline.stages if name in needed])
    return StageRequest(
        stage=stage,
        above={name: one.entry for name, one in described.items() if name != stage},
        commit=git_commit(root),
        params=file_hash(root / PARAMS),
        key=described[stage].key,
        force=force,
        gpus_per_stage=gpus_per_stage,
        budget_usd=budget_usd,
    )


def require_same_code(root: Path, request: StageRequest) -> None:
    """Do nothing if the checkout in `root` has the commit and the settings of a request.

    Raises:
        FlowError: it has others.
    """
    if (commit := git_commit(root)) != request.commit:
        raise FlowError(
            f"this worker's clone {root} is at commit {commit[:10]}, and the run is of {request.commit[:10]}: "
            f"`git checkout -- dvc.lock && git checkout {request.commit[:10]}` there"
        )
    if file_hash(root / PARAMS) != request.params:
        raise FlowError(
            f"params.yaml of this worker's clone {root} is another than that of the run: commit it, and check it out "
            f"there (`reasrm profile diff` shows what differs)"
        )


def require_same_inputs(root: Path, request: StageRequest) -> None:
    """Do nothing if the stage reads the same in the checkout in `root`, where all above it is the run's.

    Raises:
        FlowError: it reads something else.
    """
    if describe(root, [request.stage])[request.stage].key != request.key:
        raise FlowError(
            f"{request.stage} reads something else in this worker's clone {root} than in the run's: files that no "
            "stage makes (data/raw, revisions/), or code that is not committed; `git status` in both shows what"
        )


def git_commit(root: Path) -> str:
    """The present commit.

    Raises:
        FlowError: there is none.
    """
    commit = commit_of(root, "HEAD")
    if commit is None:
        raise FlowError(f"{root} is at no commit of git, by which other machines know the code: `git commit`")
    return commit


class DescribedStage(BaseModel):
    """A stage as `reproduce.py --describe` prints it."""

    key: str
    """In the run cache: a hash of its command, what it reads and its parameters, as they stand there now."""
    value: str | None
    """The name of its entry in the run cache; None before it has run."""
    entry: dict[str, Any] | None
    """Its entry of dvc.lock."""


def describe(root: Path, stages: list[str]) -> dict[str, DescribedStage]:
    """What DVC knows of stages in a checkout.

    Raises:
        FlowError: DVC cannot say it.
    """
    command = [*REPRODUCE, "--describe", *stages]
    done = subprocess.run(command, cwd=root, env=stage_environment(), capture_output=True, text=True, check=False)
    try:
        found = json.loads(done.stdout.strip().rpartition("\n")[2])
        return {name: DescribedStage.model_validate(one) for name, one in found.items()}
    except ValueError as error:
        said = (done.stderr.strip() or str(error))[-500:]
        raise FlowError(f"DVC cannot say what {', '.join(stages)} read in {root}: {said}") from error
