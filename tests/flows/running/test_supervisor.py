"""Nothing outlives whoever started it: not a child, not a grandchild in a session of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.flows.processes import LONG, is_alive

SUPERVISOR = Path(__file__).parents[3] / "flows" / "running" / "supervisor.py"
DEEP = """
import os, subprocess, sys, time, pathlib
same = subprocess.Popen(["sleep", "1000"])
own = subprocess.Popen(["sleep", "1000"], start_new_session=True)
pathlib.Path(sys.argv[1]).write_text(f"{os.getpid()} {same.pid} {own.pid}")
time.sleep(1000)
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + DEEP
ORPHANS = DEEP.replace("time.sleep(1000)\n", "sys.exit(5)\n")


def start(program: str, pids: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-S", str(SUPERVISOR), sys.executable, "-c", program, str(pids)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def family(pids: Path) -> list[int]:
    deadline = time.monotonic() + LONG
    while time.monotonic() < deadline:
        if pids.exists() and len(pids.read_text().split()) == 3:
            return [int(word) for word in pids.read_text().split()]
        time.sleep(0.02)
    raise AssertionError("the command did not start")


@pytest.mark.parametrize("program", [DEEP, STUBBORN], ids=["obedient", "ignores SIGTERM"])
def test_closing_stdin_ends_the_whole_family(tmp_path: Path, program: str) -> None:
    supervisor = start(program, tmp_path / "pids")
    processes = family(tmp_path / "pids")
    assert all(is_alive(process) for process in processes)
    assert supervisor.stdin is not None
    supervisor.stdin.close()
    assert supervisor.wait(LONG) == 143
    assert not [process for process in processes if is_alive(process)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_whole_family(tmp_path: Path, number: signal.Signals) -> None:
    supervisor = start(DEEP, tmp_path / "pids")
    processes = family(tmp_path / "pids")
    os.kill(supervisor.pid, number)
    assert supervisor.wait(LONG) == 143
    assert not [process for process in processes if is_alive(process)]


def test_what_a_finished_command_leaves_behind_is_ended_and_its_status_kept(tmp_path: Path) -> None:
    supervisor = start(ORPHANS, tmp_path / "pids")
    assert supervisor.wait(LONG) == 5
    assert not [process for process in family(tmp_path / "pids") if is_alive(process)]


@pytest.mark.parametrize(
    ("program", "status"), [("", 0), ("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 9)", 137)]
)
def test_the_status_is_the_commands_own(program: str, status: int) -> None:
    command = [sys.executable, str(SUPERVISOR), sys.executable, "-S", "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as supervisor:
        assert supervisor.wait(LONG) == status
