"""The Prefect server goes and comes on its database while runs are under way: they go on, end and are ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.flows.processes import LONG, survivors
from tests.flows.running.test_flow_run import ENDED_WITHIN, flow_runs, newest, outcomes, requested, start_hanging
from tests.flows.server.conftest import Project, start_ui

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
AWAY_SECONDS = 5


class Server:
    """`reasrm ui` in a project, which ends and starts again at the same port."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ui: Project = start_ui(root)
        self.port = self.ui.port

    def go(self) -> None:
        """End as a service manager ends it."""
        os.killpg(self.ui.ui.pid, signal.SIGTERM)
        self.ui.ui.wait(LONG)

    def come(self) -> None:
        """Start again, and wait until it answers."""
        self.ui = start_ui(self.root, (self.port, self.ui.report_port))


@pytest.fixture
def server(toy: Path) -> Iterator[Server]:
    server = Server(toy)
    yield server
    with suppress(ProcessLookupError):
        server.go()


def test_a_run_whose_stage_ends_while_no_server_is_there_ends_as_usual(toy: Path, server: Server) -> None:
    waits = "import pathlib, time\nwhile not pathlib.Path('go').exists(): time.sleep(0.1)\n"
    (toy / "toy_stage.py").write_text(waits + (toy / "toy_stage.py").read_text())
    run = subprocess.Popen([sys.executable, "-m", "reasrm.cli", "run", "--to", "a"], cwd=toy, env=server.ui.environment)
    deadline = time.monotonic() + LONG
    while not (runs := flow_runs(server.port)) or runs[0]["state"]["name"] != "Running":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    time.sleep(2)
    server.go()
    (toy / "go").touch()
    time.sleep(AWAY_SECONDS)
    assert outcomes(toy)["a"] == "Completed"
    server.come()
    assert run.wait(LONG) == 0
    assert flow_runs(server.port)[0]["state"]["name"] == "Completed"
    (task,) = newest(server.port, "task_runs")
    assert task["name"].startswith("a ")


def test_a_signal_is_heard_while_no_server_is_there(toy: Path, server: Server) -> None:
    run, processes = start_hanging(toy, server.ui.environment)
    server.go()
    time.sleep(AWAY_SECONDS)
    run.send_signal(signal.SIGTERM)
    assert not survivors(processes, ENDED_WITHIN)
    server.come()
    assert run.wait(LONG) == 130
    assert flow_runs(server.port)[0]["state"]["name"] == "Cancelled"


def test_who_holds_a_place_of_a_limit_is_known_after_a_restart(server: Server) -> None:
    """Else it cannot be prolonged, for which Prefect terminates the run of a deployment with a limit."""
    requested(server.port, "v2/concurrency_limits/", name="gpu", limit=1)
    held: dict[str, Any] = requested(
        server.port,
        "v2/concurrency_limits/increment-with-lease",
        names=["gpu"],
        slots=1,
        mode="concurrency",
        lease_duration=300,
    )
    server.go()
    server.come()
    requested(server.port, f"v2/concurrency_limits/leases/{held['lease_id']}/renew", lease_duration=300)
    requested(server.port, "v2/concurrency_limits/decrement-with-lease", lease_id=held["lease_id"])
    assert requested(server.port, "v2/concurrency_limits/gpu", method="GET")["active_slots"] == 0


def test_a_run_that_is_alive_is_not_called_crashed_for_long(toy: Path, server: Server) -> None:
    """As the automation calls one whose heartbeats are lost while the server, or the way to it, is gone."""
    run, processes = start_hanging(toy, server.ui.environment)
    (held,) = flow_runs(server.port)
    crashed = {"type": "CRASHED", "name": "Crashed", "message": "no heartbeat"}
    requested(server.port, f"flow_runs/{held['id']}/set_state", state=crashed, force=True)
    deadline = time.monotonic() + LONG
    while flow_runs(server.port)[0]["state"]["name"] != "Running":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    run.send_signal(signal.SIGTERM)
    assert not survivors(processes, ENDED_WITHIN)
    assert run.wait(LONG) == 130
    assert flow_runs(server.port)[0]["state"]["name"] == "Cancelled"
