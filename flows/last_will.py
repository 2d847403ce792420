"""End one process when the one that started this goes, however it goes: kill -9 leaves no chance to clean up.

Run:     python -S flows/last_will.py PROCESS_ID WORD     (standard library only)

The starter holds the other end of this process's stdin. When it closes, the process is killed, provided that its
command line still contains WORD: process ids are given out again.
"""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

_BEQUEATHED: list[subprocess.Popen[bytes]] = []
"""The guards of this process; their stdin closes with it."""


def bequeath(process_id: int, word: str) -> None:
    """See to it that the process `process_id`, whose command line contains `word`, does not outlive this one."""
    command = [sys.executable, "-S", __file__, str(process_id), word]
    _BEQUEATHED.append(subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True))


def execute(process_id: int, word: str) -> None:
    """Wait for the end of stdin, then kill the process if it is still the one that was meant."""
    sys.stdin.buffer.read()
    with contextlib.suppress(OSError):
        if word.encode() in Path(f"/proc/{process_id}/cmdline").read_bytes():
            os.kill(process_id, signal.SIGKILL)


if __name__ == "__main__":
    execute(int(sys.argv[1]), sys.argv[2])
