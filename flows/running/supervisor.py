"""Run a command so that nothing of it outlives whoever started it.

Run:     python flows/running/supervisor.py COMMAND ARGUMENT...     (standard library only, starts in some milliseconds)

The starter holds the other end of this process's stdin. When it closes (the starter ended it, crashed or was killed
with -9), or on SIGTERM, SIGINT or SIGHUP, the command's process group gets SIGTERM and, after a grace, SIGKILL; what
left the group is found as a child, because on Linux this process adopts orphans. DVC needs this: it dies of a signal
and leaves the stage's command running on the GPU.

Exit status: the command's own; 143 if it was ended from outside.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType

GRACE_SECONDS = 2.0
ENDED = 128 + signal.SIGTERM
PR_SET_CHILD_SUBREAPER = 36


def supervise(command: list[str]) -> int:
    """Run `command` to its end, or until stdin closes or a signal comes; return the exit status."""
    adopt_orphans()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    over, stop = threading.Event(), threading.Event()

    def end(_number: int = 0, _frame: FrameType | None = None) -> None:
        stop.set()
        over.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, end)

    def wait_for_child() -> None:
        child.wait()
        over.set()

    def wait_for_starter() -> None:
        _read_to_end()
        end()

    for waiter in (wait_for_child, wait_for_starter):
        threading.Thread(target=waiter, daemon=True).start()
    over.wait()
    if child.poll() is None or stop.is_set():
        end_group(child.pid, child)
    sweep(child.pid)
    if child.returncode is None or (stop.is_set() and child.returncode < 0):
        return ENDED
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def end_group(group: int, leader: subprocess.Popen[bytes]) -> None:
    """SIGTERM to the process group and to orphans, SIGKILL to what is left of them after the grace."""
    _signal_group(group, signal.SIGTERM)
    asked_to_end: set[int] = set()
    deadline = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < deadline:
        led = leader.poll() is None
        orphans = [process for process in _children() if process != leader.pid]
        if not led and not orphans:
            break
        for process in set(orphans) - asked_to_end:
            _signal(process, signal.SIGTERM)
            asked_to_end.add(process)
        _reap(orphans)
        time.sleep(0.02)
    _signal_group(group, signal.SIGKILL)
    leader.wait()


def sweep(group: int) -> None:
    """Kill what the command left behind: in its group, or adopted by this process."""
    _signal_group(group, signal.SIGKILL)
    while left := _children():
        for process in left:
            _signal(process, signal.SIGKILL)
        _reap(left)
        time.sleep(0.01)


def adopt_orphans() -> None:
    """Become the parent of descendants whose parent dies, where the system can do that (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _children() -> list[int]:
    found: list[int] = []
    for task in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(number) for number in task.read_text().split()]
    return found


def _reap(processes: list[int]) -> None:
    """Collect the exit status of adopted children that have ended, so that no zombie stays."""
    for process in processes:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(process, os.WNOHANG)


def _signal(process: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(process, number)


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _read_to_end() -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass


if __name__ == "__main__":
    sys.exit(supervise(sys.argv[1:]))
