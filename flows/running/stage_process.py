"""Run one DVC stage under the supervisor, in its own environment, and say what became of it.

DVC decides whether the stage runs, is restored or is left alone; this module only reads what it says. The whole output
goes to `work/logs/<stage>.log`.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from flows.running.reproduce import NOT_PUSHED
from flows.running.stage_outcome import StageOutcome, StageRun
from reasrm.records.harmless_text import harmless
from reasrm.runtime.stage_main import NO_ROOM, NOTHING_LOST, ExitCode, room_left

LOGS = Path("work/logs")
SUPERVISED = (sys.executable, "-S", str(Path(__file__).with_name("supervisor.py")))
"""Put before a command, so that nothing of it outlives this process."""
REPRODUCE = (sys.executable, "-m", "flows.running.reproduce")
"""Put before options and a stage."""
NOT_PUSHED_LINE = "not pushed: "
"""Begins what it says of a stage that is up to date and could not be handed over."""
TAIL_LINES = 25

BUDGET_VARIABLE = "REASRM_BUDGET_USD"
"""What the present questions may cost at the oracle, in US dollars, all runs together; no parameter of a result."""
NO_TELEMETRY = {
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "VLLM_NO_USAGE_STATS": "1",
}
KEEP_SMALL_FREED_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(64 * 2**20), "MALLOC_TRIM_THRESHOLD_": str(512 * 2**20)}
"""glibc keeps freed tensors of up to 64 MiB, as the miniature's are, instead of handing their pages back and faulting
them in anew: two trainings of it side by side took 37 instead of 46 seconds. Larger ones go back: kept too, in a heap
cut up by rows of different lengths, they made a training of 135 million parameters take 9.2 GiB in place of 7.2. No
result depends on it."""

OUTCOME_OF_DVC_LINE = (
    (re.compile(r"^Running stage '"), StageOutcome.COMPLETED),
    (re.compile(r"^Stage '.*' is cached - skipping run"), StageOutcome.RESTORED),
    (re.compile(r"^Pulling data for stage"), StageOutcome.RESTORED),
    (re.compile(r"^Stage '.*' didn't change, skipping"), StageOutcome.CACHED),
)
DVC_CHATTER = re.compile(
    r"^(Running stage '|> |Stage '.*' (is cached|didn't change)|(Generating|Updating) lock file|Use `dvc push`"
    r"|Pulling data for stage"
    r"|WARNING: '.*' is empty\.|WARNING: Process '.*' with \(Pid \d+\), in RWLock-file|To track the changes with git"
    r"|\tgit add|To enable auto staging|\s*$|\s*dvc config core.autostage)"
)
COMMAND_FAILED = re.compile(r"^ERROR: failed to reproduce '.*': failed to run: .*, exited with (-?\d+)\s*$")
"""DVC's last line when the stage's own command failed: its exit status is all that it adds."""
RAW_METRICS = re.compile(r"^\{'.*\}$")
"""A line with which transformers' trainer prints a Python dict: no reason of anything."""

STOPS = {ExitCode.STOPPED_RESUMABLE, ExitCode.BUSY}
"""Nothing is wrong with a stage that ends so: it stopped, or another process has its ledger or its training now."""

DVC_ERROR = "ERROR: "
NO_ROOM_LEFT = re.compile(r"\[Errno (28|122|27)\]|No space left on device|Disk quota exceeded")

OnLine = Callable[[str], None]
"""Called with each line that the stage itself writes."""


def stage_environment(gpus: tuple[str, ...] = (), budget_usd: float | None = None) -> dict[str, str]:
    """The environment in which DVC runs a stage: what the user set wins, except for the interpreter.

    Args:
        gpus: the CUDA devices that the stage got, if this machine has any.
        budget_usd: what the present questions may cost at the oracle.
    """
    chosen = {"PYTHONUNBUFFERED": "1", "TOKENIZERS_PARALLELISM": "false", **NO_TELEMETRY}
    if not gpus:
        chosen |= KEEP_SMALL_FREED_MEMORY | {"OMP_NUM_THREADS": "1"}
    environment = chosen | dict(os.environ)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # every stage would compile torch and transformers anew
    environment["PATH"] = os.pathsep.join([str(Path(sys.prefix, "bin")), environment.get("PATH", os.defpath)])
    if gpus:
        environment["CUDA_VISIBLE_DEVICES"] = ",".join(gpus)
    if budget_usd is not None:
        environment[BUDGET_VARIABLE] = str(budget_usd)
    return environment


class StageProcesses:
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
                [*SUPERVISED, *command],
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
    processes: StageProcesses,
    on_line: OnLine,
    options: Sequence[str] = (),
) -> StageRun:
    """Bring one stage up to date through DVC; returns when it ended, however it ended.

    Args:
        name: the stage.
        root: the project.
        environment: of its process.
        processes: where it can be ended.
        on_line: called with each line that the stage writes.
        options: `--force`, `--pull`, `--push` of `reproduce.py`.
    """
    start = time.monotonic()
    process = processes.start([*REPRODUCE, *options, name], root, environment)
    if process is None:
        return StageRun(StageOutcome.WAITING)
    output = _follow(process, root / LOGS / f"{name}.log", on_line)
    status = process.wait()
    processes.forget(process)
    seconds = time.monotonic() - start
    if status in {0, NOT_PUSHED}:
        reason = next((line for line in reversed(output.tail) if line.startswith(NOT_PUSHED_LINE)), "")
        return StageRun(output.outcome or StageOutcome.CACHED, seconds, reason if status == NOT_PUSHED else "")
    stopped = processes.ending or output.stage_status in STOPS
    ended = output.stage_status or status
    lines = output.tail or [f"it ended with status {ended} and said nothing"]
    if not stopped and (killed := _killed_by(ended)):
        lines = [*output.tail, killed]
    lines = _without_room(lines, root)
    return StageRun(StageOutcome.STOPPED if stopped else StageOutcome.FAILED, seconds, "\n".join(lines))


def _killed_by(status: int) -> str:
    """What to say of a stage that did not end by itself, whose last lines are just where it was; else nothing.

    Args:
        status: of the command; negative for a signal, or above 128 where a shell passes one on.
    """
    number = -status if status < 0 else status - 128
    if number not in {int(one) for one in signal.Signals}:
        return ""
    name = signal.Signals(number).name
    memory = "; if nobody did that, the system lacked memory (`dmesg` says so)" if number == signal.SIGKILL else ""
    return f"it was ended by signal {number} ({name}){memory}; what it saved is kept, and the same command goes on"


def _without_room(lines: list[str], root: Path) -> list[str]:
    """The lines of a stage that failed, with one in place of DVC's if there was no room; the log keeps them all."""
    if not any(NO_ROOM_LEFT.search(line) for line in lines) or any(NOTHING_LOST in line for line in lines):
        return lines
    said = [line for line in lines if not line.startswith(DVC_ERROR)]
    return [*said, f"there is no room left on the disk{room_left(root)}: {NOTHING_LOST}"]


def _open_log(path: Path) -> BinaryIO:
    """The log, unbuffered; on a disk that is full already, nothing."""
    with unless_full():
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("wb", buffering=0)
    return Path(os.devnull).open("wb", buffering=0)


@contextmanager
def unless_full() -> Iterator[None]:
    """Leave undone what does not fit on a full disk, which is told with the stage that it strikes; raise all else."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise


class _Output(NamedTuple):
    """What DVC and the stage wrote."""

    outcome: StageOutcome | None
    """What DVC says that it did."""
    tail: list[str]
    """The last lines of the stage itself."""
    stage_status: int | None
    """The exit status of the stage's command, if it failed."""


def _follow(process: subprocess.Popen[str], log: Path, on_line: OnLine) -> _Output:
    """Read the output to its end, into the log, what a terminal would obey spelled out."""
    outcome, stage_status, tail = None, None, deque[str](maxlen=TAIL_LINES)
    assert process.stdout is not None
    with _open_log(log) as file:
        for raw in process.stdout:
            line = harmless(raw.rstrip("\n"))
            with unless_full():  # what the stage says is read and shown all the same
                file.write(line.encode() + b"\n")
            outcome = outcome or next((one for pattern, one in OUTCOME_OF_DVC_LINE if pattern.match(line)), None)
            if failed := COMMAND_FAILED.match(line):
                stage_status = int(failed[1])
            elif not DVC_CHATTER.match(line):
                if not RAW_METRICS.match(line.strip()):
                    tail.append(line)
                on_line(line)
    return _Output(outcome, list(tail), stage_status)
