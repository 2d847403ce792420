"""Carry a run out without a Prefect server: a thread per stage that may run. Prefect is not even imported."""

import traceback
from concurrent.futures import Future, ThreadPoolExecutor, wait

from flows.running.execution import Execution
from flows.running.pipeline_run import PipelineRun
from flows.running.stage_outcome import StageOutcome, StageRun


def carry_out_in_threads(run: PipelineRun) -> None:
    """Run what may have to run; whatever happens, no stage outlives this call. The outcomes are in `run` afterwards."""
    execution = Execution(run)
    names = execution.reported()
    threads: dict[str, Future[None]] = {}

    def bring_up_to_date(name: str, parents: list[Future[None]]) -> None:
        wait(parents)
        try:
            execution.run_in_its_place(name)
        except Exception:  # noqa: BLE001  a thread has nobody to raise to, and the stages below wait for an outcome
            run.note(name, StageRun(StageOutcome.FAILED, tail=traceback.format_exc()))
        finally:
            execution.slots.withdraw(name)

    with execution.ended_from_outside():
        try:
            # One thread per stage: a thread that waits for the parents of its stage runs nothing meanwhile.
            with ThreadPoolExecutor(max(1, len(names))) as pool:
                for name in names:
                    parents = [threads[parent] for parent in run.pipeline.stages[name].parents if parent in threads]
                    threads[name] = pool.submit(bring_up_to_date, name, parents)
                wait(threads.values())
        finally:
            run.finish()
