"""One stage as a flow run of its own, on the machine of a worker.

Deployed for each pool by prefect.yaml; `reasrm run --workers` submits it (`flows.workers.dispatch`).

The clone in which it runs must be of the same commit, with the same params.yaml and inputs; else it refuses. What the
stage needs is restored from the remote, then it runs under the supervisor, and what it made is pushed. So nothing of it
outlives this process, and whoever takes over after a kill starts from the same.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from filelock import FileLock, Timeout
from prefect import flow, get_run_logger
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed, Crashed, Failed

from flows.dvc_graph import read_pipeline, sort_lock_file
from flows.running.execution import interrupted_by_signals, interrupted_when
from flows.running.remote_store import require_remote, restore
from flows.running.stage_outcome import UP_TO_DATE, FlowError, StageOutcome, StageRun
from flows.running.stage_process import NOT_PUSHED_LINE, StageProcesses, run_stage, stage_environment
from flows.running.stage_slots import GPU, visible_gpus
from flows.server.flow_run import state_of
from flows.server.prefect_ui import task_state
from flows.workers.gpu_locks import hold_gpus
from flows.workers.paid_replies import require_shared_ledgers
from flows.workers.stage_request import StageRequest, describe, require_same_code, require_same_inputs
from reasrm.runtime.outputs import write_json

FLOW_NAME = "reasrm-stage"
REFUSED = "Refused"
"""The state of a flow run in a clone that is not of the run's code, settings or inputs."""
RESTORING = Path("work/locks/restoring.lock")

OnLine = Callable[[str], None]


@flow(name=FLOW_NAME)
def stage(request: StageRequest) -> State[Any]:
    """Run one stage in this worker's clone and hand its outputs over to the remote.

    It is ended when the run is cancelled. It is also ended when Prefect calls it Crashed, its heartbeats being lost:
    another worker has the stage then. Where it is ended by anything else, as a machine that shuts down, it has crashed.
    """
    log = get_run_logger()
    processes = StageProcesses()
    with get_client(sync_client=True) as client:
        ask = state_of(client, UUID(flow_run.id))
        with interrupted_by_signals(processes.end_all), interrupted_when(lambda: is_over(ask()), processes.end_all):
            state = _stage_state(request, processes, lambda line: log.info("%s", line))
        if processes.ending and not state.is_completed():
            prefects = ask()
            if prefects is None or not (prefects.is_cancelling() or prefects.is_cancelled()):
                return Crashed(message=f"its process was ended, and nobody cancelled it: {state.message}")
    return state


def is_over(state: State[Any] | None) -> bool:
    """Whether Prefect has ended, or is ending, the run of this stage; not, as far as is known, where it is silent."""
    return state is not None and (state.is_final() or state.is_cancelling())


def _stage_state(request: StageRequest, processes: StageProcesses, on_line: OnLine) -> State[Any]:
    """Carry the stage out; gives its state in Prefect."""
    try:
        done = carry_out(Path.cwd(), request, processes, on_line)
        value = describe(Path.cwd(), [request.stage])[request.stage].value if done.outcome in UP_TO_DATE else None
    except FlowError as error:
        if not processes.ending:
            return Failed(name=REFUSED, message=str(error))
        done, value = StageRun(StageOutcome.STOPPED, tail="it was ended before the stage began"), None
    if value is None:
        return task_state(request.stage, done)
    return Completed(name=done.outcome.value, message=made(done.seconds, value))


def made(seconds: float, value: str) -> str:
    """The message of a stage that is up to date and handed over: how long it took, and its entry in the run cache."""
    return f"{seconds:.1f} s; its entry in the run cache: {value}"


MADE = re.compile(r"^(?P<seconds>[\d.]+) s; its entry in the run cache: (?P<value>[0-9a-f]{64})$")
"""Reads it."""


def carry_out(root: Path, request: StageRequest, processes: StageProcesses, on_line: OnLine) -> StageRun:
    """Restore what the stage needs, run it, push it.

    Args:
        root: the clone.
        request: what is asked for.
        processes: where what runs can be ended.
        on_line: called with each line that the stage writes.

    Raises:
        FlowError: this clone is not of the run's code and settings, cannot have what the stage needs, or is ended
            before the stage begins.
    """
    require_same_code(root, request)
    require_shared_ledgers(root, [request.stage], for_worker=True)
    if not require_remote(root):
        raise FlowError(f"{root} has no default remote of DVC to hand outputs over: `dvc remote add -d NAME PLACE`")
    pipeline = read_pipeline(root)
    with _alone(root, processes):
        _restore(root, request.above, processes)
        require_same_inputs(root, request)
    gpus = visible_gpus() if pipeline.stages[request.stage].limit == GPU else ()
    options = ["--push", "--force" if request.force else "--pull"]
    with hold_gpus(root, gpus, request.gpus_per_stage, lambda: processes.ending) as held:
        environment = stage_environment(held, request.budget_usd)
        done = run_stage(request.stage, root, environment, processes, on_line, options)
    with _alone(root, processes):
        sort_lock_file(root, pipeline)
    if done.tail.startswith(NOT_PUSHED_LINE):
        return StageRun(StageOutcome.FAILED, done.seconds, done.tail)
    return done


def _restore(root: Path, above: dict[str, Any], processes: StageProcesses) -> None:
    """Have the outputs here that the run has of these stages, and no others.

    Raises:
        FlowError: the remote does not hold them, or fails.
    """
    if not above:
        return
    with TemporaryDirectory() as folder:
        entries = Path(folder, "entries.json")
        write_json(entries, above)
        done = restore(root, above, processes, ["--entries", str(entries)])
    if done is None or done.outcome is not StageOutcome.RESTORED:
        why = "the remote does not hold what the run's dvc.lock names" if done is None else done.tail
        raise FlowError(f"{root} cannot have all that the stage needs ({', '.join(above)}): {why}")


@contextmanager
def _alone(root: Path, processes: StageProcesses) -> Iterator[None]:
    """Hold the lock of a clone: several stages need the same, which one process at a time restores.

    Raises:
        FlowError: the stage is being ended while it waits.
    """
    (root / RESTORING).parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(root / RESTORING)
    while not lock.is_locked:
        with suppress(Timeout):
            lock.acquire(timeout=1.0)
        if processes.ending and not lock.is_locked:
            raise FlowError("ended while another stage of this clone was being prepared")
    try:
        yield
    finally:
        lock.release()
