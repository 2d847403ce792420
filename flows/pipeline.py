"""The DAG of dvc.yaml as one Prefect flow: a task per stage that may have to run, parents before children.

Run:     reasrm run      (a deployment serves the same flow: `reasrm serve`, prefect.yaml)

DVC decides whether a stage runs; this flow decides when, and reports it. A stage that fails fails its task and the
flow; what stands below is Skipped. One that stops on purpose leaves the flow `Stopped`, which is no failure.
"""

from pathlib import Path
from queue import SimpleQueue
from typing import Any

from prefect import Task, flow, get_run_logger, task
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.concurrency.sync import concurrency
from prefect.futures import PrefectFuture
from prefect.states import Cancelled, Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner

from flows.artifacts import publish
from flows.dispatch import Dispatch
from flows.execution import Execution, RunOptions, handed_over, only_flow, prepare
from flows.outcome import GOES_ON, ExitCode, Outcome, StageRun, exit_code
from flows.stage_run import LOGS
from flows.view import RunView

LEASE_SECONDS = 60
"""A killed flow's slot of a global concurrency limit is free again after this."""
MOST_TASKS_AT_ONCE = 64

THREADS: Any = ThreadPoolTaskRunner(max_workers=MOST_TASKS_AT_ONCE)


@flow(name="reasrm", task_runner=THREADS)
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
    execution = handed_over()
    if execution is not None:
        return carry_out(execution)
    options = RunOptions(Path.cwd(), tuple(to or ()), tuple(force or ()), jobs, gpus_per_stage, budget_usd)
    with only_flow(options.root), RunView() as view:
        return carry_out(prepare(options, view))


def carry_out(execution: Execution) -> State[Any]:
    """Run what may have to run, then publish; whatever happens, no stage outlives this call.

    Returns:
        The flow's final state, named by what happened.
    """
    tasks = StageTasks(execution, known_limits())
    for name, run in execution.runs.items():
        tasks.report(name, run)
    for name in execution.selected - execution.dirty - execution.runs.keys():
        execution.runs[name] = StageRun(Outcome.CACHED)
    dispatch = Dispatch(execution.pipeline, set(execution.dirty), execution.slots(), execution.order(), execution.runs)
    try:
        dispatch.go(tasks.start, tasks.lose, tasks.ended)
    except KeyboardInterrupt:
        execution.interrupted = True
        execution.supervised.end_all()
    except BaseException:
        execution.supervised.end_all()
        raise
    finally:
        tasks.wait()
        execution.finish()
    publish(execution.options.root, execution.runs)
    return final_state(execution.runs)


class StageTasks:
    """The Prefect tasks of one flow run, one per stage that may have to run."""

    def __init__(self, execution: Execution, limits: frozenset[str]) -> None:
        """Start with no task; `limits` are the global concurrency limits that exist."""
        self.ended: SimpleQueue[str] = SimpleQueue()
        """The names of the stages whose task came to its end."""
        self._execution = execution
        self._limits = limits
        self._futures: dict[str, PrefectFuture[Any]] = {}

    def start(self, name: str, gpus: tuple[str, ...]) -> None:
        """Submit the task that runs a stage; its end goes to `ended`."""

        def end(_: PrefectFuture[Any]) -> None:
            if name not in self._execution.runs:
                self._execution.note(name, StageRun(Outcome.FAILED, tail="Prefect lost the task; its own log says why"))
            self.ended.put(name)

        limit = self._execution.pipeline.stages[name].limit

        @task(name=name, task_run_name=name, persist_result=False)
        def run_dvc_stage() -> State[Any]:
            with concurrency([limit] if limit in self._limits else [], occupy=1, lease_duration=LEASE_SECONDS):
                run = self._execution.run(name, gpus)
            if run.tail:
                get_run_logger().info("%s", run.tail)
            return task_state(name, run)

        self._submit(name, run_dvc_stage).add_done_callback(end)

    def report(self, name: str, run: StageRun) -> None:
        """Submit a task that only says an outcome that is known already.

        It waits for no parent: below one that did not complete, Prefect would leave it NotReady for ever.
        """

        @task(name=name, task_run_name=name, persist_result=False)
        def say_outcome() -> State[Any]:
            return task_state(name, run)

        self._futures[name] = say_outcome.submit()

    def lose(self, name: str, run: StageRun) -> None:
        """Show a stage that cannot run in this run, and report it if that is a loss."""
        self._execution.view.ended(name, run)
        if run.outcome is Outcome.SKIPPED:
            self.report(name, run)

    def wait(self) -> None:
        """Wait for the end of all tasks."""
        for future in self._futures.values():
            future.wait()

    def _submit(self, name: str, stage_task: Task[[], Any]) -> PrefectFuture[Any]:
        parents = self._execution.pipeline.stages[name].parents
        above = [self._futures[parent] for parent in parents if parent in self._futures]
        self._futures[name] = stage_task.submit(return_state=False, wait_for=above)
        return self._futures[name]


def task_state(name: str, run: StageRun) -> State[Any]:
    """The Prefect state that shows a stage's outcome by its name."""
    message = run.tail or f"{run.seconds:.1f} s"
    if run.outcome is Outcome.FAILED:
        return Failed(name=run.outcome.value, message=f"{message}\n(all of it: {LOGS}/{name}.log)")
    if run.outcome in {Outcome.STOPPED, Outcome.SKIPPED, Outcome.WAITING}:
        return Cancelled(name=run.outcome.value, message=message)
    return Completed(name=run.outcome.value, message=message)


def final_state(runs: dict[str, StageRun]) -> State[Any]:
    """The flow's state: Failed if a stage failed, Stopped if one stopped, Cached if nothing had to run."""
    told = ", ".join(f"{name} {run.outcome}" for name, run in runs.items() if run.outcome is not Outcome.CACHED)
    match exit_code(runs):
        case ExitCode.FAILED:
            return Failed(message=told)
        case ExitCode.STOPPED_RESUMABLE:
            return Cancelled(name="Stopped", message=f"{told}. Everything is kept; {GOES_ON}.")
    return Completed(name="Completed" if told else "Cached", message=told or "nothing had to run")


def known_limits() -> frozenset[str]:
    """The names of the global concurrency limits that the server has (`prefect gcl create gpu --limit 1`)."""
    with get_client(sync_client=True) as client:
        return frozenset(limit.name for limit in client.read_global_concurrency_limits(limit=200, offset=0))
