"""A fixed checkpoint judged anew, as a Prefect flow for a weekly deployment: does the measurement itself still hold?

Nothing that DVC sees has changed, so what differs comes from what it does not see: drivers, libraries below the locks,
a served model behind its name, replies sampled without a seed. The difference is measured, paired by question.
"""

from pathlib import Path
from typing import Any

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Completed, Failed

from flows.dvc_graph import LOCK_FILE
from flows.nights.champion import BENCHMARKS, JudgedModel, judged_model
from flows.nights.comparison import Judged, gain_over_stored
from flows.nights.nightly import run_below
from flows.nights.promotion import read_params, require_up_to_date
from flows.nights.stored_outputs import Lock
from flows.running.pipeline_run import RunOptions
from flows.running.stage_outcome import FlowError
from reasrm.runtime.stage_main import ExitCode

SAME, WITHIN_CHANCE, MOVED = "Same", "WithinChance", "Moved"
"""The same bytes; other verdicts, but an interval that holds zero; a difference that is shown."""


@flow(name="reasrm-evaluation")
def evaluation(model: str, jobs: int | None = None, gpus_per_stage: int = 1) -> State[Any]:
    """Judge a model's unchanged checkpoint on the unchanged benchmarks once more, and compare with the last time.

    Args:
        model: a judged model whose judgments are up to date.
        jobs: stages at once.
        gpus_per_stage: GPUs for each stage limited by `gpu`.
    """
    root = Path.cwd()
    try:
        before = _present(root, model)
        stage = _lock(root).maker_of(before.judgments.path)
        require_up_to_date(root, _lock(root), [before.judgments])
        assert stage is not None
        status = run_below(RunOptions(root, (stage,), (stage,), jobs, gpus_per_stage))
        if status is not ExitCode.DONE:
            said = f"{stage} did not come to its end (exit status {int(status)}); the last judgments are in DVC's cache"
            return Failed(message=said) if status is ExitCode.FAILED else Cancelled(message=said)
        name, text = _compare(root, model, before, _present(root, model))
    except FlowError as error:
        return Failed(message=str(error))
    create_markdown_artifact(markdown=f"**{model}: {name}**\n\n{text}\n", key="evaluation", description="Judged anew.")
    return Completed(name=name, message=text)


def _compare(root: Path, model: str, before: JudgedModel, after: JudgedModel) -> tuple[str, str]:
    """The state's name and message."""
    if after.judgments.md5 == before.judgments.md5:
        return SAME, "the same bytes as the last time"
    judged = Judged(root / after.judgments.path, root / BENCHMARKS)
    found = gain_over_stored(root, read_params(root), judged, before.judgments)
    low, high = found["ci95"]
    interval = f"{100 * found['value']:+.2f} points, 95 % [{100 * low:+.2f}, {100 * high:+.2f}]"
    text = (
        f"other judgments of the same checkpoint: {interval}, on {found['questions']:,} questions. What DVC sees is "
        f"unchanged: look at drivers, libraries, the served model, sampling. The last judgments have the hash "
        f"{before.judgments.md5}"
    )
    return (WITHIN_CHANCE if low <= 0 <= high else MOVED), text


def _lock(root: Path) -> Lock:
    path = root / LOCK_FILE
    return Lock(path.read_text(encoding="utf-8") if path.is_file() else "{}")


def _present(root: Path, model: str) -> JudgedModel:
    return judged_model(_lock(root), read_params(root), model)
