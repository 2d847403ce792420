"""A process that was bequeathed does not outlive the one that started it, whatever ends that one."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

STARTER = """
import subprocess, sys, time
from flows.last_will import bequeath
heir = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)  # uvicorn"])
bequeath(heir.pid, sys.argv[1])
print(heir.pid, flush=True)
time.sleep(60)
"""


def alive(process: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def gone_within(process: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while alive(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(process)


@pytest.mark.parametrize(("word", "ends"), [("uvicorn", True), ("another program", False)])
def test_kill_9_of_the_starter_ends_what_was_meant_and_nothing_else(word: str, ends: bool) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, word],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path.cwd())},
    )
    assert starter.stdout is not None
    heir = int(starter.stdout.readline())
    starter.kill()
    starter.wait()
    try:
        assert gone_within(heir, 5.0 if ends else 1.0) is ends
    finally:
        if alive(heir):
            os.kill(heir, signal.SIGKILL)
