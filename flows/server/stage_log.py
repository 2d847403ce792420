"""A stage's own lines in the log of its task run: soon, but no flood, and its last ones in any case."""

from collections import deque
from collections.abc import Callable
from threading import Lock

from flows.running.stage_process import RAW_METRICS, TAIL_LINES

AT_ONCE = 25
"""Lines that pass between two calls of `catch_up`; of more, the last `TAIL_LINES` follow with the call."""
LONGEST_LINE = 1000
"""Characters; Prefect refuses a message of a megabyte."""


class StageLog:
    """Passes lines on; `wrote` and `catch_up` may be called from two threads."""

    def __init__(self, send: Callable[[str], None], whole: str) -> None:
        """Pass lines to `send`; `whole` is the file that has all of them."""
        self._send = send
        self._whole = whole
        self._passed = 0
        self._withheld: deque[str] = deque(maxlen=TAIL_LINES)
        self._left_out = 0
        self._lock = Lock()

    def wrote(self, line: str) -> None:
        """Take a line that the stage wrote; a trainer's raw metrics and empty lines are dropped."""
        text = line.rstrip()
        if not text or RAW_METRICS.match(text.strip()):
            return
        text = text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE]}… ({len(text):,} characters)"
        with self._lock:
            if self._passed < AT_ONCE:
                self._passed += 1
                self._send(text)
                return
            self._left_out += len(self._withheld) == TAIL_LINES
            self._withheld.append(text)

    def catch_up(self) -> None:
        """Send the last of the lines that were withheld, and say how many are left out; call it now and then."""
        with self._lock:
            if self._left_out:
                self._send(f"({self._left_out:,} lines left out here; all are in {self._whole})")
            for line in self._withheld:
                self._send(line)
            self._withheld.clear()
            self._passed = self._left_out = 0
