"""Where a stage keeps what lets it resume: outside DVC's outputs, named by the hash of everything that went in."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from reasrm.records.content_hash import content_hash
from reasrm.runtime.kept_folders import WORK, WORK_VARIABLE, resume_root, shares_work
from reasrm.runtime.process_lock import LockHeldError, hold

LIVE_CURVES = "curves"
LARGE = 2**24
"""Bytes. Smaller files are hashed each time: a clock's tick is too coarse to tell two quick writes apart."""


class StageBusyError(RuntimeError):
    """The same stage is running already."""


def file_hash(path: Path) -> str:
    """SHA-256 of a file, or of a folder's files with their relative names."""
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        return content_hash([(str(file.relative_to(path)), file_hash(file)) for file in files])
    now = path.stat()
    return (_hash_of if now.st_size < LARGE else _known_hash_of)(
        path.absolute(), now.st_ino, now.st_size, now.st_mtime_ns
    )


def _hash_of(path: Path, *_state: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def resume_folder(stage: str, params: Any, inputs: Iterable[Path]) -> Path:
    """The folder of the checkpoints that a killed run of `stage` with the same inputs left, created if need be.

    Where checkouts share it (REASRM_WORK), the first process of a training keeps those of other checkouts out of it
    until it ends.

    Args:
        stage: name with variant (`grpo-full`).
        params: anything JSON-like that changes the result.
        inputs: the files and folders that the stage reads, its fingerprint included.

    Raises:
        StageBusyError: a run in another checkout trains the same.
        KeptFolderError: REASRM_WORK is a relative path.
    """
    key = content_hash([stage, params, [(str(path), file_hash(path)) for path in inputs]])
    folder = resume_root() / stage / key[:16]
    folder.mkdir(parents=True, exist_ok=True)
    if shares_work() and os.environ.get("RANK", "0") == "0":
        _keep_others_out(stage, folder)
    return folder


def live_curves(folder: Path) -> Path:
    """Where a training that resumes from `folder` keeps its curves while it trains: in its own checkout."""
    return (WORK / folder.parent.name if shares_work() else folder.parent) / LIVE_CURVES


def remove_resume_folder(folder: Path) -> None:
    """Remove what `resume_folder` gave, the stage's live curves, and the stage's folder if nothing else is in it.

    Folders of other parameters or inputs stay: their runs were interrupted and may go on.
    """
    curves = live_curves(folder)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(curves, ignore_errors=True)
    for emptied in {folder.parent, curves.parent}:
        with suppress(OSError):
            emptied.rmdir()


def _keep_others_out(stage: str, folder: Path) -> None:
    """Hold a lock beside `folder` for as long as this process lives.

    Raises:
        StageBusyError: a process of another checkout holds it.
    """
    path = folder.with_suffix(".lock")
    if path in _held:
        return
    holding = ExitStack()
    try:
        holding.enter_context(hold(path))
    except LockHeldError as error:
        raise StageBusyError(
            f"another checkout trains `{stage}` with the same settings and inputs (process {error.process or '?'}, "
            f"perhaps of another machine; {path}): wait for it and restore its result, or unset {WORK_VARIABLE}"
        ) from error
    _held[path] = holding


_held: dict[Path, ExitStack] = {}
"""The locks of shared folders, which end with the process."""
_known_hash_of = lru_cache(maxsize=256)(_hash_of)
"""Of a file in one state: weights that a process hashes for each part of a run are read once."""


@contextmanager
def only_run(stage: str) -> Iterator[None]:
    """Refuse to run while another process runs the same stage in this checkout (an orphan, say).

    Raises:
        StageBusyError: it does.
    """
    try:
        with hold(WORK / "locks" / f"{stage}.lock"):
            yield
    except LockHeldError as error:
        raise StageBusyError(
            f"another run of `{stage}` is alive in this checkout (process {error.process or '?'}): wait for it, or "
            f"end it"
        ) from error
