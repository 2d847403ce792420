"""`reasrm clean --cache`: `dvc gc` that keeps what the workspace, all tags and the workspaces below work/ need.

Nights are tags, so every night that is to be kept keeps its data. What was promoted by hand and is in no tag is looked
at before: a champion whose checkpoint is gone is no champion.
"""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from flows.dvc_graph import LOCK_FILE
from flows.nights.champion import CHAMPION
from flows.nights.git import git, text_at
from flows.nights.night_commit import NightBranch, present_champion
from flows.running.pipeline_run import only_run
from flows.running.stage_outcome import BusyError, FlowError
from flows.running.stage_process import stage_environment
from flows.running.status import running_process
from reasrm.records.harmless_text import harmless

REMOVES = "Removing "
"""How DVC begins a line about a file of its cache that it would remove."""


class UnusedObjects(NamedTuple):
    """Files of DVC's cache that nothing needs which is kept."""

    number: int
    bytes: int


def unused_objects(root: Path) -> UnusedObjects:
    """What `clean_cache` would remove.

    Raises:
        FlowError: DVC cannot tell, or the champion would be lost.
    """
    _require_kept_champion(root)
    lines = _dvc_gc(root, "--dry").splitlines()
    paths = [Path(line.removeprefix(REMOVES)) for line in lines if line.startswith(REMOVES)]
    return UnusedObjects(len(paths), sum(path.stat().st_size for path in paths if path.is_file()))


def clean_cache(root: Path) -> None:
    """Remove from DVC's cache what neither the workspace, nor a tag, nor a workspace below work/ needs.

    Raises:
        BusyError: a run is alive here or in such a workspace.
        FlowError: DVC fails, or the champion would be lost.
    """
    with only_run(root):
        for workspace in workspaces(root):
            if (process := running_process(workspace)) is not None:
                raise BusyError(f"a run is alive in {workspace} (process {process}): wait for it; nothing was removed")
        _require_kept_champion(root)
        _dvc_gc(root, "--force")


def workspaces(root: Path) -> list[Path]:
    """The projects below work/ that share the cache: of `reasrm ablate` and `reasrm improve`."""
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


def _require_kept_champion(root: Path) -> None:
    """Do nothing if what the champion needs is named by the present dvc.lock or by that of a tag.

    Raises:
        FlowError: it is not.
    """
    champion = present_champion(NightBranch(root))
    if champion is None:
        return
    lost = {one.md5: one.path for one in champion.stored}
    for text in _locks(root):
        lost = {md5: path for md5, path in lost.items() if md5 not in text}
    if lost:
        raise FlowError(
            f"{CHAMPION} names {', '.join(f'{path} ({md5})' for md5, path in lost.items())}, which neither the present "
            f"{LOCK_FILE} nor a tag's has, so the champion would be lost: tag a commit whose {LOCK_FILE} has it first"
        )


def _locks(root: Path) -> list[str]:
    """The text of dvc.lock in the workspace and at each tag."""
    present = root / LOCK_FILE
    texts = [present.read_text(encoding="utf-8")] if present.is_file() else []
    tagged = (text_at(root, tag, LOCK_FILE) for tag in git(root, "tag", "--list").splitlines())
    return texts + [text for text in tagged if text]
