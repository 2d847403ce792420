"""What a run prints where there is no terminal."""

import io

from rich.console import Console

from flows.run_display import PLAIN_LINE_SECONDS, RunDisplay
from flows.stage_outcome import StageOutcome, StageRun

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
