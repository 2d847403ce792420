"""Whether an output is what today's settings, code and data would make, and which commit the project is at."""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from reasrm.publishing.lineage import FINGERPRINT
from reasrm.runtime.stage_main import StageError


class ProjectState(NamedTuple):
    """The project at the time of publishing."""

    stale: dict[str, str]
    """Stages at or above the checkpoint's that would run today, each with why."""
    scores_are_current: bool
    """Whether `score` and all that it needs are up to date, so that the scores are those of these weights."""
    commit: str
    """Git's; empty outside of git."""
    has_edits: bool
    """Whether files that git follows differ from that commit."""
    committed_on: str
    """The commit's day (ISO 8601); empty outside of git."""


def project_root() -> Path:
    """The project around the current folder: the nearest folder upwards with a dvc.yaml.

    Raises:
        StageError: there is none.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "dvc.yaml").is_file():
            return folder
    raise StageError(f"no dvc.yaml in {here} or above it: go to the clone in which the pipeline ran")


def project_state(root: Path, stage: str, *, scored: bool) -> ProjectState:
    """Ask `reasrm plan` and git.

    Args:
        root: the project.
        stage: the one that made the checkpoint.
        scored: whether there are scores to ask about.

    Raises:
        StageError: the pipeline's state cannot be read.
    """
    commit = _git(root, "rev-parse", "HEAD")
    edits = bool(commit) and bool(_git(root, "status", "--porcelain", "--untracked-files=no"))
    scores_are_current = scored and not _would_run(root, "score")
    day = _git(root, "show", "--no-patch", "--format=%cs", "HEAD") if commit else ""
    return ProjectState(_would_run(root, stage), scores_are_current, commit, edits, day)


def _would_run(root: Path, stage: str) -> dict[str, str]:
    """The stages up to `stage` that would run, with their first reasons."""
    command = [sys.executable, "-m", "reasrm.cli", "plan", "--to", stage, "--json"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it gave no reason"])[-1]
        raise StageError(f"whether {stage} is up to date cannot be told: `reasrm plan --to {stage}` fails ({said})")
    return {
        one["stage"]: next((reason["text"] for reason in one["reasons"]), "")
        for one in json.loads(done.stdout)["stages"]
        if one["runs"] != "no" and one["stage"] != FINGERPRINT
    }


def _git(root: Path, *words: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
