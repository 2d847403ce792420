"""A lock that one process holds at a time, and whose holder can be named.

The operating system lets go of it when the process ends, however it ends. The lock's file stays; it holds the id of the
process that took the lock last.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

FINGERPRINT_EXEMPT = "it only keeps a second process out"


class LockHeldError(RuntimeError):
    """Another process holds the lock."""

    def __init__(self, path: Path) -> None:
        """Of the lock in `path`."""
        noted = path.read_text(encoding="ascii").strip()
        self.process: int | None = int(noted) if noted.isdigit() else None
        """The id of the process that holds it; None before it has written that down."""
        super().__init__(f"{path} is held by process {self.process or '?'}")


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold the lock of the file `path` within the block; take it at once or not at all.

    Raises:
        LockHeldError: another process, or another place in this one, holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=0, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        raise LockHeldError(path) from None
    try:
        path.write_text(str(os.getpid()), encoding="ascii")
        yield
    finally:
        lock.release()


def holding_process(path: Path) -> int | None:
    """The id of the process that holds the lock of the file `path` now; None if none does or none is known."""
    if not path.exists():
        return None
    try:
        with FileLock(path, timeout=0, fallback_to_soft=False):
            return None
    except Timeout:
        return LockHeldError(path).process
