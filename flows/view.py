"""What a run shows: one line per start and end of a stage, and what the running ones say of themselves.

On a terminal the running stages stand below with their last line, rewritten in place. Elsewhere there are plain lines,
and a running stage's own words at most twice a minute.
"""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from flows.outcome import Outcome, StageRun

PLAIN_LINE_SECONDS = 30.0
LIVE_PER_SECOND = 4
NAME_WIDTH = 22

STYLE = {
    Outcome.CACHED: "green",
    Outcome.RESTORED: "green",
    Outcome.COMPLETED: "bold green",
    Outcome.FAILED: "bold red",
    Outcome.STOPPED: "bold yellow",
    Outcome.SKIPPED: "yellow",
    Outcome.WAITING: "yellow",
}


class RunView:
    """The lines of one run; all methods may be called from several threads."""

    def __init__(self, console: Console | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """Write to `console` (default: standard output); `clock` gives seconds."""
        self.console = console or Console(highlight=False)
        self._clock = clock
        self._running: dict[str, float] = {}
        self._said: dict[str, str] = {}
        self._shown: dict[str, float] = {}
        self._live = (
            Live(get_renderable=self._picture, console=self.console, refresh_per_second=LIVE_PER_SECOND, transient=True)
            if self.console.is_terminal
            else None
        )

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def note(self, text: str, style: str = "") -> None:
        """Print one line of the run itself."""
        self.console.print(Text(text, style=style), soft_wrap=True)

    def started(self, name: str) -> None:
        """Say that a stage starts."""
        self._running[name] = self._shown[name] = self._clock()
        if self._live is None:
            self.note(f"{name:<{NAME_WIDTH}} started")

    def said(self, name: str, line: str) -> None:
        """Pass on a line of a running stage."""
        words = line.strip().removeprefix(f"{name}: ").removeprefix(f"{name.partition('@')[0]}: ")
        self._said[name] = words
        if self._live is None and words and self._clock() - self._shown.get(name, 0.0) >= PLAIN_LINE_SECONDS:
            self._shown[name] = self._clock()
            self.note(f"{name:<{NAME_WIDTH}} {words}")

    def ended(self, name: str, run: StageRun) -> None:
        """Say what became of a stage, with its last words: all of them if it failed."""
        self._running.pop(name, None)
        line = Text(f"{name:<{NAME_WIDTH}} ")
        line.append(f"{run.outcome:<10}", style=STYLE[run.outcome])
        if run.seconds:
            line.append(f"{run.seconds:7.1f} s")
        if run.outcome in {Outcome.COMPLETED, Outcome.STOPPED}:
            line.append(f"   {self._said.get(name, '')}", style="dim")
        if run.outcome in {Outcome.SKIPPED, Outcome.WAITING}:
            line.append(run.tail, style="dim")
        self.console.print(line, soft_wrap=True)
        if run.outcome is Outcome.FAILED:
            for text in run.tail.splitlines():
                self.console.print(Text(f"    {text}", style="red"), soft_wrap=True)

    def _picture(self) -> Group:
        now = self._clock()
        width = max(20, self.console.width - NAME_WIDTH - 14)
        return Group(
            *(
                Text(f"{name:<{NAME_WIDTH}} {now - since:7.0f} s   {self._said.get(name, '')[:width]}", style="cyan")
                for name, since in list(self._running.items())
            )
        )
