"""Ctrl-C while a service is being asked: the first one is noted, so that replies that came are kept; the second acts.

A KeyboardInterrupt would strike anywhere, also between two replies that have come and are not handed on yet. So while
requests are under way the first SIGINT only stops the sending, what is under way may take `GRACE_SECONDS` more, and
then the interrupt is raised.
"""

import signal
import threading
import time
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from types import FrameType, TracebackType
from typing import Any, Self

GRACE_SECONDS = 3.0
"""How long requests that are under way, and may be paid for, can still be answered after the first interrupt."""
LOOKS_EVERY_SECONDS = 0.25
"""A noted interrupt wakes nobody who waits for a future, so a wait lasts no longer than this."""


class FirstInterrupt:
    """Notes the first SIGINT inside of its block; from the second one on they act as before.

    Where the program handles SIGINT itself, and outside of the main thread, everything stays as it is.
    """

    def __init__(self) -> None:
        """Nothing is noted yet."""
        self._noted_at: float | None = None

    def __enter__(self) -> Self:
        """Take SIGINT over, if it would raise KeyboardInterrupt here."""
        if _in_main_thread() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give SIGINT back."""
        if _in_main_thread() and signal.getsignal(signal.SIGINT) == self._note:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._noted_at = time.monotonic()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    @property
    def noted(self) -> bool:
        """Whether an interrupt has come: nothing more is to be begun."""
        return self._noted_at is not None

    def done(self, futures: Iterable[Future[Any]]) -> set[Future[Any]]:
        """Those of `futures` that are done: at least one, unless an interrupt came and the grace is over."""
        waiting = set(futures)
        while True:
            done = wait(waiting, LOOKS_EVERY_SECONDS, FIRST_COMPLETED).done
            if done or (self._noted_at is not None and time.monotonic() - self._noted_at > GRACE_SECONDS):
                return done


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
