"""`reasrm run` in a workspace: a process of its own under the supervisor, so that nothing of it outlives this one."""

import contextlib
import subprocess
import sys
from dataclasses import dataclass

from flows.running.stage_outcome import FlowError
from flows.running.stage_process import SUPERVISED
from flows.running.status import cancel
from flows.workspaces.workspace import Workspace
from reasrm.runtime.stage_main import ExitCode


@dataclass(frozen=True)
class RunLimits:
    """What a run may take."""

    jobs: int | None = None
    """Stages at once; None for one per processor core."""
    gpus_per_stage: int = 1
    budget_usd: float | None = None
    """As of `reasrm run`; None for what params.yaml says."""


def run_pipeline_in(workspace: Workspace, limits: RunLimits, *, quiet: bool) -> int:
    """Run a workspace up to its targets; returns the exit status.

    Args:
        workspace: brought up to date.
        limits: of the run.
        quiet: keep standard output free: what the run says goes to standard error.
    """
    command = [sys.executable, "-m", "reasrm.cli", "run", f"--gpus-per-stage={limits.gpus_per_stage}"]
    command += [f"--to={target}" for target in workspace.targets]
    command += [f"--jobs={limits.jobs}"] if limits.jobs is not None else []
    command += [f"--budget-usd={limits.budget_usd}"] if limits.budget_usd is not None else []
    process = subprocess.Popen(
        [*SUPERVISED, *command],
        cwd=workspace.root,
        stdin=subprocess.PIPE,
        stdout=sys.stderr.fileno() if quiet else None,
        start_new_session=True,
    )
    assert process.stdin is not None
    try:
        return process.wait()
    except KeyboardInterrupt:
        with contextlib.suppress(FlowError):
            cancel(workspace.root)
        return ExitCode.INTERRUPTED
    finally:
        process.stdin.close()
        process.wait()
