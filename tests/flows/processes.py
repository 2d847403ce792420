"""Whether processes are alive, and waiting until they are not."""

import time
from collections.abc import Iterable
from pathlib import Path

LONG = 300
"""Seconds in which even a busy machine comes to it."""


def is_alive(process: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def survivors(processes: Iterable[int], seconds: float = LONG) -> list[int]:
    """The processes that are still alive after `seconds`; returns as soon as none is."""
    deadline = time.monotonic() + seconds
    while (alive := [process for process in processes if is_alive(process)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return alive
