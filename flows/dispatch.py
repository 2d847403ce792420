"""Which stage starts next: parents first, the longest remaining path first, no more at once than the machine holds."""

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from queue import SimpleQueue

from flows.graph import Pipeline
from flows.outcome import Outcome, StageRun

GPU = "gpu"
"""The limit whose slots are this machine's GPUs, where it has any."""

Start = Callable[[str, tuple[str, ...]], None]
"""Start a stage on the given GPUs (none on a machine without); its end must put its name on the queue."""
Finish = Callable[[str, StageRun], None]
"""Note a stage that cannot run in this run."""


def cpu_count() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def visible_gpus() -> tuple[str, ...]:
    """The CUDA devices that this process may use, as in `CUDA_VISIBLE_DEVICES`; asks `nvidia-smi`, not torch."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return tuple(device.strip() for device in chosen.split(",") if device.strip() not in {"", "-1"})
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False, timeout=20)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return ()
    return tuple(str(number) for number, line in enumerate(listed.stdout.splitlines()) if line.startswith("GPU "))


@dataclass
class Slots:
    """How much may run at once: stages in all, and GPUs for the stages limited by them."""

    jobs: int
    gpus: tuple[str, ...] = ()
    gpus_per_stage: int = 1
    _free: list[str] = field(init=False)
    _held: dict[str, tuple[str, ...]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """All free at the start."""
        self._free = list(self.gpus)

    def take(self, name: str, limit: str | None) -> tuple[str, ...] | None:
        """Give `name` a slot and the GPUs that its limit grants, or None if it must wait."""
        wanted = min(self.gpus_per_stage, len(self.gpus)) if limit == GPU else 0
        if len(self._held) >= self.jobs or len(self._free) < wanted:
            return None
        self._held[name], self._free = tuple(self._free[:wanted]), self._free[wanted:]
        return self._held[name]

    def release(self, name: str) -> None:
        """Take back what `name` had."""
        self._free += self._held.pop(name)


def urgency(pipeline: Pipeline, names: set[str], seconds: Mapping[str, float]) -> dict[str, float]:
    """For each stage the time from its start to the end of the longest path below it, by its last known durations.

    A stage that never ran counts as a typical one, so without any history the path of most stages is the longest.
    """
    known = sorted(seconds.values())
    typical = known[len(known) // 2] if known else 1.0
    found: dict[str, float] = {}
    for name in reversed(pipeline.stages):
        if name in names:
            below = max((found[child] for child in pipeline.children(name) if child in names), default=0.0)
            found[name] = seconds.get(name, typical) + below
    return found


@dataclass
class Dispatch:
    """One run over the stages in `waiting`; the caller starts stages and reports their ends."""

    pipeline: Pipeline
    waiting: set[str]
    slots: Slots
    order: Mapping[str, float]
    """Urgency by stage; the most urgent ready one starts first, in case of a tie the earlier in plan order."""
    runs: dict[str, StageRun] = field(default_factory=dict)

    def go(self, start: Start, finish: Finish, ended: "SimpleQueue[str]") -> None:
        """Start stages until none is left; returns when all that were started have ended."""
        running: set[str] = set()
        for name in list(self.runs):
            self._lose_below(name, finish)
        while self.waiting or running:
            for name, gpus in self.startable():
                running.add(name)
                start(name, gpus)
            if not running:
                break
            name = ended.get()
            running.discard(name)
            self.slots.release(name)
            self._lose_below(name, finish)

    def startable(self) -> list[tuple[str, tuple[str, ...]]]:
        """Take out of `waiting` all stages that may start now, with the GPUs that they get."""
        started = []
        for name in sorted(self.waiting, key=lambda one: (-self.order[one], list(self.pipeline.stages).index(one))):
            stage = self.pipeline.stages[name]
            if all(self._is_done(parent) for parent in stage.parents):
                gpus = self.slots.take(name, stage.limit)
                if gpus is not None:
                    started.append((name, gpus))
        self.waiting -= {name for name, _ in started}
        return started

    def _lose_below(self, name: str, finish: Finish) -> None:
        """Take out of `waiting` what cannot run since `name` failed (Skipped) or stopped (Waiting)."""
        outcome = self.runs[name].outcome
        if outcome not in {Outcome.FAILED, Outcome.STOPPED}:
            return
        verdict = Outcome.SKIPPED if outcome is Outcome.FAILED else Outcome.WAITING
        lost = self.pipeline.below([name]) & self.waiting
        self.waiting -= lost
        for below in self.pipeline.stages:
            if below in lost:
                self.runs[below] = StageRun(verdict, tail=f"below {name}")
                finish(below, self.runs[below])

    def _is_done(self, parent: str) -> bool:
        if parent in self.waiting:
            return False
        run = self.runs.get(parent)
        return run is not None and run.outcome in {Outcome.CACHED, Outcome.RESTORED, Outcome.COMPLETED}
