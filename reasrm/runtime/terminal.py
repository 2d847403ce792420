"""What is printed: harmless to a terminal, whole in every encoding, and quiet when nobody reads on.

Whatever a command prints holds text of others: replies, prompts, names of files, a server's messages. So nothing
prints but what stands here. `say` and `say_error` spell out what a terminal would obey (`harmless_text`), `say_json`
escapes it. `guard_streams`, called once when a process starts, does the same for whatever other libraries print,
warnings and tracebacks included; on a terminal their colours and progress bars pass.

What cannot be written ends the process without a traceback:

- the reader of standard output has gone (`| head -1`): quietly, with status 1, since not all was printed;
- standard output cannot be written (a full disk), or was closed from the start: one line and status 1;
- standard error is lost: nothing, the work goes on. Messages are no result.
"""

import contextlib
import io
import os
import re
import signal
import sys
import threading
from typing import Any

from reasrm.records.harmless_text import ascii_json, harmless, one_line

FINGERPRINT_EXEMPT = "it prints"
LOST = 1
"""Exit status when not all of the output could be written."""
LONGEST_MESSAGE = 2000
"""Characters; a server's message or a row of data in it can be of any length."""
ASK_FOR_COLOURS = ("FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "TTY_COMPATIBLE")
"""Environment variables for which rich and typer draw as on a terminal."""
_DRAWING = re.compile(r"(\r|\x1b\[(?:\?25[hl]|\d*[AK]|[\d;]*m))")
"""What libraries draw with on a terminal: colours, the line's start, the line above, an erased line, the cursor."""


def say(text: str) -> None:
    """Print `text`, of one line or several, on standard output."""
    print(harmless(text), flush=True)


def say_json(text: str) -> None:
    """Print JSON (of `json_text`) on standard output, at once; in ASCII alone where the output takes no more."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = ascii_json(text)
    print(text, flush=True)


def say_error(who: str, why: object) -> None:
    """Print `who: why` on standard error, on one line of bounded length, at once."""
    print(message(who, why), file=sys.stderr, flush=True)


def message(who: str, why: object) -> str:
    """`who: why` on one line of bounded length, harmless to a terminal."""
    return harmless(one_line(f"{who}: {why}", LONGEST_MESSAGE))


class GuardedStream(io.TextIOWrapper):
    """Standard output or error that takes any text and prints it harmlessly."""

    status = 0
    """What the process has to end with once standard output could not be written."""

    def __init__(self, stream: io.TextIOWrapper, *, holds_results: bool) -> None:
        """Take the place of `stream`; one that `holds_results` ends the process when it cannot be written."""
        super().__init__(
            stream.buffer,
            encoding=stream.encoding,
            errors="backslashreplace",
            line_buffering=stream.line_buffering,
            write_through=stream.write_through,
        )
        self._instead_of = stream  # which would close the buffer at its own end
        self._holds_results = holds_results
        self._draws = stream.isatty() or any(os.environ.get(name) for name in ASK_FOR_COLOURS)

    def write(self, text: str) -> int:
        """Write `text`, what a terminal would obey spelled out."""
        try:
            return super().write(self._harmless(text))
        except OSError as error:
            self._lose(error)
        return len(text)

    def flush(self) -> None:
        """Hand on what is held back."""
        try:
            super().flush()
        except OSError as error:
            self._lose(error)

    def _harmless(self, text: str) -> str:
        if not self._draws:  # a progress bar's states stand one below the other
            return harmless(text.replace("\r\n", "\n").replace("\r", "\n"))
        return "".join(part if _DRAWING.fullmatch(part) else harmless(part) for part in _DRAWING.split(text))

    def _lose(self, error: OSError) -> None:
        """Write to nowhere from now on; if results are lost, end the process."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
        if not self._holds_results or self.status:
            return
        self.status = LOST
        if not isinstance(error, BrokenPipeError):
            say_error("reasrm", f"standard output cannot be written: {error.strerror}")
        if threading.current_thread() is threading.main_thread():
            raise SystemExit(self.status)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def guard_streams() -> None:
    """Guard standard output and error of this process, once, and open what was closed before it started.

    A closed stream's number would be given to the next file that is opened, and what is printed would land in it.

    Raises:
        SystemExit: standard output is closed, so that no result could be seen.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _guarded(sys.stderr, 2)
    if sys.stdout is sys.__stdout__:
        sys.stdout = _guarded(sys.stdout, 1)
    if sys.__stdout__ is None:
        say_error("reasrm", "standard output is closed: send it to a file, or to /dev/null if nobody wants it")
        raise SystemExit(LOST)


def _guarded(stream: Any, number: int) -> GuardedStream:
    own = stream or open(number, "w", encoding="utf-8")  # noqa: SIM115  open to the end of the process
    return GuardedStream(own, holds_results=number == 1)


def exit_status(status: int) -> int:
    """What the process ends with, after everything is printed: `status`, or why standard output was lost."""
    with contextlib.suppress(SystemExit):
        sys.stdout.flush()
    return getattr(sys.stdout, "status", 0) or status
