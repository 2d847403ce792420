"""A fixed checkpoint judged anew, as a Prefect flow for a weekly deployment: does the measurement itself still hold?

Nothing that DVC sees has changed, so what differs comes from what it does not see: drivers, libraries below the locks,
a served model behind its name, replies sampled without a seed. The difference is measured, paired by question.
"""

from contextlib import chdir
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.nights.champion import BENCHMARKS, JudgedModel
from flows.nights.comparison import Judged, gain_over_stored
from flows.nights.evaluation_workspace import judged_in, ledgers_in, make_workspace
from flows.nights.night import only_night
from flows.nights.nightly import publish_page, run_below, stopped_state
from flows.nights.promotion import read_params, require_up_to_date
from flows.nights.stored_outputs import read_lock
from flows.running.pipeline_run import RunOptions
from flows.running.stage_outcome import FlowError
from reasrm.runtime.stage_main import ExitCode

SAME, WITHIN_CHANCE, MOVED = "Same", "WithinChance", "Moved"
"""The same bytes; other verdicts, but an interval that holds zero; a difference that is shown."""


@flow(name="reasrm-evaluation")
def evaluation(model: str, jobs: int | None = None, gpus_per_stage: int = 1) -> State[Any]:
    """Judge a model's unchanged checkpoint on the unchanged benchmarks once more, and compare with its judgments.

    Args:
        model: a judged model whose judgments are up to date.
        jobs: stages at once.
        gpus_per_stage: GPUs for each stage limited by `gpu`.
    """
    root = Path.cwd()
    try:
        with only_night(root):
            before = judged_in(root, model)
            require_up_to_date(root, read_lock(root), [before.judgments])
            workspace = make_workspace(root, before)
            (stage,) = workspace.targets
            with chdir(workspace.root), ledgers_in(workspace.root):
                status = run_below(RunOptions(workspace.root, (stage,), (stage,), jobs, gpus_per_stage))
            if status is not ExitCode.DONE:
                said = f"{stage} did not come to its end (exit status {int(status)}) in {workspace.folder}"
                return stopped_state(status, f"{said}: the next evaluation begins anew")
            name, text = _compare(root, workspace.root, before)
    except FlowError as error:
        return Failed(message=str(error))
    publish_page(f"**{model}: {name}**\n\n{text}\n", key="evaluation", description="Judged anew.")
    return Completed(name=name, message=text)


def _compare(root: Path, space: Path, before: JudgedModel) -> tuple[str, str]:
    """The state's name and message."""
    after = judged_in(space, before.model)
    if after.judgments.md5 == before.judgments.md5:
        return SAME, "the same bytes as before"
    judged = Judged(space / after.judgments.path, space / BENCHMARKS)
    found = gain_over_stored(root, read_params(root), judged, before.judgments)
    low, high = found["ci95"]
    interval = f"{100 * found['value']:+.2f} points, 95 % [{100 * low:+.2f}, {100 * high:+.2f}]"
    text = (
        f"other judgments of the same checkpoint: {interval}, on {found['questions']:,} questions. What DVC sees is "
        f"unchanged: look at drivers, libraries, the served model, sampling. The new judgments are in "
        f"{judged.judgments.relative_to(root)}"
    )
    return (WITHIN_CHANCE if low <= 0 <= high else MOVED), text
