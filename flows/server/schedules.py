"""The pipeline on a schedule, in one process without pool and worker (`prefect.yaml` is the other way)."""

from pathlib import Path

from flows.running.stage_outcome import FlowError
from flows.server.prefect_server import HOST, find_server, prepare_prefect, server_port

NIGHTLY = "0 1 * * *"
"""One o'clock each night, in the server's time zone."""


def serve(root: Path, cron: str, to: tuple[str, ...], budget_usd: float | None) -> None:
    """Serve the pipeline on a schedule until ended; runs start in this checkout, one at a time.

    Raises:
        FlowError: no server is up, which keeps the schedule.
    """
    server = find_server()
    if server is None:
        raise FlowError(
            f"no Prefect server answers on {HOST}:{server_port()}: start it with `reasrm ui` and leave it up"
        )
    prepare_prefect(root, server)
    from flows.pipeline import pipeline

    parameters = {"to": list(to), "budget_usd": budget_usd}
    pipeline.serve(name="nightly", cron=cron, parameters=parameters, limit=1, print_starting_message=True)
