"""What a run leaves in Prefect's UI: stages' outcomes, what the oracle cost, headline, funnel, way to the report."""

from pathlib import Path
from typing import Any

from prefect.artifacts import create_link_artifact, create_table_artifact

from flows.headline import PAGE, funnel_rows, headline_rows, oracle_rows, read_metrics
from flows.outcome import Outcome, StageRun


def publish(root: Path, runs: dict[str, StageRun]) -> None:
    """Create the artifacts of a run; those whose file is not there yet are left out."""
    outcomes = [
        {"stage": name, "outcome": run.outcome.value, "seconds": f"{run.seconds:.1f}"} for name, run in runs.items()
    ]
    _table("stages", outcomes, "What became of each stage in this run.")
    _table("oracle", oracle_rows(root), "What the traces cost: replies, tokens, cache hits and dollars of each pass.")
    if all(run.outcome in {Outcome.CACHED, Outcome.RESTORED, Outcome.COMPLETED} for run in runs.values()):
        _table("headline", headline_rows(read_metrics(root)), "Accuracy of each judge, with 95 % intervals.")
        _table("funnel", funnel_rows(root), "From traces asked for to traces kept.")
        if (root / PAGE).is_file():
            create_link_artifact(
                key="report", link=(root / PAGE).as_uri(), link_text="the report", description="The report."
            )


def _table(key: str, rows: list[dict[str, Any]], description: str) -> None:
    if rows:
        create_table_artifact(key=key, table=rows, description=description)
