"""Where a stage keeps what lets it resume: outside DVC's outputs, named by the hash of everything that went in."""

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from reasrm.records.content_hash import content_hash
from reasrm.runtime.process_lock import LockHeldError, hold

WORK = Path("work")
LEDGERS = Path("ledgers")
LIVE_CURVES = "curves"
"""In a training's folder, beside those of its checkpoints: its curves while it trains."""
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

    Args:
        stage: name with variant (`grpo-full`).
        params: anything JSON-like that changes the result.
        inputs: the files and folders that the stage reads, its fingerprint included.
    """
    key = content_hash([stage, params, [(str(path), file_hash(path)) for path in inputs]])
    folder = WORK / stage / key[:16]
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def remove_resume_folder(folder: Path) -> None:
    """Remove what `resume_folder` gave, the stage's live curves, and the stage's folder if nothing else is in it.

    Folders of other parameters or inputs stay: their runs were interrupted and may go on.
    """
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(folder.parent / LIVE_CURVES, ignore_errors=True)
    with suppress(OSError):
        folder.parent.rmdir()


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
