"""What a run shows: one line per start and end of a stage, and the last line of each running one.

On a terminal the running stages stand below with their last line, rewritten in place. Elsewhere there are plain lines,
and one of a running stage's own at most twice a minute. A trainer's raw metrics are left out unless all is to be shown;
`work/logs/<stage>.log` has every line.
"""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from flows.running.stage_outcome import StageOutcome, StageRun
from flows.running.stage_process import RAW_METRICS
from flows.running.terminal_console import TerminalConsole
from reasrm.records.harmless_text import harmless

PLAIN_LINE_SECONDS = 30.0
LIVE_PER_SECOND = 4
NAME_WIDTH = 22

STYLE = {
    StageOutcome.CACHED: "green",
    StageOutcome.RESTORED: "green",
    StageOutcome.COMPLETED: "bold green",
    StageOutcome.FAILED: "bold red",
    StageOutcome.STOPPED: "bold yellow",
    StageOutcome.SKIPPED: "yellow",
    StageOutcome.WAITING: "yellow",
}


class RunDisplay:
    """The lines of one run; all methods may be called from several threads."""

    def __init__(
        self,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        verbose: bool = False,
    ) -> None:
        """Write to `console` (default: standard output); `clock` gives seconds; `verbose` shows each line of stages."""
        self.console = console or TerminalConsole()
        self._clock = clock
        self._verbose = verbose
        self._running: dict[str, float] = {}
        self._last_line: dict[str, str] = {}
        self._shown: dict[str, float] = {}
        self._live = (
            Live(
                get_renderable=self._running_stages,
                console=self.console,
                refresh_per_second=LIVE_PER_SECOND,
                transient=True,
            )
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
        self.console.print(Text(harmless(text), style=style), soft_wrap=True)

    def started(self, name: str) -> None:
        """Say that a stage starts."""
        self._running[name] = self._shown[name] = self._clock()
        if self._live is None:
            self.note(f"{name:<{NAME_WIDTH}} started")

    def wrote(self, name: str, line: str) -> None:
        """Pass on a line that a running stage wrote."""
        text = harmless(line.strip())
        for own_name in (name, name.replace("@", "-"), name.partition("@")[0]):
            text = text.removeprefix(f"{own_name}: ")
        if self._verbose:
            self.note(f"{name:<{NAME_WIDTH}} {text}", "dim")
        elif not text or RAW_METRICS.match(text):
            return
        self._last_line[name] = text
        is_due = self._clock() - self._shown.get(name, 0.0) >= PLAIN_LINE_SECONDS
        if self._live is None and not self._verbose and is_due:
            self._shown[name] = self._clock()
            self.note(f"{name:<{NAME_WIDTH}} {text}")

    def ended(self, name: str, run: StageRun) -> None:
        """Say what became of a stage, with its last line, or its last lines if it failed."""
        self._running.pop(name, None)
        line = Text(f"{name:<{NAME_WIDTH}} ")
        line.append(f"{run.outcome:<10}", style=STYLE[run.outcome])
        if run.seconds:
            line.append(f"{run.seconds:7.1f} s")
        if run.outcome in {StageOutcome.COMPLETED, StageOutcome.STOPPED}:
            line.append(f"   {self._last_line.get(name, '')}", style="dim")
        if run.outcome in {StageOutcome.SKIPPED, StageOutcome.WAITING}:
            line.append(harmless(run.tail), style="dim")
        self.console.print(line, soft_wrap=True)
        if run.outcome is StageOutcome.FAILED:
            for text in run.tail.splitlines():
                self.note(f"    {text}", "red")

    def _running_stages(self) -> Group:
        now = self._clock()
        width = max(20, self.console.width - NAME_WIDTH - 14)
        return Group(
            *(
                Text(
                    f"{name:<{NAME_WIDTH}} {now - since:7.0f} s   {self._last_line.get(name, '')[:width]}", style="cyan"
                )
                for name, since in list(self._running.items())
            )
        )
