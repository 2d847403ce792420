"""`reasrm clean --cache`: `dvc gc` that keeps what the workspace, all tags and the workspaces below work/ need.

Nights are tags, so every night that is to be kept keeps its data. What was promoted by hand and is in no tag is looked
at before: a champion whose checkpoint is gone is no champion.
"""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from flows.nights.champion import CHAMPION
from flows.nights.night_commit import NightBranch, present_champion
from flows.nights.stored_outputs import cached_objects
from flows.running.pipeline_run import only_run
from flows.running.stage_outcome import FlowError
from flows.running.stage_process import stage_environment
from reasrm.records.harmless_text import harmless

REMOVES = "Removing "
"""How DVC begins a line about a file of its cache that it would remove."""


class UnusedObjects(NamedTuple):
    """Files of DVC's cache that nothing needs which is kept."""

    number: int
    bytes: int


def clean_cache(root: Path, *, dry_run: bool) -> UnusedObjects:
    """Remove from DVC's cache what neither the workspace, nor a tag, nor a workspace below work/ needs.

    Returns:
        What was removed, or would be.

    Raises:
        BusyError: a run is alive here or in such a workspace; nothing was removed.
        FlowError: DVC fails, or the champion would be lost.
    """
    with ExitStack() as runs:
        for project in (root, *workspaces(root)):
            runs.enter_context(only_run(project))
        lines = _dvc_gc(root, "--dry").splitlines()
        unused = [Path(line.removeprefix(REMOVES)) for line in lines if line.startswith(REMOVES)]
        _require_kept_champion(root, {path.parent.name + path.name for path in unused})
        found = UnusedObjects(len(unused), sum(path.stat().st_size for path in unused if path.is_file()))
        if unused and not dry_run:
            _dvc_gc(root, "--force")
    return found


def workspaces(root: Path) -> list[Path]:
    """The projects below work/ that share the cache: of `reasrm ablate`, `reasrm improve` and weekly evaluations."""
    return sorted(folder.parent for folder in (root / "work").glob("*/*/.dvc") if folder.is_dir())


def _dvc_gc(root: Path, how: str) -> str:
    shared = [str(one) for one in workspaces(root)]
    command = [sys.executable, "-m", "dvc", "gc", "--workspace", "--all-tags", how]
    command += ["--projects", *shared] if shared else []
    done = subprocess.run(
        command, cwd=root, env=stage_environment(), capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        said = (harmless(done.stderr).strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise FlowError(f"`dvc gc --workspace --all-tags` fails: {said}")
    return done.stdout


def _require_kept_champion(root: Path, unused: set[str]) -> None:
    """Do nothing if nothing of the champion is among the objects that would be removed, by their hashes.

    Raises:
        FlowError: something is.
    """
    champion = present_champion(NightBranch(root))
    lost = [one for one in (champion.stored if champion else []) if cached_objects(root, one) & unused]
    if champion is not None and lost:
        raise FlowError(
            f"{CHAMPION} names {', '.join(f'{one.path} ({one.md5})' for one in lost)}, which no stage makes any more, "
            f"neither of the present dvc.yaml and dvc.lock nor of a tag's, so the champion would be lost: tag the "
            f"commit whose dvc.lock has these hashes (`git log -S {lost[0].md5} --all -- dvc.lock`), or take it out "
            f"first (`reasrm promote --checkout FOLDER`)"
        )
