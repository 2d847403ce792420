"""`reasrm serve` with a real server: its own deployment, a clean end; heartbeats of the deployments in prefect.yaml."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flows.running.stage_outcome import StageOutcome
from flows.server.schedules import deployment_name
from reasrm.runtime.yaml_files import read_yaml
from tests.flows.processes import LONG, survivors
from tests.flows.running.test_flow_run import requested, wait_for
from tests.flows.toy_project import environment

ROOT = Path(__file__).parents[3]


def test_a_checkout_that_is_served_has_a_deployment_of_its_own() -> None:
    used = {deployment["name"] for deployment in read_yaml(ROOT / "prefect.yaml")["deployments"]}
    names = {deployment_name(Path(folder)) for folder in ("/a/first", "/b/first", "/a/second run")}
    assert len(names) == 3
    assert not names & used
    assert all(name.replace("-", "").replace(".", "").replace("_", "").isalnum() for name in names)


def test_worker_flows_send_heartbeats_twice_before_they_are_taken_for_dead() -> None:
    automation = read_yaml(ROOT / "flows/automations/dead-flows-are-crashed.yaml")
    for deployment in read_yaml(ROOT / "prefect.yaml")["deployments"]:
        variables = deployment["work_pool"]["job_variables"]["env"]
        assert 2 * int(variables["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"]) < automation["trigger"]["within"]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_served_run_as_cancelled_and_pauses_the_schedule(
    toy: Path, server_port: int, number: signal.Signals
) -> None:
    (toy / "b-slow.mode").write_text("hang")
    surroundings = environment() | {"PREFECT_SERVER_API_PORT": str(server_port)}
    serving = subprocess.Popen(
        [sys.executable, "-m", "reasrm.cli", "serve", "--cron", "0 1 1 1 *"],
        cwd=toy,
        env=surroundings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert serving.stdout is not None
    assert "serving reasrm/" in serving.stdout.readline()
    path = f"deployments/name/reasrm/{deployment_name(toy)}"
    deployment = requested(server_port, path, method="GET")
    assert not deployment["paused"]
    run = requested(server_port, f"deployments/{deployment['id']}/create_flow_run")
    processes = [int(word) for word in wait_for(toy / "b-slow.pids").split()]
    serving.send_signal(number)
    said, _ = serving.communicate(timeout=LONG)
    assert serving.returncode == 0, said
    assert "never awaited" not in said
    assert not survivors(processes)
    assert requested(server_port, f"flow_runs/{run['id']}", method="GET")["state"]["name"] == "Cancelled"
    assert requested(server_port, path, method="GET")["paused"]


def test_no_end_of_a_flow_is_taken_for_its_death() -> None:
    """A flow that ends in a state which the automation does not know would be marked Crashed afterwards."""
    expected = set(read_yaml(ROOT / "flows/automations/dead-flows-are-crashed.yaml")["trigger"]["expect"])
    from flows.workers.stage_flow import REFUSED

    named = {one.value for one in StageOutcome} - {StageOutcome.SKIPPED.value} | {REFUSED, "Crashed", "Cancelled"}
    for path in (ROOT / "flows").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        named |= set(re.findall(r"\b(?:Completed|Failed|Cancelled)\(\s*name=\"(\w+)\"", text))
    assert {f"prefect.flow-run.{name}" for name in named} <= expected
