"""The pipeline on a schedule, in one process without pool and worker (`prefect.yaml` is the other way)."""

import platform
import re
import signal
from pathlib import Path

from flows.running.stage_outcome import FlowError
from flows.server.prefect_server import HOST, find_server, prepare_prefect, server_port
from reasrm.runtime.terminal import say

NIGHTLY = "0 1 * * *"
"""One o'clock each night, in the server's time zone."""


def deployment_name(root: Path) -> str:
    """The deployment of a checkout that is served; no other checkout's, nor one of `prefect.yaml`."""
    return "served-" + re.sub(r"[^\w.-]+", "-", f"{platform.node()}-{root.name}")


def serve(root: Path, cron: str, to: tuple[str, ...], budget_usd: float | None) -> None:
    """Serve the pipeline on a schedule until ended; runs start in this checkout, one at a time.

    Ctrl-C and SIGTERM end the run that is under way as Cancelled and pause the schedule; `serve` resumes it.

    Raises:
        FlowError: no server is up, which keeps the schedule.
    """
    server = find_server()
    if server is None:
        raise FlowError(
            f"no Prefect server answers on {HOST}:{server_port()}: start it with `reasrm ui` and leave it up"
        )
    prepare_prefect(root, server)
    import asyncio

    from prefect.runner import Runner

    from flows.pipeline import FLOW_NAME, pipeline

    class ScheduleRunner(Runner):
        """Prefect's runner, which ends on SIGTERM as it does on Ctrl-C."""

        def handle_sigterm(self, *_args: object, **_words: object) -> None:
            """In Prefect 3.7.7 it exits at once: the schedule stays active, and nobody runs what becomes due."""
            signal.raise_signal(signal.SIGINT)

    name = deployment_name(root)
    runner = ScheduleRunner(name=name, limit=1)
    runner.add_flow(pipeline, name=name, cron=cron, parameters={"to": list(to), "budget_usd": budget_usd})
    say(f"serving {FLOW_NAME}/{name} at `{cron}`; a run at once: prefect deployment run '{FLOW_NAME}/{name}'")
    try:
        asyncio.run(runner.start())
    except KeyboardInterrupt:
        say(f"ended; the schedule of {FLOW_NAME}/{name} is paused")
