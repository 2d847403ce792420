"""One process holds a lock, and another can say which."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reasrm.runtime.process_lock import LockHeldError, hold, holding_process

HOLD = """
import sys
from pathlib import Path
from reasrm.runtime.process_lock import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_is_kept_out_and_told_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "new/folder/a.lock"
    assert holding_process(path) is None
    env = os.environ | {"PYTHONPATH": str(Path.cwd())}
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    assert holding_process(path) == holder.pid
    with pytest.raises(LockHeldError, match=f"process {holder.pid}") as raised, hold(path):
        pass
    assert raised.value.process == holder.pid
    holder.kill()
    holder.wait()
    assert holding_process(path) is None
    with hold(path):
        assert holding_process(path) == os.getpid()


def test_a_second_place_in_the_same_process_is_kept_out(tmp_path: Path) -> None:
    with hold(tmp_path / "a.lock"), pytest.raises(LockHeldError), hold(tmp_path / "a.lock"):
        pass
    with hold(tmp_path / "a.lock"):
        pass
