"""What Prefect shows of one stage while it runs: its lines in the task's log, how far it is; then its curves.

Prefect is told from a thread beside the one that reads the stage's output. Whatever its API does, slow or gone, the
stage goes on and the run does not fail.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import create_markdown_artifact, create_progress_artifact, update_progress_artifact

from flows.running.run_results import ORACLE_STAGE, cost_text
from flows.running.stage_outcome import UP_TO_DATE, StageOutcome, StageRun
from flows.running.stage_process import LOGS
from flows.server.stage_curves import curves_markdown
from flows.server.stage_log import StageLog
from flows.server.stage_progress import StageProgress

if TYPE_CHECKING:
    from flows.running.pipeline_run import PipelineRun

UPDATE_SECONDS = 5.0
END_SECONDS = 5.0
"""How long a stage that has ended waits for Prefect to take the last of it."""
LONGEST_LINE = 300


@contextmanager
def shown_in_prefect(name: str, run: "PipelineRun") -> Iterator[Callable[[str], None]]:
    """Show the stage that runs inside, in the present task; yields what takes each line that it writes."""
    shown = _ShownStage(name, run.options.root, run.pipeline.stages[name].outputs)
    thread = Thread(target=copy_context().run, args=(shown.show_until_ended,), name=f"shows {name}", daemon=True)
    thread.start()
    try:
        yield shown.wrote
    finally:
        shown.end(run.runs.get(name))
        thread.join(END_SECONDS)


class _ShownStage:
    def __init__(self, name: str, root: Path, outputs: tuple[str, ...]) -> None:
        self._name, self._root, self._outputs = name, root, outputs
        self._logger = get_run_logger()
        self._log = StageLog(lambda line: self._logger.info("%s", line), f"{LOGS}/{name}.log")
        self._progress = StageProgress()
        self._artifact: UUID | None = None
        self._shown: tuple[float, str] | None = None
        self._end: StageRun | None = None
        self._ended = Event()
        self._has_complained = False

    def wrote(self, line: str) -> None:
        self._log.wrote(line)
        self._progress.read(line)

    def end(self, run: StageRun | None) -> None:
        self._end = run
        self._log.catch_up()
        self._ended.set()

    def show_until_ended(self) -> None:
        while not self._ended.wait(UPDATE_SECONDS):
            self._log.catch_up()
            self._unless_prefect_fails(self._show_progress)
        self._unless_prefect_fails(self._show_progress)
        self._unless_prefect_fails(self._show_curves)

    def _show_progress(self) -> None:
        percent, description = self._progress.percent, self._description()
        if percent is None or (percent, description) == self._shown:
            return
        if self._end is not None and self._end.outcome in UP_TO_DATE:
            percent = 100.0
        if self._artifact is None:
            created = create_progress_artifact(percent, key=_key("progress", self._name), description=description)
            assert isinstance(created, UUID)
            self._artifact = created
        else:
            update_progress_artifact(self._artifact, percent, description=description)
        self._shown = percent, description

    def _show_curves(self) -> None:
        if self._end is None or self._end.outcome is not StageOutcome.COMPLETED:
            return
        if markdown := curves_markdown(self._root, self._outputs):
            create_markdown_artifact(markdown, key=_key("curves", self._name), description=f"Curves of {self._name}.")

    def _description(self) -> str:
        """The newest line as text that no reader of Markdown takes for more, and the cost."""
        parts = [f"{self._name} {self._end.outcome} after {self._end.seconds:.1f} s."] if self._end else []
        if self._name.startswith(ORACLE_STAGE) and self._progress.usd is not None:
            parts.append(f"{cost_text(self._root, self._progress.usd).capitalize()} so far.")
        return " ".join([*parts, as_code(self._progress.line[:LONGEST_LINE])])

    def _unless_prefect_fails(self, show: Callable[[], None]) -> None:
        try:
            show()
        except Exception as error:  # noqa: BLE001  whatever client and server do, the stage is not to fail
            if not self._has_complained:
                self._has_complained = True
                self._logger.warning("Prefect's page of %s is not up to date: %r", self._name, error)


def as_code(text: str) -> str:
    """`text` as Markdown that shows it letter by letter."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence} {' '.join(text.split())} {fence}" if text.strip() else ""


def _key(kind: str, stage: str) -> str:
    """An artifact's key, for which Prefect allows small letters, digits and dashes: `progress-grpo-full`."""
    return f"{kind}-{re.sub('[^a-z0-9]+', '-', stage.lower()).strip('-')}"
