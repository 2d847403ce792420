"""A process that was bequeathed does not outlive the one that started it, whatever ends that one."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.processes import LONG, is_alive, survivors

STARTER = """
import subprocess, sys, time
from flows.last_will import bequeath
heir = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)  # uvicorn"])
bequeath(heir.pid, sys.argv[1])
print(heir.pid, flush=True)
time.sleep(600)
"""


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
        assert survivors([heir], LONG if ends else 1.0) == ([] if ends else [heir])
    finally:
        if is_alive(heir):
            os.kill(heir, signal.SIGKILL)
