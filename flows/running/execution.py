"""Carry the stages of a run out: each in its place once its parents have ended, all ended together from outside.

This is what the two carriers share: `stage_threads.py`, which needs nothing, and the Prefect flow in `pipeline.py`.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from queue import SimpleQueue
from types import FrameType

from flows.running.pipeline_run import Elsewhere, PipelineRun
from flows.running.stage_outcome import UNTOUCHED, StageOutcome, StageRun

CANCELLED_POLL_SECONDS = 1.0
"""Between two looks at whether the run was cancelled elsewhere; a stage then has two seconds to end."""

Place = Callable[[str], AbstractContextManager[object]]
"""What a stage holds besides its place on this machine, by its `meta.limit`, while it runs."""


class Execution:
    """The stages of one run while they are carried out; `run_in_its_place` may be used from several threads."""

    def __init__(self, run: PipelineRun) -> None:
        """Every place of this machine is free."""
        self.run = run
        self.slots = run.slots()
        self.elsewhere: Elsewhere | None = None
        """Who runs the stages; then they need no place of this machine."""

    def reported(self) -> list[str]:
        """The stages that may run or have run already, in plan order."""
        run = self.run
        ran = {name for name, one in run.runs.items() if one != UNTOUCHED}
        return [name for name in run.pipeline.stages if name in run.dirty | ran]

    def run_in_its_place(
        self, name: str, hold: Place = lambda _: nullcontext(), on_line: Callable[[str], None] | None = None
    ) -> StageRun:
        """Run a stage whose parents have ended, as soon as there is a place for it; or say why it cannot run.

        Args:
            name: the stage.
            hold: what it holds too while it runs; called with its `meta.limit`, if it has one.
            on_line: gets each line that it writes.
        """
        run = self.run
        if name in run.runs:
            return run.runs[name]
        if kept := run.kept_from_running(name):
            run.note(name, kept)
            return kept
        if self.elsewhere is not None and not run.processes.ending:
            return run.run(name, on_line=on_line, elsewhere=self.elsewhere)
        limit = run.pipeline.stages[name].limit
        with self.slots.hold(name) as gpus:
            if gpus is None:
                run.note(name, StageRun(StageOutcome.WAITING))
            else:
                with hold(limit) if limit else nullcontext():
                    run.run(name, gpus, on_line)
        return run.runs[name]

    def end(self) -> None:
        """End the stages that run, start no further one; what has ended keeps its outcome."""
        self.run.processes.end_all()
        self.run.pushing.end_all()
        self.slots.close()

    @contextmanager
    def ended_from_outside(self, is_cancelled: Callable[[], bool] | None = None) -> Iterator[None]:
        """End the stages on SIGINT and SIGTERM, or when the run was cancelled elsewhere; the block goes on as usual.

        Args:
            is_cancelled: asked every second, and may take long over it: nobody waits for it.
        """

        def interrupt() -> None:
            if not self.run.interrupted:
                self.run.interrupted = True
                self.end()

        try:
            with interrupted_by_signals(interrupt), interrupted_when(is_cancelled, interrupt):
                yield
        finally:
            self.run.processes.end_all()  # one whose thread failed may still run


@contextmanager
def interrupted_when(is_cancelled: Callable[[], bool] | None, interrupt: Callable[[], None]) -> Iterator[None]:
    """Call `interrupt` in a thread of its own, once, when `is_cancelled` says so while the block runs.

    Args:
        is_cancelled: asked every second, and may take long over it: nobody waits for it. None: there is nobody to ask.
        interrupt: ends what the block does.
    """
    over = threading.Event()

    def ask() -> None:
        while not over.wait(CANCELLED_POLL_SECONDS):
            if is_cancelled is not None and is_cancelled() and not over.is_set():
                interrupt()
                return

    if is_cancelled is not None:
        threading.Thread(target=ask, name="asks", daemon=True).start()
    try:
        yield
    finally:
        over.set()


@contextmanager
def interrupted_by_signals(interrupt: Callable[[], None]) -> Iterator[None]:
    """Call `interrupt` in a thread of its own on SIGINT and SIGTERM; nothing is raised in the block, which goes on.

    A handler runs in the midst of whatever the main thread does, holding its locks; so it only tells the thread. Only a
    second Ctrl-C is raised, as KeyboardInterrupt: a way out if the block itself hangs.
    """
    heard = SimpleQueue[bool]()  # unlike an event, it may be written to by a handler that interrupts another one

    def listen() -> None:
        while heard.get():
            interrupt()

    listener = threading.Thread(target=listen, name="hears signals", daemon=True)
    listener.start()
    try:
        with _signals_handled(lambda: heard.put(True)):
            yield
    finally:
        heard.put(False)
        listener.join()


@contextmanager
def _signals_handled(on_signal: Callable[[], None]) -> Iterator[None]:
    """Call `on_signal` for SIGINT and SIGTERM; raise KeyboardInterrupt for a second SIGINT.

    A SIGINT that is ignored, as shells let their background jobs do, stays so.
    """
    interrupts = 0

    def handle(number: int, _frame: FrameType | None) -> None:
        nonlocal interrupts
        interrupts += number == signal.SIGINT
        if interrupts > 1 and number == signal.SIGINT:
            raise KeyboardInterrupt
        on_signal()

    if threading.current_thread() is not threading.main_thread():  # only the main one gets signals
        yield
        return
    heard = [one for one in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(one) is not signal.SIG_IGN]
    former = {number: signal.signal(number, handle) for number in heard}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
