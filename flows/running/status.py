"""`reasrm status` and `reasrm cancel`: what is up to date, what the last run did, what runs now."""

import contextlib
import json
import os
import signal
import time
from pathlib import Path
from typing import Any, NamedTuple

from flows.dvc_graph import read_pipeline, read_status
from flows.running.pipeline_run import LAST_RUN, RUN_LOCK, RUNNING, dirty_stages
from flows.running.stage_outcome import FlowError
from reasrm.runtime.process_lock import holding_process

CANCEL_SECONDS = 60.0
KILLED = "Killed"
"""The last run was killed while the stage ran."""


class StageStatus(NamedTuple):
    """One stage, as the table shows it."""

    stage: str
    state: str
    """`up to date`, `out of date`, `below one that is`, or what it is doing now."""
    last_outcome: str
    last_seconds: float


def stage_statuses(root: Path) -> list[StageStatus]:
    """The state of each stage, in plan order; of a run that is under way, what it has done so far.

    Raises:
        FlowError: the pipeline or its state cannot be read.
    """
    pipeline = read_pipeline(root)
    last = _last_run(root)
    if running_process(root) is not None:
        states = {name: last.get(name, {}).get("outcome", "not yet") for name in pipeline.stages}
    else:
        status = read_status(root)
        below = dirty_stages(pipeline, set(status))
        states = {
            name: "out of date" if name in status else "below one that is" if name in below else "up to date"
            for name in pipeline.stages
        }
        for row in last.values():
            row["outcome"] = KILLED if row["outcome"] == RUNNING else row["outcome"]
    return [
        StageStatus(name, states[name], last.get(name, {}).get("outcome", ""), last.get(name, {}).get("seconds", 0.0))
        for name in pipeline.stages
    ]


def running_process(root: Path) -> int | None:
    """The process that runs the pipeline in this checkout now, if one does."""
    return holding_process(root / RUN_LOCK)


def cancel(root: Path) -> str:
    """End the run in this checkout with all its stages; everything is kept, the same command goes on from there.

    Raises:
        FlowError: none runs, or it does not end.
    """
    process = running_process(root)
    if process is None:
        raise FlowError(f"no run of the pipeline is alive in {root}")
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM)
    deadline = time.monotonic() + CANCEL_SECONDS
    while time.monotonic() < deadline:
        if running_process(root) is None:
            return f"ended process {process}; `reasrm run` goes on from there"
        time.sleep(0.1)
    raise FlowError(f"process {process} has not ended after {CANCEL_SECONDS:.0f} s; `kill -9 {process}` is safe")


def _last_run(root: Path) -> dict[str, dict[str, Any]]:
    path = root / LAST_RUN
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
