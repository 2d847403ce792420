"""One stage as a flow run of its own, on the machine of a worker.

Deployed for each pool by prefect.yaml; `reasrm run --workers` submits it (`flows.workers.dispatch`).

The clone in which it runs must be of the same commit, with the same params.yaml and inputs; else it refuses. What the
stage needs is restored from the remote, then it runs under the supervisor, and what it made is pushed. So nothing of it
outlives this process, and whoever takes over after a kill starts from the same.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock
from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Failed

from flows.dvc_graph import read_pipeline, sort_lock_file
from flows.running.remote_store import require_remote, restore
from flows.running.stage_outcome import FlowError, StageOutcome, StageRun
from flows.running.stage_process import NOT_PUSHED_LINE, StageProcesses, run_stage, stage_environment
from flows.running.stage_slots import GPU, visible_gpus
from flows.server.prefect_ui import task_state
from flows.workers.gpu_locks import hold_gpus
from flows.workers.stage_request import StageRequest, require_same_code, require_same_inputs

FLOW_NAME = "reasrm-stage"
REFUSED = "Refused"
"""The state of a flow run in a clone that is not of the run's code, settings or inputs."""
RESTORING = Path("work/locks/restoring.lock")

OnLine = Callable[[str], None]


@flow(name=FLOW_NAME)
def stage(request: StageRequest) -> State[Any]:
    """Run one stage in this worker's clone and hand its outputs over to the remote."""
    log = get_run_logger()
    processes = StageProcesses()
    try:
        with ended_by_signals(processes):
            done = carry_out(Path.cwd(), request, processes, lambda line: log.info("%s", line))
    except FlowError as error:
        if not processes.ending:
            return Failed(name=REFUSED, message=str(error))
        done = StageRun(StageOutcome.STOPPED, tail="it was ended before the stage began")
    return task_state(request.stage, done)


def carry_out(root: Path, request: StageRequest, processes: StageProcesses, on_line: OnLine) -> StageRun:
    """Restore what the stage needs, run it, push it.

    Args:
        root: the clone.
        request: what is asked for.
        processes: where what runs can be ended.
        on_line: called with each line that the stage writes.

    Raises:
        FlowError: this clone is not of the run's code and settings, or cannot have what the stage needs.
    """
    require_same_code(root, request)
    if not require_remote(root):
        raise FlowError(f"{root} has no default remote of DVC to hand outputs over: `dvc remote add -d NAME PLACE`")
    pipeline = read_pipeline(root)
    with _alone(root):
        _restore(root, request.above, processes)
        require_same_inputs(root, request)
    gpus = visible_gpus() if pipeline.stages[request.stage].limit == GPU else ()
    options = ["--push", "--force" if request.force else "--pull"]
    with hold_gpus(root, gpus, request.gpus_per_stage) as held:
        environment = stage_environment(held, request.budget_usd)
        done = run_stage(request.stage, root, environment, processes, on_line, options)
    with _alone(root):
        sort_lock_file(root, pipeline)
    if done.tail.startswith(NOT_PUSHED_LINE):
        return StageRun(StageOutcome.FAILED, done.seconds, done.tail)
    return done


@contextmanager
def ended_by_signals(processes: StageProcesses) -> Iterator[None]:
    """Let SIGTERM and SIGINT end what runs, instead of this process: the flow then ends by itself and says how."""

    def end(*_: object) -> None:
        processes.end_all()

    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _restore(root: Path, names: list[str], processes: StageProcesses) -> None:
    """Have the outputs of these stages here.

    Raises:
        FlowError: one of them would have to run, or the remote fails.
    """
    done = restore(root, names, processes) if names else None
    if names and (done is None or done.outcome is not StageOutcome.RESTORED):
        raise FlowError(
            f"{root} cannot have all that the stage needs ({', '.join(names)}): "
            f"{done.tail if done is not None else 'the remote does not hold what the run was made of'}"
        )


def _alone(root: Path) -> FileLock:
    """The lock of a clone, waited for: several stages need the same, which one process at a time restores."""
    (root / RESTORING).parent.mkdir(parents=True, exist_ok=True)
    return FileLock(root / RESTORING)
