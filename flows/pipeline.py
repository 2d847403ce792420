"""The DAG of dvc.yaml as one Prefect flow: a task per stage that may have to run, each waiting for its parents' tasks.

Run:     reasrm run      (a deployment serves the same flow: `reasrm serve`, prefect.yaml)

DVC decides whether a stage runs; this flow decides when, and reports it. A stage that fails fails its task and the
flow; what stands below is Skipped. One that stops on purpose leaves the flow `Stopped`, which is no failure.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from prefect import Task, flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.concurrency.sync import concurrency
from prefect.context import FlowRunContext
from prefect.flow_engine import run_flow
from prefect.futures import PrefectFuture, PrefectTaskRunFuture
from prefect.states import Completed
from prefect.task_runners import ThreadPoolTaskRunner

from flows.running.execution import Execution
from flows.running.pipeline_run import Elsewhere, PipelineRun, RunOptions, only_run, prepare
from flows.running.run_display import RunDisplay
from flows.running.stage_outcome import FlowError, StageOutcome, StageRun
from flows.server.flow_run import create_flow_run, whether_cancelled
from flows.server.prefect_ui import final_state, name_flow_run, publish_tables, task_run_name, task_state
from flows.server.stage_artifacts import shown_in_prefect

FLOW_NAME = "reasrm"
LEASE_SECONDS = 60
"""A killed flow's slot of a global concurrency limit is free again after this."""
SLOT_WAIT_SECONDS = 3.0
"""A stage that waits for such a slot sees after this that the run is being ended."""
MOST_STAGES = 4096

THREADS: Any = ThreadPoolTaskRunner(max_workers=MOST_STAGES)
"""One thread per stage, most of which wait for parents or for a place (`StageSlots`)."""


@flow(name=FLOW_NAME, task_runner=THREADS)
def pipeline(  # noqa: PLR0913  each is a parameter of the deployment
    to: list[str] | None = None,
    force: list[str] | None = None,
    jobs: int | None = None,
    gpus_per_stage: int = 1,
    budget_usd: float | None = None,
    pull: bool = True,
    push: bool = False,
    workers: bool = False,
) -> State[Any]:
    """Bring the pipeline up to date.

    Args:
        to: only these stages with everything that they need.
        force: run these even if nothing changed.
        jobs: stages at once; one per core by default.
        gpus_per_stage: GPUs for each stage limited by `gpu`.
        budget_usd: what the present questions may cost at the oracle in US dollars: all runs and both passes together.
        pull: take from DVC's default remote what it holds, before anything runs.
        push: hand over to it what has run.
        workers: let the workers of the work pools run the stages (`flows.workers`).
    """
    options = RunOptions(
        Path.cwd(), tuple(to or ()), tuple(force or ()), jobs, gpus_per_stage, budget_usd, pull, push, workers
    )
    with only_run(options.root), RunDisplay() as display:
        run = prepare(options, display)
        run.update_fingerprints()
        return carry_out(run)


def carry_out_as_flow(run: PipelineRun) -> State[Any]:
    """Carry a prepared run out as a run of the same flow, with the same parameters; returns its final state.

    Raises:
        FlowError: it could not begin.
    """
    refusals: list[FlowError] = []

    @flow(name=FLOW_NAME, task_runner=THREADS)
    def prepared(  # noqa: PLR0913  the same
        to: list[str],
        force: list[str],
        jobs: int | None,
        gpus_per_stage: int,
        budget_usd: float | None,
        pull: bool,
        push: bool,
        workers: bool,
    ) -> State[Any]:
        try:
            return carry_out(run)
        except FlowError as refusal:  # Prefect makes a state of it, and keeps the words alone
            refusals.append(refusal)
            raise

    options = run.options
    parameters = {
        "to": list(options.to),
        "force": list(options.force),
        "jobs": options.jobs,
        "gpus_per_stage": options.gpus_per_stage,
        "budget_usd": options.budget_usd,
        "pull": options.pull,
        "push": options.push,
        "workers": options.workers,
    }
    with get_client(sync_client=True) as client:
        flow_run = create_flow_run(client, prepared, parameters, options.root)
    state = run_flow(prepared, flow_run, parameters, return_type="state")
    if refusals:
        raise refusals[0]
    assert isinstance(state, State)
    return state


def carry_out(run: PipelineRun) -> State[Any]:
    """Run what may have to run, then publish; whatever happens, no stage outlives this call.

    Returns:
        The flow's final state, named by what happened: Cancelled after a signal or a cancellation in Prefect.
    """
    execution = Execution(run)
    futures: dict[str, PrefectFuture[Any]] = {}
    flow_run = _present_flow_run()
    with (
        get_client(sync_client=True) as client,
        execution.ended_from_outside(whether_cancelled(client, flow_run.id)),
    ):
        try:
            name_flow_run(client, flow_run.id, flow_run.tags, run.options.root)
            execution.elsewhere = _elsewhere(run)
            submit_stages(execution, limits_of_server(client), futures)
            _wait_for_all(futures)
        except BaseException:
            execution.end()
            raise
        finally:
            _wait_for_all(futures)
            run.finish()
        publish_tables(run)
    return final_state(run)


def _elsewhere(run: PipelineRun) -> Elsewhere | None:
    """Who runs the stages in place of this machine, if the run is for workers.

    Raises:
        FlowError: nothing can be handed to them.
    """
    if not run.options.workers or not run.dirty:
        return None
    from flows.workers.dispatch import hand_over_what_is_here, require_pools, run_on_worker
    from flows.workers.paid_replies import require_shared_ledgers

    require_pools(run.options.root, {run.pipeline.stages[name].limit for name in run.dirty})
    require_shared_ledgers(run.options.root, run.dirty)
    hand_over_what_is_here(run)
    return run_on_worker


def _present_flow_run() -> FlowRun:
    context = FlowRunContext.get()
    assert context is not None
    assert context.flow_run is not None
    return context.flow_run


def limits_of_server(client: SyncPrefectClient) -> frozenset[str]:
    """The names of the server's global concurrency limits, made by hand: `prefect gcl create gpu --limit 1`."""
    return frozenset(limit.name for limit in client.read_global_concurrency_limits(limit=200, offset=0))


def submit_stages(execution: Execution, limits: frozenset[str], futures: dict[str, PrefectFuture[Any]]) -> None:
    """Submit a task for each stage that may run or has run already; their futures go into `futures`.

    Args:
        execution: of the run.
        limits: the server's global concurrency limits.
        futures: filled by stage, so that the caller can wait for them whatever happens here.
    """
    run = execution.run

    def bring_up_to_date(name: str) -> State[Any]:
        with shown_in_prefect(name, run) as wrote:
            stage_run = execution.run_in_its_place(name, lambda limit: _slot(limit, limits, run), wrote)
        return task_state(name, stage_run)

    def ensure_outcome(name: str) -> Callable[[PrefectFuture[Any]], None]:
        def ended(_: PrefectFuture[Any]) -> None:
            if name not in run.runs:
                run.note(name, StageRun(StageOutcome.FAILED, tail="Prefect lost the task; its own log says why"))
            execution.slots.withdraw(name)

        return ended

    for name in execution.reported():
        title = task_run_name(name, run.reasons.get(name, ""))
        stage_task = Task(fn=bring_up_to_date, name=name, task_run_name=title, persist_result=False)
        parents = [EndOfParent(futures[one]) for one in run.pipeline.stages[name].parents if one in futures]
        futures[name] = stage_task.submit(name, return_state=False, wait_for=parents)
        futures[name].add_done_callback(ensure_outcome(name))


@contextmanager
def _slot(limit: str, limits: frozenset[str], run: PipelineRun) -> Iterator[None]:
    """Hold a slot of a global concurrency limit, if the server has it; waits for one until the run is being ended."""
    with ExitStack() as held:
        while limit in limits and not run.processes.ending:
            with suppress(TimeoutError):
                held.enter_context(
                    concurrency(limit, occupy=1, timeout_seconds=SLOT_WAIT_SECONDS, lease_duration=LEASE_SECONDS)
                )
                break
        yield


def _wait_for_all(futures: dict[str, PrefectFuture[Any]]) -> None:
    for future in futures.values():
        future.wait()


class EndOfParent(PrefectTaskRunFuture[None]):
    """A parent's task as its children wait for it: until it ends, however it ends.

    Prefect would leave a task below one that did not complete NotReady for ever; a stage says itself that it is Skipped
    or Waiting, and why.
    """

    def __init__(self, parent: PrefectFuture[Any]) -> None:
        """Stand for `parent`."""
        super().__init__(parent.task_run_id)
        self._parent = parent

    @property
    def state(self) -> State[Any]:
        """Completed: that it ended is all that counts."""
        self.wait()
        return Completed(data="ended")

    def wait(self, timeout: float | None = None) -> None:
        """Wait for the parent's end."""
        self._parent.wait(timeout)

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> None:
        """Nothing is passed on."""
        self.wait(timeout)

    def add_done_callback(self, fn: Callable[[PrefectFuture[None]], None]) -> None:
        """Call `fn` at the parent's end."""
        self._parent.add_done_callback(lambda _: fn(self))
