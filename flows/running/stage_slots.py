"""How many stages run at once on this machine, which of them gets the next free place, and which GPUs it has.

A stage's thread, Prefect's or a plain one, asks here for a place once the stage's parents have ended. A thread pool of
as many workers as there are places would not do: a worker that waits for the parents of its task runs nothing meanwhile
(docs/decisions/008).
"""

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Condition
from typing import NamedTuple

from flows.dvc_graph import Pipeline

GPU = "gpu"
"""The value of `meta.limit` that marks the stages which use GPUs."""


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


def remaining_seconds(pipeline: Pipeline, names: set[str], seconds: Mapping[str, float]) -> dict[str, float]:
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


class Capacity(NamedTuple):
    """What may run at once."""

    jobs: int
    """Stages."""
    gpus: tuple[str, ...] = ()
    """CUDA devices, for the stages that use GPUs; without any, such a stage is like the others."""
    gpus_per_stage: int = 1


class StageSlots:
    """The places of one run; safe to use from several threads."""

    def __init__(
        self,
        capacity: Capacity,
        pipeline: Pipeline,
        urgency: Mapping[str, float],
        is_ready: Callable[[str], bool],
    ) -> None:
        """All places free.

        Args:
            capacity: what may run at once.
            pipeline: the stages and which of them use GPUs.
            urgency: of each stage that may run; of those that could start, the most urgent one does, in case of a tie
                the earlier in plan order.
            is_ready: whether the parents of a stage are up to date.
        """
        self._capacity = capacity
        self._uses_gpus = {name for name, stage in pipeline.stages.items() if stage.limit == GPU}
        self._is_ready = is_ready
        self._waiting = sorted((name for name in pipeline.stages if name in urgency), key=lambda name: -urgency[name])
        self._free_gpus = list(capacity.gpus)
        self._running = 0
        self._closed = False
        self._changed = Condition()

    @contextmanager
    def hold(self, name: str) -> Iterator[tuple[str, ...] | None]:
        """Wait for a place and hold it within the block; gives the GPUs, or None if the run is being ended.

        When a place is free, the most urgent stage that is ready gets it, even if another one asked first: stages below
        one that ended become ready together and ask in any order.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._next() == name)
            if self._closed:
                gpus: tuple[str, ...] | None = None
            else:
                self._waiting.remove(name)
                wanted = self._gpus_wanted(name)
                gpus, self._free_gpus = tuple(self._free_gpus[:wanted]), self._free_gpus[wanted:]
                self._running += 1
                self._changed.notify_all()
        if gpus is None:
            yield None
            return
        try:
            yield gpus
        finally:
            with self._changed:
                self._free_gpus += gpus
                self._running -= 1
                self._changed.notify_all()

    def withdraw(self, name: str) -> None:
        """Expect `name` no longer: it ended, or will not start."""
        with self._changed:
            if name in self._waiting:
                self._waiting.remove(name)
            self._changed.notify_all()

    def close(self) -> None:
        """Start no further stage; who waits gets None."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _next(self) -> str | None:
        """The stage that may start now."""
        if self._running >= self._capacity.jobs:
            return None
        fitting = (name for name in self._waiting if self._gpus_wanted(name) <= len(self._free_gpus))
        return next((name for name in fitting if self._is_ready(name)), None)

    def _gpus_wanted(self, name: str) -> int:
        capacity = self._capacity
        return min(capacity.gpus_per_stage, len(capacity.gpus)) if name in self._uses_gpus else 0
