"""`reasrm clean`: what killed and given-up runs left in `work/` and below REASRM_WORK.

Ledgers are never touched: they hold what was paid for.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from flows.running.pipeline_run import only_run
from flows.running.stage_outcome import BusyError
from reasrm.runtime.kept_folders import resume_root, shares_work
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
        KeptFolderError: REASRM_WORK is a relative path.
    """
    with nothing_running(root) as locks:
        old = [one for one in old_folders(root, keep) if _is_free(one.path, locks)]
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
    """The folders from which stages may resume, by stage: of this checkout, and those that checkouts share."""
    found: dict[str, list[Path]] = {}
    places = [root / WORK, *([resume_root()] if shares_work() else [])]
    for folder in sorted({folder for place in places for folder in place.glob("*/*")}):
        is_own = RESUME_FOLDER.fullmatch(folder.name) and not folder.is_symlink() and not folder.parent.is_symlink()
        if is_own and folder.is_dir():
            found.setdefault(folder.parent.name, []).append(folder)
    return found


@contextmanager
def nothing_running(root: Path) -> Iterator[ExitStack]:
    """Keep runs out, and stages that ran here before, also those that `dvc repro` starts; further locks may be added.

    Raises:
        BusyError: a run or a stage is alive.
    """
    with only_run(root), ExitStack() as locks:
        _hold_stages(root, locks)
        yield locks


def _hold_stages(root: Path, locks: ExitStack) -> None:
    ran = {path.stem for path in (root / LOCKS).glob("*.lock")} - NO_STAGES
    for name in sorted(ran | _resume_folders(root).keys()):
        try:
            locks.enter_context(hold(root / LOCKS / f"{name}.lock"))
        except LockHeldError as error:
            raise BusyError(
                f"{name} is running in {root} (process {error.process or '?'}): wait for it; nothing was changed"
            ) from error


def _is_free(folder: Path, locks: ExitStack) -> bool:
    """Whether no other checkout trains in a folder; if so none can begin to while `locks` are held."""
    if not shares_work() or not folder.is_relative_to(resume_root()):
        return True
    try:
        locks.enter_context(hold(folder.with_suffix(".lock")))
    except LockHeldError:
        return False
    return True


def _changed(folder: Path) -> float:
    return max(path.lstat().st_mtime for path in (folder, *folder.rglob("*")))


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
