"""The pipeline on a schedule, in one process without pool and worker (`prefect.yaml` is the other way)."""

import hashlib
import os
import platform
import re
import signal
from pathlib import Path

from flows.running.stage_outcome import FlowError, UsageError
from flows.server.prefect_server import HOST, find_server, prepare_prefect, server_port
from reasrm.runtime.terminal import say

NIGHTLY = "0 1 * * *"
"""One o'clock each night, UTC."""


def deployment_name(root: Path) -> str:
    """The deployment of a checkout that is served; no other checkout's, nor one of `prefect.yaml`."""
    return f"served-{checkout_name(root)}"


def checkout_name(root: Path) -> str:
    """Host, folder and a hash of its whole path, in letters that a deployment's name may have."""
    place = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:6]
    return re.sub(r"[^\w.-]+", "-", f"{platform.node()}-{root.name}-{place}")


def serve(root: Path, cron: str, to: tuple[str, ...], budget_usd: float | None) -> None:
    """Serve the pipeline on a schedule until ended; runs start in this checkout, one at a time.

    Ctrl-C and SIGTERM end the run that is under way as Cancelled and pause the schedule; `serve` resumes it.

    Raises:
        UsageError: `cron` is no schedule.
        FlowError: no server is up, which keeps the schedule.
    """
    server = find_server()
    if server is None:
        raise FlowError(
            f"no Prefect server answers on {HOST}:{server_port()}: start it with `reasrm ui` and leave it up"
        )
    prepare_prefect(root, server)
    os.chdir(root)  # the runs' processes start where this one is
    import asyncio

    from prefect.client.schemas.schedules import CronSchedule
    from prefect.runner import Runner

    from flows.pipeline import FLOW_NAME, pipeline

    class ScheduleRunner(Runner):
        """Prefect's runner, which ends as it should on SIGTERM and on Ctrl-C."""

        async def start_until_ended(self) -> None:
            """Start, and come back when what ran has ended and the schedule is paused."""
            self._serving_loop = asyncio.get_running_loop()
            self._serving_loop.add_signal_handler(signal.SIGINT, self.handle_sigterm)
            await self.start()

        def handle_sigterm(self, *_args: object, **_words: object) -> None:
            """Prefect 3.7.7 exits at once, without waiting for its own `astop`, which ends runs and the polling."""
            self._stopping = asyncio.run_coroutine_threadsafe(self.astop(), self._serving_loop)

    try:
        CronSchedule(cron=cron)
    except ValueError as error:
        raise UsageError(f"--cron {cron!r} is no schedule of five cron fields, as {NIGHTLY!r} is") from error
    name = deployment_name(root)
    runner = ScheduleRunner(name=name, limit=1)
    runner.add_flow(pipeline, name=name, cron=cron, parameters={"to": list(to), "budget_usd": budget_usd})
    say(f"serving {FLOW_NAME}/{name} at `{cron}`; a run at once: prefect deployment run '{FLOW_NAME}/{name}'")
    asyncio.run(runner.start_until_ended())
    say(f"ended; the schedule of {FLOW_NAME}/{name} is paused")
