"""Which run is served when, and the Prefect server on this machine."""

import os
import sys
from pathlib import Path

from flows.environment import HOST, QUIET, find_server, prepare_prefect, server_port
from flows.outcome import FlowError

NIGHTLY = "0 1 * * *"
"""One o'clock each night, in the server's time zone."""


def start_server(root: Path) -> None:
    """Become the Prefect server with its UI, on loopback; does not return.

    The port is `PREFECT_SERVER_API_PORT` or 4200; the UI must be told too, or it calls 4200 whatever the port.
    """
    port = server_port()
    prepare_prefect(root, None)
    api = f"http://{HOST}:{port}/api"
    chosen = {
        "PREFECT_SERVER_API_HOST": HOST,
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_UI_API_URL": api,
        "PREFECT_API_URL": api,
    }
    os.environ.update(QUIET | chosen)
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", HOST, "--port", str(port)]
    os.execv(sys.executable, command)  # noqa: S606  no shell is wanted


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
