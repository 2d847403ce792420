"""Run one DVC stage under the supervisor and say what became of it.

DVC decides whether the stage runs, is restored or is left alone; this module only reads what it says. The whole output
goes to `work/logs/<stage>.log`.
"""

import re
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from flows.outcome import ExitCode, Outcome, StageRun

LOGS = Path("work/logs")
SUPERVISOR = Path(__file__).with_name("supervisor.py")
TAIL_LINES = 25

SAID_BY_DVC = (
    (re.compile(r"^Running stage '"), Outcome.COMPLETED),
    (re.compile(r"^Stage '.*' is cached - skipping run"), Outcome.RESTORED),
    (re.compile(r"^Stage '.*' didn't change, skipping"), Outcome.CACHED),
)
CHATTER = re.compile(
    r"^(Running stage '|> |Stage '.*' (is cached|didn't change)|(Generating|Updating) lock file|Use `dvc push`"
    r"|WARNING: Process '.*' with \(Pid \d+\), in RWLock-file|To track the changes with git|\tgit add"
    r"|To enable auto staging|\s*$|\s*dvc config core.autostage)"
)
COMMAND_FAILED = re.compile(r"^ERROR: failed to reproduce '.*': failed to run: .*, exited with (-?\d+)\s*$")
"""DVC's last line when the stage's own command failed: its exit status is all that it adds."""


OnLine = Callable[[str], None]
"""Called with each line that the stage itself writes."""


class Supervised:
    """The stages that are running now, so that all of them can be ended at once."""

    def __init__(self) -> None:
        """Start with none."""
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self.ending = False
        """Whether `end_all` was called: what ends now was stopped, it did not fail."""

    def end_all(self) -> None:
        """Close the supervisors' stdin: each ends its stage with all that it started, within some seconds."""
        with self._lock:
            self.ending = True
            running = list(self._running)
        for process in running:
            if process.stdin is not None:
                process.stdin.close()

    def start(self, command: list[str], root: Path, environment: Mapping[str, str]) -> subprocess.Popen[str] | None:
        """Start `command` under the supervisor in a session of its own, or None once `end_all` was called."""
        with self._lock:
            if self.ending:
                return None
            process = subprocess.Popen(
                [sys.executable, "-S", str(SUPERVISOR), *command],
                cwd=root,
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
            self._running.add(process)
            return process

    def forget(self, process: subprocess.Popen[str]) -> None:
        """Note that `process` has ended."""
        with self._lock:
            self._running.discard(process)
        if process.stdin is not None:
            process.stdin.close()


def run_stage(
    name: str,
    root: Path,
    environment: Mapping[str, str],
    supervised: Supervised,
    on_line: OnLine,
    *,
    force: bool = False,
) -> StageRun:
    """Bring one stage up to date through DVC; returns when it ended, however it ended."""
    command = [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "--single-item", name]
    start = time.monotonic()
    process = supervised.start([*command, "--force"] if force else command, root, environment)
    if process is None:
        return StageRun(Outcome.STOPPED)
    output = _follow(process, root / LOGS / f"{name}.log", on_line)
    status = process.wait()
    supervised.forget(process)
    seconds = time.monotonic() - start
    if status == 0:
        return StageRun(output.said or Outcome.CACHED, seconds)
    stopped = supervised.ending or output.stage_status == ExitCode.STOPPED_RESUMABLE
    tail = "\n".join(output.tail) or f"it ended with status {output.stage_status or status} and said nothing"
    return StageRun(Outcome.STOPPED if stopped else Outcome.FAILED, seconds, tail)


class _Output(NamedTuple):
    """What DVC and the stage wrote."""

    said: Outcome | None
    """What DVC did, in its words."""
    tail: list[str]
    """The last lines of the stage itself."""
    stage_status: int | None
    """The exit status of the stage's command, if it failed."""


def _follow(process: subprocess.Popen[str], log: Path, on_line: OnLine) -> _Output:
    """Read the output to its end, into the log."""
    said, stage_status, tail = None, None, deque[str](maxlen=TAIL_LINES)
    log.parent.mkdir(parents=True, exist_ok=True)
    assert process.stdout is not None
    with log.open("w", encoding="utf-8") as file:
        for raw in process.stdout:
            line = raw.rstrip("\n").rpartition("\r")[2].replace("\x1b[2K", "")
            file.write(line + "\n")
            file.flush()
            said = said or next((outcome for words, outcome in SAID_BY_DVC if words.match(line)), None)
            if failed := COMMAND_FAILED.match(line):
                stage_status = int(failed[1])
            elif not CHATTER.match(line):
                tail.append(line)
                on_line(line)
    return _Output(said, list(tail), stage_status)
