"""One run of the pipeline, before and beside Prefect: what is out of date, what to run, what became of it.

`prepare` decides (the fingerprints first, since they say what changed), `Execution` holds the run's state; the Prefect
flow in `pipeline.py` only carries it out.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from flows.dispatch import Slots, cpu_count, urgency, visible_gpus
from flows.environment import stage_environment
from flows.graph import FINGERPRINT, Pipeline, Status, read_pipeline, read_status
from flows.lockfile import sort_lock
from flows.outcome import BusyError, Outcome, StageRun, UsageError
from flows.stage_run import Supervised, run_stage
from flows.view import RunView

RUN_LOCK = Path("work/locks/flow.lock")
LAST_RUN = Path("work/runs/last.json")
DURATIONS = Path("work/runs/seconds.json")
RUNNING = "Running"

_handed_over: list["Execution"] = []


@dataclass(frozen=True)
class RunOptions:
    """What to run and how; the same for the command and for a deployment."""

    root: Path
    """The project's folder."""
    to: tuple[str, ...] = ()
    """Only these stages with everything that they need; empty for all."""
    force: tuple[str, ...] = ()
    """Run these even if nothing changed."""
    jobs: int | None = None
    """Stages at once; None for one per processor core."""
    gpus_per_stage: int = 1
    """GPUs that a stage limited by `gpu` gets, on a machine that has some."""
    budget_usd: float | None = None
    """What the present questions may cost at the oracle in all runs, in US dollars; None for what params.yaml says."""


@dataclass
class Execution:
    """The state of one run."""

    options: RunOptions
    pipeline: Pipeline
    selected: set[str]
    """The stages that the options ask for."""
    dirty: set[str]
    """Those of them that may have to run: out of date, forced, or below such a one."""
    view: RunView
    supervised: Supervised
    runs: dict[str, StageRun] = field(default_factory=dict)
    interrupted: bool = False
    """Ctrl-C or `reasrm cancel` ended it."""
    _running: set[str] = field(default_factory=set)
    _telling: Lock = field(default_factory=Lock)

    def run(self, name: str, gpus: tuple[str, ...] = ()) -> StageRun:
        """Bring one stage up to date and show it."""
        self.view.started(name)
        self._tell(running=name)
        run = run_stage(
            name,
            self.options.root,
            stage_environment(gpus, self.options.budget_usd),
            self.supervised,
            lambda line: self.view.said(name, line),
            force=name in self.pipeline.named(self.options.force),
        )
        self.note(name, run)
        return run

    def note(self, name: str, run: StageRun) -> None:
        """Record and show an outcome."""
        self.runs[name] = run
        self._tell(ended=name)
        self.view.ended(name, run)

    def slots(self) -> Slots:
        """What this machine holds at once."""
        return Slots(self.options.jobs or cpu_count(), visible_gpus(), self.options.gpus_per_stage)

    def order(self) -> dict[str, float]:
        """Urgency of each stage that may run."""
        return urgency(self.pipeline, self.dirty, _read_json(self.options.root / DURATIONS))

    def finish(self) -> None:
        """Bring dvc.lock into plan order and write down the outcomes, in plan order, and the durations."""
        for name in self.selected - self.runs.keys():
            undecided = name in self.dirty
            self.runs[name] = StageRun(Outcome.WAITING if undecided else Outcome.CACHED)
        self.runs = {name: self.runs[name] for name in self.pipeline.stages if name in self.runs}
        if any(run.outcome not in {Outcome.CACHED, Outcome.WAITING} for run in self.runs.values()):
            sort_lock(self.options.root, self.pipeline)
        completed = {name: run.seconds for name, run in self.runs.items() if run.outcome is Outcome.COMPLETED}
        _write_json(self.options.root / DURATIONS, _read_json(self.options.root / DURATIONS) | completed)
        self._tell()

    def _tell(self, running: str = "", ended: str = "") -> None:
        """Write down how far the run is, for `reasrm status`."""
        with self._telling:
            self._running = (self._running | {running}) - {ended, ""}
            rows = {name: {"outcome": RUNNING, "seconds": 0.0} for name in sorted(self._running)}
            for name, run in list(self.runs.items()):
                rows[name] = {"outcome": run.outcome, "seconds": round(run.seconds, 1)}
            _write_json(self.options.root / LAST_RUN, rows)


def prepare(options: RunOptions, view: RunView, supervised: Supervised | None = None) -> Execution:
    """Decide what may have to run; runs the `fingerprint` stage first if it is out of date (under a second).

    Raises:
        UsageError: an option names a stage that does not exist.
        FlowError: the pipeline cannot be read.
    """
    pipeline = read_pipeline(options.root)
    selected = pipeline.above(pipeline.named(options.to)) if options.to else set(pipeline.stages)
    forced = pipeline.named(options.force)
    if not forced <= selected:
        raise UsageError(
            f"--force {', '.join(sorted(forced - selected))} is not needed for --to {', '.join(options.to)}"
        )
    execution = Execution(options, pipeline, selected, set(), view, supervised or Supervised())
    status = read_status(options.root)
    if FINGERPRINT in selected and (FINGERPRINT in status or FINGERPRINT in forced):
        if execution.run(FINGERPRINT).outcome in {Outcome.FAILED, Outcome.STOPPED}:
            execution.dirty = selected - {FINGERPRINT}
            return execution
        status = read_status(options.root)
    execution.dirty = dirty_stages(pipeline, status, forced - execution.runs.keys()) & selected
    return execution


def hand_over(execution: Execution) -> None:
    """Leave the run that `reasrm run` prepared for the flow that carries it out in this process."""
    _handed_over.append(execution)


def handed_over() -> Execution | None:
    """Take the run that was left, if there is one: a flow that a schedule started finds none and prepares its own."""
    return _handed_over.pop() if _handed_over else None


def dirty_stages(pipeline: Pipeline, status: Status, forced: set[str]) -> set[str]:
    """What may have to run: DVC's status is local to each stage, so everything below may change too."""
    return pipeline.below({name for name in pipeline.stages if name in status} | forced)


@contextmanager
def only_flow(root: Path) -> Iterator[None]:
    """Refuse a second run of the pipeline in the same checkout; the lock file holds this process's id.

    Raises:
        BusyError: there is one.
    """
    import fcntl

    path = root / RUN_LOCK
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise BusyError(
                f"another run of the pipeline is alive in {root} (process {lock.read().strip() or '?'}): wait for it, "
                f"or end it with `reasrm cancel`"
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
        lock.truncate(0)


def _read_json(path: Path) -> dict[str, float]:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def _write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)
