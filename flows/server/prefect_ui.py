"""What Prefect's UI shows of a run: the flow run's name and tags, the stages' states and reasons, tables of results."""

import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import State
from prefect.settings import PREFECT_API_URL
from prefect.states import Cancelled, Completed, Failed

from flows.git import commit_of
from flows.running.run_results import (
    FILTER_STAGE,
    ORACLE_STAGE,
    PAGE,
    REPORT_STAGE,
    funnel_rows,
    headline_rows,
    oracle_rows,
    read_metrics,
)
from flows.running.stage_outcome import RESUME_HINT, UNTOUCHED, UP_TO_DATE, StageOutcome, StageRun, exit_code
from flows.running.stage_process import LOGS
from flows.server.report_link import served_page
from flows.server.stage_artifacts import as_code
from flows.settings.profile import current_choice
from reasrm.runtime.stage_main import ExitCode

if TYPE_CHECKING:
    from flows.running.pipeline_run import PipelineRun

SHORT_COMMIT = 7
"""Digits of a commit in a name."""
REASON_WIDTH = 120
"""Characters of a reason in a task run's name."""


def name_flow_run(client: SyncPrefectClient, flow_run_id: UUID, tags: list[str], root: Path) -> None:
    """Name the flow run by profile and commit (`miniature · ccd10d3`); tag it with these and the host.

    Args:
        client: the API's.
        flow_run_id: the run.
        tags: those that it has already (a deployment's).
        root: the project.
    """
    profile = current_choice(root).title
    commit = (commit_of(root, "HEAD") or "")[:SHORT_COMMIT]
    name = " · ".join(part for part in (profile, commit) if part)
    own = [f"profile:{profile}", *([f"commit:{commit}"] if commit else []), f"host:{platform.node()}"]
    client.update_flow_run(flow_run_id, name=name, tags=list(dict.fromkeys([*tags, *own])))


def task_run_name(stage: str, reason: str) -> str:
    """A task run's name: the stage and why it runs, as a template in which Prefect fills nothing in."""
    short = reason if len(reason) <= REASON_WIDTH else f"{reason[: REASON_WIDTH - 1]}…"
    name = f"{stage} · {short}" if short else stage
    return name.replace("{", "{{").replace("}", "}}")


def task_state(name: str, run: StageRun) -> State[Any]:
    """The Prefect state that shows a stage's outcome by its name."""
    message = run.tail or f"{run.seconds:.1f} s"
    if run.outcome is StageOutcome.FAILED:
        return Failed(name=run.outcome.value, message=f"{message}\n(all of it: {LOGS}/{name}.log)")
    if run.outcome in UP_TO_DATE:
        return Completed(name=run.outcome.value, message=message)
    return Cancelled(name=run.outcome.value, message=message)


def final_state(run: "PipelineRun") -> State[Any]:
    """The flow's state: Failed if a stage failed, Stopped if one stopped, Cached if nothing had to run."""
    changed = {name: one for name, one in run.runs.items() if one.outcome is not StageOutcome.CACHED}
    message = ", ".join(f"{name} {one.outcome}" for name, one in changed.items())
    code = exit_code(run.runs.values())
    if code is ExitCode.FAILED:
        return Failed(message=message)
    if run.interrupted or code is ExitCode.STOPPED_RESUMABLE:
        name = "Cancelled" if run.interrupted else "Stopped"
        return Cancelled(name=name, message=f"{message}. Everything is kept; {RESUME_HINT}.")
    if run.not_pushed:
        return Failed(message=f"Not all is in the remote: {run.not_pushed}. {message}")
    return Completed(name="Completed" if message else "Cached", message=message or "nothing had to run")


def publish_tables(run: "PipelineRun") -> None:
    """Create the artifacts of a run: of the stages that it made or confirmed, those whose file is there.

    A server that takes none of them makes no run fail, whose results are on the disk.
    """
    try:
        _publish_tables(run)
    except Exception as error:  # noqa: BLE001  whatever client and server do, the run has ended as it has
        get_run_logger().warning("Prefect lacks some of this run's tables: %r", error)


def _publish_tables(run: "PipelineRun") -> None:
    root = run.options.root
    stages = [
        {
            "stage": name,
            "outcome": one.outcome.value,
            "seconds": f"{one.seconds:.1f}",
            "why": run.reasons.get(name, "") if one != UNTOUCHED else "",
        }
        for name, one in run.runs.items()
    ]
    _table("stages", stages, "What became of each stage in this run, and why it ran.")
    if any(name.startswith(ORACLE_STAGE) for name in run.selected):
        _table("oracle", oracle_rows(root), "What the traces cost: replies, tokens, cache hits and dollars by pass.")
    if not all(one.outcome in UP_TO_DATE for one in run.runs.values()):
        return
    if FILTER_STAGE in run.selected:
        _table("funnel", funnel_rows(root), "From traces asked for to traces kept.")
    if REPORT_STAGE in run.selected:
        _table("headline", headline_rows(read_metrics(root)), "Accuracy of each judge, with 95 % intervals.")
        if (root / PAGE).is_file():
            _link_to_report(root)


def _link_to_report(root: Path) -> None:
    """A link to the report where it is served, else words: from a page of http no browser opens a file:// address."""
    if address := served_page(root, PREFECT_API_URL.value() or ""):
        create_link_artifact(key="report", link=address, link_text="the report", description="The report.")
        return
    create_markdown_artifact(
        f"The report is the file {as_code(str(root / PAGE))} on {as_code(platform.node())}. "
        f"`reasrm ui` in that project serves it to a browser on the same machine.",
        key="report",
        description="Where the report is.",
    )


def _table(key: str, rows: list[dict[str, Any]], description: str) -> None:
    if rows:
        create_table_artifact(key=key, table=rows, description=description)
