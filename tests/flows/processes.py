"""Whether processes are alive, waiting until they are not, and ports that nobody uses."""

import socket
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

LONG = 300
"""Seconds in which even a busy machine comes to it."""


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on now; no two are the same."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


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
