"""What a run prints where there is no terminal."""

import io
import re

import pytest
from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.running.run_display import PLAIN_LINE_SECONDS, RunDisplay
from flows.running.stage_outcome import StageOutcome, StageRun
from flows.running.terminal_console import TerminalConsole
from tests.records.test_harmless_text import OBEYED

RAW = "{'loss': '0.54', 'grad_norm': '1.2', 'epoch': '0.11'}"


class Clock:
    """Seconds that only a test moves on."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def printed(*lines: str, verbose: bool = False) -> list[str]:
    """What is printed of lines that `grpo@full` writes, each long after the one before."""
    out, clock = io.StringIO(), Clock()
    with RunDisplay(Console(file=out, width=200, highlight=False), clock, verbose=verbose) as display:
        display.started("grpo@full")
        for line in lines:
            clock.now += PLAIN_LINE_SECONDS
            display.wrote("grpo@full", line)
        display.ended("grpo@full", StageRun(StageOutcome.COMPLETED, 12.0))
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


def test_a_line_stands_behind_its_stage_once_and_raw_metrics_not_at_all() -> None:
    assert printed("grpo-full: step 3/50, 9 s left", RAW) == [
        "grpo@full started",
        "grpo@full step 3/50, 9 s left",
        "grpo@full Completed 12.0 s step 3/50, 9 s left",
    ]


def test_verbose_shows_every_line() -> None:
    assert f"grpo@full {RAW}" in printed(RAW, verbose=True)


def test_the_last_lines_of_a_failed_stage_are_shown() -> None:
    out = io.StringIO()
    with RunDisplay(Console(file=out, width=200, highlight=False)) as display:
        display.ended("sft", StageRun(StageOutcome.FAILED, 1.0, "one\ntwo"))
    assert [line.strip() for line in out.getvalue().splitlines()[1:]] == ["one", "two"]


ODD = "".join(OBEYED.values()) + "[bold red]x[/bold red] [/] [link=http://x]y[/link] :smile:"


def test_what_stages_write_is_text_and_nothing_that_a_terminal_obeys() -> None:
    out, clock = io.StringIO(), Clock()
    with RunDisplay(TerminalConsole(out, width=2000), clock, verbose=True) as display:
        display.wrote("sft", ODD)
        for outcome in StageOutcome:
            display.ended("sft", StageRun(outcome, 1.0, f"one\n{ODD}"))
        display.note(f"Stopped: {ODD}")
    shown = out.getvalue()
    assert shown.replace("\n", "").isprintable()
    assert shown.count("[bold red]x[/bold red] [/] [link=http://x]y[/link] :smile:") >= len(StageOutcome)


def test_on_a_terminal_colours_are_ours_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    out = io.StringIO()
    table = Table(show_edge=False)
    table.add_column(f"why {ODD}", no_wrap=True)
    table.add_row(f"cell {ODD}")
    console = TerminalConsole(out, width=2000)
    console.print(table)
    console.print(Text(ODD, style="bold red"), ODD)
    shown = out.getvalue()
    assert "\x1b[1;31m" in shown
    assert re.sub(r"\x1b\[[0-9;]*m", "", shown).replace("\n", "").isprintable()
    assert not re.search(r"\x1b(?!\[[0-9;]*m)|\x1b\[31m", shown)
    assert shown.count("[link=http://x]y[/link]") == 4
