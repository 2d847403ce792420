"""The night as a Prefect flow, for deployments (`prefect.yaml`): the run is a flow below it.

Its final state is named by what came of it, so that automations can tell: Promoted, Kept, Stopped, Cancelled, Failed.
Of a process that died Prefect makes it Crashed.
"""

from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Completed, Failed

from flows.nights.night import NightOptions, NightStoppedError, hold_night
from flows.nights.promote import ARTIFACT, DESCRIPTION, markdown
from flows.pipeline import pipeline
from flows.running.pipeline_run import RunOptions
from flows.running.stage_outcome import FlowError
from reasrm.runtime.stage_main import ExitCode


@flow(name="reasrm-night")
def night(  # noqa: PLR0913  each is a parameter of the deployment
    model: str | None = None,
    min_gain: float = 0.0,
    branch: str = "nightly",
    remote: str = "origin",
    pull: bool = False,
    push: bool = False,
    keep: int = 2,
    to: list[str] | None = None,
    jobs: int | None = None,
    gpus_per_stage: int = 1,
    budget_usd: float | None = None,
) -> State[Any]:
    """Run the pipeline, compare the model with the champion, commit and tag what came of it.

    Args:
        model: who is compared; the champion's own model if none is named.
        min_gain: points that the lower end of the gain's 95 % interval must exceed.
        branch: where the night is committed.
        remote: git's, for `pull` and `push`.
        pull: fast-forward the checked-out branch first.
        push: push branch and tag.
        keep: resume folders that pruning leaves of each stage.
        to: as of the flow `reasrm`, like the rest.
        jobs: stages at once.
        gpus_per_stage: GPUs for each stage limited by `gpu`.
        budget_usd: what the present questions may cost at the oracle in US dollars.
    """
    log = get_run_logger()
    run = RunOptions(Path.cwd(), tuple(to or ()), (), jobs, gpus_per_stage, budget_usd)
    options = NightOptions(run, model, min_gain, branch, remote, pull, push, keep)
    try:
        held = hold_night(options, run_below, lambda line: log.info("%s", line))
    except NightStoppedError as stop:
        return stopped_state(stop.exit_code, str(stop))
    except FlowError as error:
        return Failed(message=str(error))
    publish_page(markdown(held.decision), key=ARTIFACT, description=DESCRIPTION)
    promoted = held.decision.new is not None
    return Completed(name="Promoted" if promoted else "Kept", message=f"{held.tag}: {held.decision.why}")


def run_below(options: RunOptions) -> ExitCode:
    """Bring the pipeline up to date as a flow run below the present one; returns what a command's status would be."""
    state = pipeline(
        list(options.to), list(options.force), options.jobs, options.gpus_per_stage, options.budget_usd,
        return_state=True,
    )  # fmt: skip
    if state.is_completed():
        return ExitCode.DONE
    if state.is_cancelled():
        return ExitCode.STOPPED_RESUMABLE if state.name == "Stopped" else ExitCode.INTERRUPTED
    return ExitCode.FAILED


def stopped_state(status: ExitCode, message: str) -> State[Any]:
    """The state of a flow whose run ended with another exit status than 0."""
    if status is ExitCode.STOPPED_RESUMABLE:
        return Cancelled(name="Stopped", message=message)
    if status is ExitCode.INTERRUPTED:
        return Cancelled(message=message)
    return Failed(message=message)


def publish_page(text: str, *, key: str, description: str) -> None:
    """Create a markdown artifact of the present flow run; a server that takes none does not change how it ends."""
    try:
        create_markdown_artifact(markdown=text, key=key, description=description)
    except Exception as error:  # noqa: BLE001  whatever client and server do, what was done stands
        get_run_logger().warning("Prefect lacks the page %s: %r", key, error)
