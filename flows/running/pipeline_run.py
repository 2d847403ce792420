"""One run of the pipeline, with or without Prefect: what is out of date and why, what became of each stage.

`prepare` decides, after the fingerprints, since they say what changed; `PipelineRun` holds the run's state.
`execution.py` carries it out.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from flows.dvc_graph import FINGERPRINT, DvcStatus, Pipeline, Stage, read_pipeline, read_status, sort_lock_file
from flows.planning.rerun_reasons import FINGERPRINTS, forecasts, reasons_by_stage, reasons_text, with_forced
from flows.running.remote_store import push_rest, require_remote
from flows.running.run_display import RunDisplay
from flows.running.stage_outcome import (
    UNTOUCHED,
    UP_TO_DATE,
    BusyError,
    FlowError,
    PipelineError,
    StageOutcome,
    StageRun,
    UsageError,
    run_below,
)
from flows.running.stage_process import OnLine, StageProcesses, run_stage, stage_environment, unless_full
from flows.running.stage_slots import Capacity, StageSlots, cpu_count, remaining_seconds, visible_gpus
from flows.settings.check import refuse, wrong_settings
from reasrm.pretrained.model_names import way_to
from reasrm.runtime.kept_folders import require_kept_folders
from reasrm.runtime.outputs import write_json
from reasrm.runtime.process_lock import LockHeldError, hold

RUN_LOCK = Path("work/locks/flow.lock")
LAST_RUN = Path("work/runs/last.json")
DURATIONS = Path("work/runs/seconds.json")
RUNNING = "Running"


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
    pull: bool = True
    """Take from DVC's default remote what it holds, before anything runs; without a remote there is nothing to take."""
    push: bool = False
    """Hand over to it what has run, each stage at its end and what is left at the end of the run."""
    workers: bool = False
    """Let the workers of Prefect's work pools run the stages, each in a clone of its own (`flows.workers`)."""


@dataclass
class PipelineRun:
    """The state of one run; `slots` and `run` may be used from several threads."""

    options: RunOptions
    pipeline: Pipeline
    selected: set[str]
    """The stages that the options ask for."""
    forced: set[str]
    """Those of them that run even if nothing changed."""
    status: DvcStatus
    """What DVC found out of date before the run."""
    display: RunDisplay
    processes: StageProcesses = field(default_factory=StageProcesses)
    pushing: StageProcesses = field(default_factory=StageProcesses)
    """What hands over at the end, when those of the stages have ended."""
    dirty: set[str] = field(default_factory=set)
    """The selected stages that may have to run: out of date, forced, or below such a one."""
    reasons: dict[str, str] = field(default_factory=dict)
    """Why each of them may have to."""
    runs: dict[str, StageRun] = field(default_factory=dict)
    """What became of the stages so far."""
    interrupted: bool = False
    """Ctrl-C, `reasrm cancel` or Prefect ended it."""
    not_pushed: str = ""
    """Why the remote lacks something at the end, although it was to have all."""
    _pulls: bool = False
    """Whether there is a remote that is looked at before a stage runs."""
    _running: set[str] = field(default_factory=set)
    _recording: Lock = field(default_factory=Lock)

    def is_untouched(self) -> bool:
        """Whether no stage has run or been restored so far."""
        return all(one == UNTOUCHED for one in self.runs.values())

    def update_fingerprints(self) -> None:
        """Run the `fingerprint` stage if it is out of date (about a second), then decide what may have to run.

        Raises:
            FlowError: the state of the pipeline cannot be read, or the remote cannot.
        """
        if (self.options.pull and (self.status.keys() & self.selected or self.forced)) or self.options.push:
            remote = require_remote(self.options.root)
            if self.options.push and not remote:
                raise UsageError("--push needs a default remote of DVC: `dvc remote add -d NAME PLACE`, and commit it")
            self._pulls = self.options.pull and bool(remote)
        if FINGERPRINT in self.selected and (FINGERPRINT in self.status or FINGERPRINT in self.forced):
            self._find_reasons()
            if self.run(FINGERPRINT).outcome not in UP_TO_DATE:
                self.dirty = self.selected - {FINGERPRINT}
                return
            self.status = read_status(self.options.root)
        changed = self.status.keys() | (self.forced - self.runs.keys())
        self.dirty = dirty_stages(self.pipeline, changed) & self.selected
        if self.dirty:
            self._find_reasons()
        for name in self.selected - self.dirty - self.runs.keys():
            self.runs[name] = UNTOUCHED

    def slots(self) -> StageSlots:
        """The places of this machine for the stages that may run, the longest remaining path first."""
        options = self.options
        capacity = Capacity(options.jobs or cpu_count(), visible_gpus(), options.gpus_per_stage)
        urgency = remaining_seconds(self.pipeline, self.dirty, _read_durations(options.root))
        return StageSlots(capacity, self.pipeline, urgency, self.is_ready)

    def is_ready(self, name: str) -> bool:
        """Whether all parents of a stage are up to date."""
        parents = self.pipeline.stages[name].parents
        return all(parent in self.runs and self.runs[parent].outcome in UP_TO_DATE for parent in parents)

    def kept_from_running(self, name: str) -> StageRun | None:
        """What becomes of a stage whose parents are not all up to date; None if they are."""
        parents = self.pipeline.stages[name].parents
        return run_below((parent, self.runs[parent]) for parent in parents if parent in self.runs)

    def run(
        self,
        name: str,
        gpus: tuple[str, ...] = (),
        on_line: Callable[[str], None] | None = None,
        elsewhere: "Elsewhere | None" = None,
    ) -> StageRun:
        """Bring one stage up to date and show it.

        Args:
            name: the stage.
            gpus: those that it may use.
            on_line: gets each line that it writes.
            elsewhere: who brings it up to date in place of this machine.
        """
        self.display.started(name)
        self._record(running=name)

        def pass_on(line: str) -> None:
            self.display.wrote(name, line)
            if on_line is not None:
                on_line(line)

        if elsewhere is not None:
            stage_run = elsewhere(self, name, pass_on)
        else:
            environment = stage_environment(gpus, self.options.budget_usd)
            options = self._ways_of_reproduction(name)
            stage_run = run_stage(name, self.options.root, environment, self.processes, pass_on, options)
        self.note(name, stage_run)
        return stage_run

    def note(self, name: str, stage_run: StageRun) -> None:
        """Record and show an outcome; what did not start because the run is being ended is not shown."""
        self.runs[name] = stage_run
        self._record(ended=name)
        if not (self.processes.ending and stage_run.outcome is StageOutcome.WAITING):
            self.display.ended(name, stage_run)

    def finish(self) -> None:
        """Bring dvc.lock into plan order and write down the outcomes, in plan order, and the durations."""
        for name in self.selected - self.runs.keys():
            self.runs[name] = StageRun(StageOutcome.WAITING)
        self.runs = {name: self.runs[name] for name in self.pipeline.stages if name in self.runs}
        if self.options.push and not self.interrupted:
            made = [name for name, one in self.runs.items() if one.outcome in UP_TO_DATE]
            self.not_pushed = push_rest(self.options.root, made, self.pushing)
        completed = {name: run.seconds for name, run in self.runs.items() if run.outcome is StageOutcome.COMPLETED}
        with unless_full():
            if any(run.outcome not in {StageOutcome.CACHED, StageOutcome.WAITING} for run in self.runs.values()):
                sort_lock_file(self.options.root, self.pipeline)
            write_json(self.options.root / DURATIONS, _read_durations(self.options.root) | completed)
        self._record()

    def _ways_of_reproduction(self, name: str) -> list[str]:
        """The options of `reproduce.py` for a stage."""
        ways = {"--force": name in self.forced, "--pull": self._pulls, "--push": self.options.push}
        return [option for option, wanted in ways.items() if wanted]

    def _find_reasons(self) -> None:
        root, pipeline = self.options.root, self.pipeline
        own = with_forced(reasons_by_stage(root, pipeline, self.status, root / FINGERPRINTS), self.forced)
        self.reasons |= {one.stage: reasons_text(one.reasons) for one in forecasts(pipeline, own) if one.reasons}

    def _record(self, running: str = "", ended: str = "") -> None:
        """Write down how far the run is, for `reasrm status`; a full disk does not end the run here."""
        with self._recording:
            self._running = (self._running | {running}) - {ended, ""}
            rows = {name: {"outcome": RUNNING, "seconds": 0.0} for name in sorted(self._running)}
            for name, run in list(self.runs.items()):
                rows[name] = {"outcome": run.outcome, "seconds": round(run.seconds, 1)}
            with unless_full():
                write_json(self.options.root / LAST_RUN, rows)


Elsewhere = Callable[[PipelineRun, str, OnLine], StageRun]
"""Brings a stage up to date on another machine, its outputs here included; gets what there is to say."""


def prepare(options: RunOptions, display: RunDisplay) -> PipelineRun:
    """Read the pipeline and its state; `update_fingerprints` then decides what may have to run.

    Raises:
        UsageError: an option names a stage that does not exist.
        FlowError: the pipeline cannot be read or lacks an input, or settings are wrong, which are printed.
        KeptFolderError: the environment names a folder by a relative path.
    """
    require_kept_folders(options.root)
    with ThreadPoolExecutor(1) as beside:
        wrong = beside.submit(wrong_settings, options.root)
        try:
            pipeline = read_pipeline(options.root)
        except PipelineError:
            refuse(wrong.result(), None)
            raise
        selected = pipeline.above(pipeline.matching(options.to)) if options.to else set(pipeline.stages)
        refuse(wrong.result(), selected)
    if options.workers and (options.jobs is not None or not options.pull):
        raise UsageError("--jobs and --no-pull say nothing to --workers: a worker has its --limit, and the remote")
    forced = pipeline.matching(options.force)
    if not forced <= selected:
        raise UsageError(
            f"--force {', '.join(sorted(forced - selected))} is not needed for --to {', '.join(options.to)}"
        )
    _require_inputs(options.root, [pipeline.stages[name] for name in pipeline.stages if name in selected])
    return PipelineRun(options, pipeline, selected, forced, read_status(options.root), display)


def _require_inputs(root: Path, stages: Iterable[Stage]) -> None:
    """Do nothing if all that no stage makes is there: DVC removes a stage's outputs before it looks for its inputs.

    Raises:
        FlowError: something is not there.
    """
    for stage in stages:
        for name in stage.inputs:
            if not (root / name).exists():
                way_out = way_to(Path(name)) or "put it there"
                raise FlowError(
                    f"{name} is not there, and {stage.name} reads it: {way_out}, or name another in params.yaml"
                )


def dirty_stages(pipeline: Pipeline, changed: set[str]) -> set[str]:
    """What may have to run: DVC's status is local to each stage, so everything below may change too."""
    return pipeline.below(name for name in pipeline.stages if name in changed)


@contextmanager
def only_run(root: Path) -> Iterator[None]:
    """Refuse a second run of the pipeline in the same checkout.

    Raises:
        BusyError: there is one.
    """
    try:
        with hold(root / RUN_LOCK):
            yield
    except LockHeldError as error:
        raise BusyError(
            f"another run of the pipeline is alive in {root} (process {error.process or '?'}): wait for it, or end it "
            f"with `reasrm cancel`"
        ) from error


def _read_durations(root: Path) -> dict[str, float]:
    path = root / DURATIONS
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}
