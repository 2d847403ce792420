"""Stages of a run on other machines: submitted to Prefect's work pools, followed, taken over, and restored here.

A stage that the remote holds is restored without asking anybody. Another goes to the pool that its `meta.limit` names,
as a run of the deployment `reasrm-stage/POOL`; a worker of that pool runs it in its own clone and pushes what it made
(`flows.workers.stage_flow`). The result is taken by DVC's run cache and by nothing else: what cannot be restored here
from these inputs was not made from them. A flow run whose machine died is Crashed by the automation of
`flows/automations`, and is submitted again; one that a killed run had submitted is followed.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import TERMINAL_STATES, FlowRun, State, StateType
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound, PrefectException
from prefect.states import Cancelled, Cancelling, Crashed

from flows.running.remote_store import push_rest, require_remote, restore
from flows.running.stage_outcome import UP_TO_DATE, FlowError, StageOutcome, StageRun
from flows.workers.stage_flow import FLOW_NAME, MADE
from flows.workers.stage_request import StageRequest, git_commit, stage_request

if TYPE_CHECKING:
    from flows.running.pipeline_run import PipelineRun

POOL = "cpu"
"""The pool of stages without `meta.limit`."""
POLL_SECONDS = 1.0
NOBODY_SECONDS = 30.0
"""After so long without a worker it is said."""
CANCEL_SECONDS = 30.0
"""So long a worker has to end a stage that is cancelled; it may be gone, or the server."""
START_SECONDS = 600.0
"""So long a worker has to start a stage that it has taken; an image may have to be fetched."""
MOST_CRASHES = 3
"""A stage that has taken so many workers with it is not submitted again."""
ONLINE = "ONLINE"
AUTOMATION, AUTOMATION_FILE = "Dead flows are Crashed", "flows/automations/dead-flows-are-crashed.yaml"

OnLine = Callable[[str], None]


def pool_of(limit: str | None) -> str:
    """The work pool of a stage with this `meta.limit`."""
    return limit or POOL


def require_pools(root: Path, limits: set[str | None]) -> None:
    """Do nothing if stages can be handed to workers and taken back.

    Raises:
        FlowError: there is no remote, no commit, no deployment for a pool, or no automation; says what to do.
    """
    if not require_remote(root):
        raise FlowError("workers hand over through DVC's default remote: `dvc remote add -d NAME PLACE`, and commit it")
    git_commit(root)
    with get_client(sync_client=True) as client:
        for pool in sorted({pool_of(limit) for limit in limits}):
            try:
                client.read_deployment_by_name(f"{FLOW_NAME}/{pool}")
            except ObjectNotFound as error:
                raise FlowError(
                    f"the server has no deployment {FLOW_NAME}/{pool}: `prefect work-pool create {pool} --type "
                    f"process`, then `prefect --no-prompt deploy --name {pool}` in the project's folder with "
                    f"REASRM_ROOT unset"
                ) from error
        if not client.read_automations_by_name(AUTOMATION):
            raise FlowError(
                f"the server has no automation `{AUTOMATION}`, so a machine that dies would be waited for for ever: "
                f"`prefect automation create --from-file {AUTOMATION_FILE}`"
            )


def hand_over_what_is_here(run: "PipelineRun") -> None:
    """Have in the remote what is up to date in this checkout already, since workers read it.

    Raises:
        FlowError: it cannot be handed over.
    """
    here = [name for name, one in run.runs.items() if one.outcome in UP_TO_DATE]
    if here and (reason := push_rest(run.options.root, here, run.processes)) and not run.processes.ending:
        raise FlowError(f"what is here cannot be handed over to DVC's remote, where workers look for it: {reason}")


def run_on_worker(run: "PipelineRun", name: str, on_line: OnLine) -> StageRun:
    """Have a stage's outputs here: from the remote, or made by a worker; returns what became of it.

    Args:
        run: the run; its processes say when it is being ended.
        name: the stage, whose parents are all here.
        on_line: called with what there is to say meanwhile.
    """
    try:
        kept = None if name in run.forced else restore(run.options.root, [name], run.processes, ["--push"])
        return kept or _made_by_worker(run, name, on_line)
    except (FlowError, PrefectException, httpx.HTTPError) as error:
        return StageRun(StageOutcome.FAILED, tail=f"{type(error).__name__}: {error}")


def _made_by_worker(run: "PipelineRun", name: str, on_line: OnLine) -> StageRun:
    """Let a worker make a stage, again if its machine dies, and take just what it has made."""
    options = run.options
    request = stage_request(
        options.root,
        run.pipeline,
        name,
        force=name in run.forced,
        gpus_per_stage=options.gpus_per_stage,
        budget_usd=options.budget_usd,
    )
    pool = pool_of(run.pipeline.stages[name].limit)
    for attempt in range(1, MOST_CRASHES + 1):
        state = _carried_out(run, pool, request, on_line)
        if not state.is_crashed() or run.processes.ending:
            break
        again = "submitted again" if attempt < MOST_CRASHES else "given up"
        run.display.note(f"{name}: its worker is gone ({state.message}); {again}", "bold yellow")
    if run.processes.ending or state.is_cancelled():
        return StageRun(StageOutcome.STOPPED, tail=state.message or "")
    made = MADE.match(state.message or "")
    if not state.is_completed() or made is None:
        return StageRun(StageOutcome.FAILED, tail=f"pool {pool}: {state.name}: {state.message}")
    taken = restore(options.root, [name], run.processes, ["--take", made["value"]])
    if taken is None:
        return StageRun(
            StageOutcome.FAILED,
            tail=f"a worker of pool {pool} has made it, and the remote does not hold that: both clones need the same "
            f"remote (`dvc remote list`)",
        )
    ran = taken.outcome is StageOutcome.RESTORED and state.name == StageOutcome.COMPLETED.value
    return StageRun(StageOutcome.COMPLETED if ran else taken.outcome, float(made["seconds"]), taken.tail)


def _carried_out(run: "PipelineRun", pool: str, request: StageRequest, on_line: OnLine) -> State[Any]:
    """Wait for the end of a stage's flow run, submitted now or by a run that is gone; ends it when this one ends."""
    told = ""
    start = time.monotonic()
    since: dict[StateType | None, float] = {}
    with get_client(sync_client=True) as client:
        flow_run = _submitted_before(client, request) or _submit(pool, request)
        while True:
            kind = None
            with suppress(httpx.HTTPError):  # a server that is being started again is asked again
                state = client.read_flow_run(flow_run).state
                assert state is not None
                kind = state.type
                if overdue := _overdue(pool, kind, time.monotonic() - since.get(kind, time.monotonic())):
                    client.set_flow_run_state(flow_run, overdue, force=True)
                    return overdue
                if state.is_final():
                    return state
                if run.processes.ending and not state.is_cancelling():
                    client.set_flow_run_state(flow_run, Cancelling())
                saying = _waiting_for(client, pool, state, time.monotonic() - start)
                if saying != told:
                    on_line(saying)
                    told = saying
            since = {kind: since.get(kind, time.monotonic())}
            if kind is None and run.processes.ending and time.monotonic() - since[None] > CANCEL_SECONDS:
                return Cancelled(message="Prefect's server is away; its worker may still run it")
            time.sleep(POLL_SECONDS)


def _overdue(pool: str, kind: StateType, seconds: float) -> State[Any] | None:
    """How a flow run ends that has been in a state of this kind for longer than a worker needs; else None."""
    if kind is StateType.CANCELLING and seconds > CANCEL_SECONDS:
        return Cancelled(message=f"no worker of pool {pool} has ended it in {CANCEL_SECONDS:.0f} s: it may be gone")
    if kind is StateType.PENDING and seconds > START_SECONDS:
        return Crashed(message=f"a worker of pool {pool} has taken it and not started it in {START_SECONDS:.0f} s")
    return None


def _submit(pool: str, request: StageRequest) -> UUID:
    """Submit a stage to a pool; returns its flow run."""
    submitted: FlowRun = run_deployment(  # type: ignore[assignment]
        f"{FLOW_NAME}/{pool}",
        parameters={"request": request.model_dump(mode="json")},
        flow_run_name=f"{request.stage} · {pool}",
        idempotency_key=str(uuid4()),  # the client sends once more what a server that ended has perhaps taken
        timeout=0,
        tags=_tags(request),
    )
    return submitted.id


def _submitted_before(client: SyncPrefectClient, request: StageRequest) -> UUID | None:
    """The flow run of the same request that has not ended: its parent may have been killed."""
    found = client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            tags=FlowRunFilterTags(all_=_tags(request)),
            state=FlowRunFilterState(type=FlowRunFilterStateType(not_any_=[*TERMINAL_STATES, StateType.CANCELLING])),
        ),
        limit=1,
    )
    return found[0].id if found else None


def _tags(request: StageRequest) -> list[str]:
    options = f"options:force={request.force} gpus={request.gpus_per_stage} budget={request.budget_usd}"
    return [f"stage:{request.stage}", f"commit:{request.commit[:10]}", f"inputs:{request.key[:16]}", options]


def _waiting_for(client: SyncPrefectClient, pool: str, state: State[Any], seconds: float) -> str:
    """What a submitted stage is doing, in words."""
    if state.is_running() or seconds < NOBODY_SECONDS:
        return f"{state.name.lower() if state.name else 'submitted'} at pool {pool}"
    online = [worker for worker in client.read_workers_for_work_pool(pool) if str(worker.status.value) == ONLINE]
    if online:
        return f"waits for one of {len(online)} workers of pool {pool}"
    return f"no worker of pool {pool} is up: `prefect worker start --pool {pool}` on a machine with a clone"
