"""Where a checkpoint is judged anew: a workspace whose ledger is empty, so that every question is asked again.

The project keeps its dvc.lock, its judgments and what was made of them.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path

from flows.dvc_graph import LOCK_FILE, read_pipeline, read_status
from flows.nights.champion import JudgedModel, judged_model
from flows.nights.promotion import read_params
from flows.nights.stored_outputs import read_lock
from flows.running.stage_outcome import FlowError
from flows.settings.profile import PARAMS
from flows.workspaces.workspace import Workspace, refresh
from reasrm.runtime.kept_folders import LEDGERS, LEDGERS_VARIABLE
from reasrm.runtime.yaml_files import read_yaml, write_yaml

EVALUATION = Path("work/evaluation")
PIPELINE_FILE = "dvc.yaml"


def judged_in(root: Path, model: str) -> JudgedModel:
    """The judged model as the present dvc.lock of `root` has it.

    Raises:
        FlowError: it was never judged.
    """
    return judged_model(read_lock(root), read_params(root), model)


def make_workspace(root: Path, judged: JudgedModel) -> Workspace:
    """The workspace in which nothing is left to do but to judge, without any reply of before.

    Args:
        root: the project, in which the model's judgments are up to date.
        judged: the model.

    Raises:
        BusyError: a run is alive in the workspace.
        FlowError: DVC's cache lacks something that the judge reads, so that it would be made anew.
    """
    stage = read_lock(root).maker_of(judged.judgments.path)
    assert stage is not None
    params = (root / PARAMS).read_text(encoding="utf-8")
    workspace = Workspace(root, EVALUATION / judged.model, (stage,), params)
    refresh(workspace, shares_ledgers=False)
    space = workspace.root
    shutil.rmtree(space / LEDGERS, ignore_errors=True)
    _keep_out_of_run_cache(space, stage)
    shutil.copyfile(root / LOCK_FILE, space / LOCK_FILE)
    _check_out(space, stage)
    if missing := (read_pipeline(space).above({stage}) & read_status(space).keys()) - {stage}:
        raise FlowError(f"{', '.join(sorted(missing))} would run anew in {workspace.folder}: `reasrm run` first")
    return workspace


@contextmanager
def ledgers_in(space: Path) -> Iterator[None]:
    """Keep paid replies, too, in the workspace within the block."""
    named = os.environ.get(LEDGERS_VARIABLE)
    os.environ[LEDGERS_VARIABLE] = str(space / LEDGERS)
    try:
        yield
    finally:
        os.environ.pop(LEDGERS_VARIABLE)
        if named is not None:
            os.environ[LEDGERS_VARIABLE] = named


def _keep_out_of_run_cache(space: Path, stage: str) -> None:
    """Let DVC not note the new judgments as those of these inputs: others would be given them for the project's."""
    document = read_yaml(space / PIPELINE_FILE)
    entry = document["stages"][stage.partition("@")[0]]
    entry.get("do", entry)["always_changed"] = True
    write_yaml(space / PIPELINE_FILE, document)


def _check_out(space: Path, stage: str) -> None:
    """Have what the judge reads, as dvc.lock names it, from the cache alone.

    Raises:
        FlowError: the cache lacks some of it.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with chdir(space), Repo(str(space), _wait_for_lock=True) as repo:
            repo.checkout(targets=[stage], with_deps=True, force=True)
    except (DvcException, OSError) as error:
        raise FlowError(
            f"DVC's cache lacks what {stage} reads ({' '.join(str(error).split())}): `dvc fetch` brings it from a "
            f"remote, `dvc commit` from data/"
        ) from error
