"""`reasrm clean`: what killed and given-up runs left in `work/`, and by request what DVC's cache no longer needs.

Ledgers are never touched: they hold what was paid for.
"""

import re
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from flows.running.pipeline_run import only_run
from flows.running.stage_outcome import BusyError
from reasrm.runtime.process_lock import LockHeldError, hold

WORK = Path("work")
LOCKS = WORK / "locks"
NO_STAGES = {"flow", "night"}
"""Locks of others: of a run, which is held too, and of the night that cleans."""
RESUME_FOLDER = re.compile(r"[0-9a-f]{16}")
"""The name of a folder from which a stage resumes: the hash of everything that went in."""


class OldFolder(NamedTuple):
    """A resume folder that is not among the newest of its stage."""

    path: Path
    bytes: int


def clean(root: Path, keep: int, *, dry_run: bool) -> list[OldFolder]:
    """Remove all but the `keep` newest resume folders of each stage; returns what was removed, or would be.

    Raises:
        BusyError: the pipeline or a stage runs in this checkout.
    """
    with only_run(root), ExitStack() as locks:
        _hold_stages(root, locks)
        old = old_folders(root, keep)
        for folder in old if not dry_run else []:
            shutil.rmtree(folder.path)
    return old


def old_folders(root: Path, keep: int) -> list[OldFolder]:
    """The resume folders beyond the `keep` newest of each stage, by the latest change of a file in them."""
    return [
        OldFolder(folder, _size(folder))
        for folders in _resume_folders(root).values()
        for folder in sorted(folders, key=_changed, reverse=True)[keep:]
    ]


def _resume_folders(root: Path) -> dict[str, list[Path]]:
    """The folders from which stages may resume, by stage."""
    found: dict[str, list[Path]] = {}
    for folder in sorted((root / WORK).glob("*/*")):
        is_own = RESUME_FOLDER.fullmatch(folder.name) and not folder.is_symlink() and not folder.parent.is_symlink()
        if is_own and folder.is_dir():
            found.setdefault(folder.parent.name, []).append(folder)
    return found


def _hold_stages(root: Path, locks: ExitStack) -> None:
    """Hold the lock of every stage that ran here; a stage that `dvc repro` runs has it too.

    Raises:
        BusyError: a stage has it.
    """
    ran = {path.stem for path in (root / LOCKS).glob("*.lock")} - NO_STAGES
    for name in sorted(ran | _resume_folders(root).keys()):
        try:
            locks.enter_context(hold(root / LOCKS / f"{name}.lock"))
        except LockHeldError as error:
            raise BusyError(
                f"{name} is running in {root} (process {error.process or '?'}): wait for it; nothing was removed"
            ) from error


def _changed(folder: Path) -> float:
    return max(path.lstat().st_mtime for path in (folder, *folder.rglob("*")))


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
