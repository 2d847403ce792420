"""One live line that says how far long work is; plain lines without a terminal."""

import sys
import time
from collections.abc import Callable

from reasrm.runtime.terminal import message

EVERY_SECONDS = 5.0
EVERY_SECONDS_LIVE = 0.5
FINGERPRINT_EXEMPT = "it only shows how far the work is"


class ProgressLine:
    """Shows a text at most every few seconds on stderr; rewritten in place on a terminal."""

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Start the line of `name`; `clock` gives seconds."""
        self._name = name
        self._clock = clock
        self._live = sys.stderr.isatty()
        self._every = EVERY_SECONDS_LIVE if self._live else EVERY_SECONDS
        self._last = clock()

    def show(self, text: str, *, now: bool = False) -> None:
        """Show `text` if the last one is old enough, or in any case with `now`."""
        if not now and self._clock() - self._last < self._every:
            return
        self._last = self._clock()
        end = "" if self._live else "\n"
        start = "\r\x1b[2K" if self._live else ""
        print(start + message(self._name, text), end=end, file=sys.stderr, flush=True)

    def say(self, text: str) -> None:
        """Show `text` now, on a line of its own that stays."""
        self.show(text, now=True)
        self.end()

    def end(self) -> None:
        """Leave the last text on the screen and go to the next line."""
        if self._live:
            print(file=sys.stderr, flush=True)
