"""The DAG of dvc.yaml as one Prefect flow: a task per stage that may have to run, each waiting for its parents' tasks.

Run:     reasrm run      (a deployment serves the same flow: `reasrm serve`, prefect.yaml)

DVC decides whether a stage runs; this flow decides when, and reports it. A stage that fails fails its task and the
flow; what stands below is Skipped. One that stops on purpose leaves the flow `Stopped`, which is no failure.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from prefect import Task, flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.concurrency.sync import concurrency
from prefect.context import FlowRunContext
from prefect.exceptions import TerminationSignal
from prefect.futures import PrefectFuture, PrefectTaskRunFuture
from prefect.states import Completed
from prefect.task_runners import ThreadPoolTaskRunner

from flows.running.pipeline_run import PipelineRun, RunOptions, only_run, prepare
from flows.running.run_display import RunDisplay
from flows.running.stage_outcome import UNTOUCHED, StageOutcome, StageRun
from flows.running.stage_slots import StageSlots
from flows.server.prefect_ui import final_state, name_flow_run, publish_tables, task_run_name, task_state
from flows.server.stage_artifacts import shown_in_prefect

FLOW_NAME = "reasrm"
LEASE_SECONDS = 60
"""A killed flow's slot of a global concurrency limit is free again after this."""
MOST_STAGES = 4096

THREADS: Any = ThreadPoolTaskRunner(max_workers=MOST_STAGES)
"""One thread per stage, most of which wait for parents or for a place (`StageSlots`)."""


@flow(name=FLOW_NAME, task_runner=THREADS)
def pipeline(
    to: list[str] | None = None,
    force: list[str] | None = None,
    jobs: int | None = None,
    gpus_per_stage: int = 1,
    budget_usd: float | None = None,
) -> State[Any]:
    """Bring the pipeline up to date.

    Args:
        to: only these stages with everything that they need.
        force: run these even if nothing changed.
        jobs: stages at once; one per core by default.
        gpus_per_stage: GPUs for each stage limited by `gpu`.
        budget_usd: what the present questions may cost at the oracle in US dollars: all runs and both passes together.
    """
    options = RunOptions(Path.cwd(), tuple(to or ()), tuple(force or ()), jobs, gpus_per_stage, budget_usd)
    with only_run(options.root), RunDisplay() as display:
        run = prepare(options, display)
        run.update_fingerprints()
        return carry_out(run)


def carry_out_as_flow(run: PipelineRun) -> State[Any]:
    """Carry a prepared run out as a run of the same flow, with the same parameters; returns its final state."""

    @flow(name=FLOW_NAME, task_runner=THREADS)
    def prepared(
        to: list[str], force: list[str], jobs: int | None, gpus_per_stage: int, budget_usd: float | None
    ) -> State[Any]:
        return carry_out(run)

    options = run.options
    return prepared(
        list(options.to),
        list(options.force),
        options.jobs,
        options.gpus_per_stage,
        options.budget_usd,
        return_state=True,
    )


def carry_out(run: PipelineRun) -> State[Any]:
    """Run what may have to run, then publish; whatever happens, no stage outlives this call.

    Returns:
        The flow's final state, named by what happened.
    """
    slots = run.slots()
    futures: dict[str, PrefectFuture[Any]] = {}

    def end_stages() -> None:
        run.processes.end_all()
        slots.close()

    try:
        submit_stages(run, slots, begin_flow_run(run), futures)
        _wait_for_all(futures)
    except (KeyboardInterrupt, TerminationSignal):
        run.interrupted = True
        end_stages()
    except BaseException:
        end_stages()
        raise
    finally:
        _wait_for_all(futures)
        run.finish()
    publish_tables(run)
    return final_state(run)


def begin_flow_run(run: PipelineRun) -> frozenset[str]:
    """Name the present flow run; return the names of the global concurrency limits that the server has.

    They are made by hand: `prefect gcl create gpu --limit 1`.
    """
    context = FlowRunContext.get()
    with get_client(sync_client=True) as client:
        if context is not None and context.flow_run is not None:
            name_flow_run(client, context.flow_run.id, context.flow_run.tags, run.options.root)
        return frozenset(limit.name for limit in client.read_global_concurrency_limits(limit=200, offset=0))


def submit_stages(
    run: PipelineRun, slots: StageSlots, limits: frozenset[str], futures: dict[str, PrefectFuture[Any]]
) -> None:
    """Submit a task for each stage that may run or has run already; their futures go into `futures`."""

    def bring_up_to_date(name: str) -> State[Any]:
        stage_run = run.runs.get(name) or _run_in_its_place(name, run, slots, limits)
        return task_state(name, stage_run)

    def ensure_outcome(name: str) -> Callable[[PrefectFuture[Any]], None]:
        def ended(_: PrefectFuture[Any]) -> None:
            if name not in run.runs:
                run.note(name, StageRun(StageOutcome.FAILED, tail="Prefect lost the task; its own log says why"))
            slots.withdraw(name)

        return ended

    reported = run.dirty | {name for name, one in run.runs.items() if one != UNTOUCHED}
    for name, stage in run.pipeline.stages.items():
        if name in reported:
            title = task_run_name(name, run.reasons.get(name, ""))
            stage_task = Task(fn=bring_up_to_date, name=name, task_run_name=title, persist_result=False)
            parents = [EndOfParent(futures[parent]) for parent in stage.parents if parent in futures]
            futures[name] = stage_task.submit(name, return_state=False, wait_for=parents)
            futures[name].add_done_callback(ensure_outcome(name))


def _run_in_its_place(name: str, run: PipelineRun, slots: StageSlots, limits: frozenset[str]) -> StageRun:
    """Run a stage whose parents have ended, as soon as there is a place for it; or say why it cannot run."""
    if kept := run.kept_from_running(name):
        run.note(name, kept)
        return kept
    limit = run.pipeline.stages[name].limit
    with slots.hold(name) as gpus:
        if gpus is None:
            run.note(name, StageRun(StageOutcome.WAITING))
        else:
            with (
                concurrency([limit] if limit in limits else [], occupy=1, lease_duration=LEASE_SECONDS),
                shown_in_prefect(name, run) as wrote,
            ):
                run.run(name, gpus, wrote)
    return run.runs[name]


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
