"""The processes that run one checkpoint together: starting them, giving each its next job, and how one ended.

Who is free gets the next job, so a slow process holds nobody up. One that dies or fails stops the run, with its number,
how it ended and what it said last; what the others had answered has been handed on.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import weakref
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from queue import SimpleQueue
from typing import IO, Any, NamedTuple

import orjson

from reasrm.inference.engine import Prompt, Sampling
from reasrm.inference.local_model import LocalModelSettings
from reasrm.inference.workers.gpu_shares import share_gpus
from reasrm.runtime.stage_main import StageError
from reasrm.runtime.terminal import say_error

MODULE = "reasrm.inference.workers.worker"
LAST_LINES = 3
"""So many of a dead worker's last lines are told."""
END_SECONDS = 10.0
"""A worker that is told to end is killed after so long."""


class WorkerDiedError(StageError):
    """A worker ended without being told to."""


class _Worker(NamedTuple):
    """One process."""

    name: str
    process: "subprocess.Popen[bytes]"
    said: deque[str]
    """The last lines that it printed."""
    passing_on: threading.Thread


class WorkerPool:
    """Processes that run the checkpoint of `settings`, as many as `data_parallel`; started with the first job."""

    def __init__(self, kind: str, settings: LocalModelSettings) -> None:
        """Prepare for the engine `kind`: transformers, vllm or scalar."""
        self._kind = kind
        self._settings = settings
        self._workers: list[_Worker] = []
        self._answers: SimpleQueue[tuple[int, bytes]] = SimpleQueue()
        self.starts = 0
        """How often the processes were started."""

    def run(
        self, jobs: Sequence[Sequence[Prompt]], sampling: Sampling | None, tokens: tuple[int, int] | None = None
    ) -> Iterator[tuple[int, list[Any]]]:
        """Yield the number of each job with the values of its prompts, as soon as they are there.

        Values are replies with a `sampling`, log-odds with `tokens`, else scores.

        Raises:
            StageError: a worker could not do its job; says which one and why.
        """
        self._start()
        how = {"sampling": None if sampling is None else sampling.model_dump(mode="json"), "tokens": tokens}
        waiting, under_way = deque(enumerate(jobs)), dict[int, int]()
        try:
            for place in range(len(self._workers)):
                self._give(place, waiting, under_way, how)
            while under_way:
                place, line = self._answers.get()
                values = self._values(place, line)
                number = under_way.pop(place)
                self._give(place, waiting, under_way, how)
                yield number, values
        finally:
            if under_way:  # nobody wants these answers any more
                self.close()

    def close(self) -> None:
        """End the processes."""
        for worker in self._workers:
            _end_jobs(worker.process)
        for worker in self._workers:
            _end(worker.process)
        self._workers, self._answers = [], SimpleQueue()

    def _start(self) -> None:
        if self._workers:
            return
        shares = share_gpus(self._settings.data_parallel, self._settings.tensor_parallel)
        self.starts += 1
        for number, share in enumerate(shares, start=1):
            name = f"judge process {number} of {len(shares)}" + (f" (GPU {share})" if share else "")
            environment = os.environ | ({"CUDA_VISIBLE_DEVICES": share} if share else {})
            environment["PYTHONPATH"] = os.pathsep.join(folder for folder in sys.path if folder)
            process, answers = _started(environment)
            weakref.finalize(self, _end, process)
            said: deque[str] = deque(maxlen=LAST_LINES)
            passing_on = threading.Thread(target=_pass_on, args=(name, process.stdout, said), daemon=True)
            reading = threading.Thread(target=_read, args=(number - 1, answers, self._answers), daemon=True)
            self._workers.append(_Worker(name, process, said, passing_on))
            passing_on.start()
            reading.start()
            settings = self._settings.model_copy(update={"data_parallel": 1}).model_dump(mode="json")
            _write(process, {"kind": self._kind, "settings": settings})

    def _give(
        self,
        place: int,
        waiting: "deque[tuple[int, Sequence[Prompt]]]",
        under_way: dict[int, int],
        how: Mapping[str, Any],
    ) -> None:
        """Give the worker at `place` the next job, if there is one."""
        if not waiting:
            return
        number, prompts = waiting.popleft()
        under_way[place] = number
        asked = [(one.token_ids, one.opened, one.begun) for one in prompts]
        _write(self._workers[place].process, {"prompts": asked, **how})

    def _values(self, place: int, line: bytes) -> list[Any]:
        """What a worker answered.

        Raises:
            StageError: it says why it cannot, or is dead.
        """
        worker = self._workers[place]
        if line:
            answer = orjson.loads(line)
            if "failed" in answer:
                raise StageError(f"{worker.name}: {answer['failed']}")
            return list(answer["values"])
        status = worker.process.wait()
        worker.passing_on.join(END_SECONDS)
        how = f"exit status {status}" if status >= 0 else signal.Signals(-status).name
        hint = "; the system may have run out of memory" if status == -signal.SIGKILL else ""
        said = f"; it said: {' '.join(worker.said)}" if worker.said else ""
        raise WorkerDiedError(
            f"{worker.name} ended by {how}{hint}{said}. What was answered is kept, the same command goes on"
        )


def _started(environment: dict[str, str]) -> tuple["subprocess.Popen[bytes]", IO[bytes]]:
    """A worker, and its answers: they have a pipe of their own, so nothing that a library prints gets among them.

    It imports nothing from the working folder (`-P`), and a Ctrl-C in the terminal is this process's alone.
    """
    reading, writing = os.pipe()
    program = [sys.executable, "-P", "-m", MODULE, str(writing)]
    try:
        process = subprocess.Popen(
            program,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(writing,),
            process_group=0,
        )
    finally:
        os.close(writing)
    return process, os.fdopen(reading, "rb")


def _read(place: int, answers: IO[bytes], into: "SimpleQueue[tuple[int, bytes]]") -> None:
    """Pass a worker's answers on; behind the last, an empty one."""
    with answers:
        for line in answers:
            into.put((place, line))
    into.put((place, b""))


def _pass_on(name: str, errors: IO[bytes], said: deque[str]) -> None:
    """Print what a worker prints, under its name."""
    for line in errors:
        if text := line.decode(errors="replace").rstrip():
            said.append(text.strip())
            say_error(name, text)


def _write(process: "subprocess.Popen[bytes]", line: dict[str, Any]) -> None:
    """Send one line; that a worker is dead shows in its answers."""
    assert process.stdin is not None
    try:
        process.stdin.write(orjson.dumps(line) + b"\n")
        process.stdin.flush()
    except BrokenPipeError:
        return


def _end_jobs(process: "subprocess.Popen[bytes]") -> None:
    """Tell a process that there are no more jobs."""
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process: by the end of its jobs, and if that does not do, by force."""
    _end_jobs(process)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
