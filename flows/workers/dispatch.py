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
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import TERMINAL_STATES, FlowRun, State
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound, PrefectException
from prefect.states import Cancelled, Cancelling

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
"""So long a run that is being ended waits for a worker to end its stage; the worker may be gone, or the server."""
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
    if here and (reason := push_rest(run.options.root, here, run.processes)):
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
    since, told = time.monotonic(), ""
    ending_since: float | None = None
    with get_client(sync_client=True) as client:
        flow_run = _submitted_before(client, request) or _submit(pool, request)
        while True:
            with suppress(httpx.HTTPError):  # a server that is being started again is asked again
                state = client.read_flow_run(flow_run).state
                assert state is not None
                if state.is_final():
                    return state
                if run.processes.ending and not state.is_cancelling():
                    client.set_flow_run_state(flow_run, Cancelling())
                saying = _waiting_for(client, pool, state, time.monotonic() - since)
                if saying != told:
                    on_line(saying)
                    told = saying
            if run.processes.ending:
                ending_since = ending_since or time.monotonic()
                if time.monotonic() - ending_since > CANCEL_SECONDS:
                    return Cancelled(message=f"nobody has ended it at pool {pool} in {CANCEL_SECONDS:.0f} s")
            time.sleep(POLL_SECONDS)


def _submit(pool: str, request: StageRequest) -> UUID:
    """Submit a stage to a pool; returns its flow run."""
    submitted: FlowRun = run_deployment(  # type: ignore[assignment]
        f"{FLOW_NAME}/{pool}",
        parameters={"request": request.model_dump(mode="json")},
        flow_run_name=f"{request.stage} · {pool}",
        timeout=0,
        tags=_tags(request),
    )
    return submitted.id


def _submitted_before(client: SyncPrefectClient, request: StageRequest) -> UUID | None:
    """The flow run of the same stage from the same inputs that has not ended: its parent may have been killed."""
    if request.force:
        return None
    found = client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            tags=FlowRunFilterTags(all_=_tags(request)),
            state=FlowRunFilterState(type=FlowRunFilterStateType(not_any_=list(TERMINAL_STATES))),
        ),
        limit=1,
    )
    return found[0].id if found else None


def _tags(request: StageRequest) -> list[str]:
    return [f"stage:{request.stage}", f"commit:{request.commit[:10]}", f"inputs:{request.key[:16]}"]


def _waiting_for(client: SyncPrefectClient, pool: str, state: State[Any], seconds: float) -> str:
    """What a submitted stage is doing, in words."""
    if state.is_running() or seconds < NOBODY_SECONDS:
        return f"{state.name.lower() if state.name else 'submitted'} at pool {pool}"
    online = [worker for worker in client.read_workers_for_work_pool(pool) if str(worker.status.value) == ONLINE]
    if online:
        return f"waits for one of {len(online)} workers of pool {pool}"
    return f"no worker of pool {pool} is up: `prefect worker start --pool {pool}` on a machine with a clone"
