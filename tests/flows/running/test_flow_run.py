"""Runs of a toy project, with a Prefect server and without: outcomes, exit statuses, kills, the bytes of dvc.lock."""

import json
import os
import platform
import resource
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from reasrm.runtime.yaml_files import read_yaml, write_yaml
from tests.flows.processes import LONG, is_alive, survivors
from tests.flows.toy_project import Reasrm, environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ALL = ["a", "b@slow", "b@fast", "c", "d"]
DVC = [sys.executable, "-m", "dvc"]


def outcomes(toy: Path) -> dict[str, str]:
    rows = json.loads((toy / "work/runs/last.json").read_text())
    return {name: row["outcome"] for name, row in rows.items()}


def edit(toy: Path, **words: Any) -> None:
    """Change what stage `a` (word) or a variant of `b` (its seconds) depends on."""
    params = read_yaml(toy / "params.yaml")
    for name, value in words.items():
        if name == "word":
            params["a"]["word"] = value
        else:
            params["b_variants"][name]["seconds"] = value
    write_yaml(toy / "params.yaml", params)


def wait_for(path: Path) -> str:
    deadline = time.monotonic() + LONG
    while not path.exists() or len(path.read_text().split()) < 2:
        assert time.monotonic() < deadline, f"{path} did not come"
        time.sleep(0.05)
    return path.read_text()


def cpu_seconds() -> float:
    """What all children that ended have used; a busy machine does not change it."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def requested(port: int, path: str, method: str = "POST", **content: Any) -> Any:
    """What the server replies."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/{path}",
        data=json.dumps(content).encode(),
        headers={"Content-Type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        text = reply.read()
    return json.loads(text) if text else None


def asked(port: int, what: str, **filters: Any) -> list[dict[str, Any]]:
    """What the server has, the newest first."""
    return list(requested(port, f"{what}/filter", limit=20, **filters))


def flow_runs(port: int) -> list[dict[str, Any]]:
    return asked(port, "flow_runs", sort="EXPECTED_START_TIME_DESC")


def newest(port: int, what: str, enough: int = 1) -> list[dict[str, Any]]:
    """Task runs, artifacts or logs of the newest flow run; they come to the server some moments after the run's end."""
    which = {"flow_runs": {"id": {"any_": [flow_runs(port)[0]["id"]]}}}
    if what == "logs":
        which = {"logs": {"flow_run_id": {"any_": [flow_runs(port)[0]["id"]]}}}
    deadline = time.monotonic() + LONG
    while len(found := asked(port, what, **which)) < enough:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    return found


ENDED_WITHIN = 20.0
"""Seconds; alone on a machine it takes 1 to 3."""
NO_SERVER = {"PREFECT_SERVER_API_PORT": "9"}


@pytest.fixture
def served(server_port: int) -> dict[str, str]:
    return {"PREFECT_SERVER_API_PORT": str(server_port)}


def start_hanging(toy: Path, variables: dict[str, str]) -> tuple["subprocess.Popen[bytes]", list[int]]:
    """A run whose stage `b@slow` hangs with a grandchild, and these two processes."""
    (toy / "b-slow.mode").write_text("hang")
    command = [sys.executable, "-m", "reasrm.cli", "run"]
    flow = subprocess.Popen(command, cwd=toy, env=environment() | variables, start_new_session=True)
    processes = [int(word) for word in wait_for(toy / "b-slow.pids").split()]
    assert all(is_alive(process) for process in processes)
    return flow, processes


def test_a_run_then_nothing_then_only_what_changed(
    toy: Path, reasrm: Reasrm, served: dict[str, str], server_port: int
) -> None:
    first = reasrm("run", **served)
    assert first.returncode == 0, first.stdout + first.stderr
    assert outcomes(toy) == dict.fromkeys(ALL, "Completed")
    lock = (toy / "dvc.lock").read_bytes()

    (newest_run, *_) = flow_runs(server_port)
    before = cpu_seconds()
    second = reasrm("run", **served)
    assert second.returncode == 0
    assert outcomes(toy) == dict.fromkeys(ALL, "Cached")
    assert cpu_seconds() - before < 10
    assert flow_runs(server_port)[0]["id"] == newest_run["id"], "a run with nothing to do is not reported"

    status = subprocess.run([*DVC, "status"], cwd=toy, env=environment(), capture_output=True, text=True, check=True)
    assert "up to date" in status.stdout
    subprocess.run([*DVC, "repro", "-q"], cwd=toy, env=environment(), check=True)
    assert (toy / "dvc.lock").read_bytes() == lock
    assert (toy / "a.runs").read_text().count("ran") == 1

    edit(toy, fast=0.2)
    third = reasrm("run", **served)
    assert third.returncode == 0
    assert outcomes(toy) == {"a": "Cached", "b@slow": "Cached", "b@fast": "Completed", "c": "Cached", "d": "Cached"}
    assert not (toy / "c.runs").read_text().count("ran") > 1


def test_prefect_shows_what_ran_and_why(toy: Path, reasrm: Reasrm, served: dict[str, str], server_port: int) -> None:
    assert reasrm("run", **served).returncode == 0
    edit(toy, word="y")
    assert reasrm("run", "--to", "d", **served).returncode == 0
    (run, *_) = flow_runs(server_port)
    assert run["name"] == "miniature"  # the toy has no commit, which would stand behind it
    assert {"profile:miniature", f"host:{platform.node()}"} == set(run["tags"])
    names = {task["name"] for task in newest(server_port, "task_runs", 3)}
    assert names == {"a · params a.word x -> y", "b@fast · below a", "d · below b@fast"}
    tables = {artifact["key"]: artifact["data"] for artifact in newest(server_port, "artifacts")}
    rows = {row["stage"]: row["why"] for row in json.loads(tables["stages"])}
    assert rows == {"a": "params a.word x -> y", "b@fast": "below a", "d": "below b@fast"}
    assert "a: wrote out/a" in [line["message"] for line in newest(server_port, "logs", 5)]


def test_the_flow_and_dvc_repro_leave_the_same_bytes(toy: Path, reasrm: Reasrm, served: dict[str, str]) -> None:
    assert reasrm("run", "--jobs", "3", **served).returncode == 0
    by_flow = (toy / "dvc.lock").read_bytes()
    (toy / "dvc.lock").unlink()
    subprocess.run([*DVC, "repro", "-q", "--force"], cwd=toy, env=environment(), check=True)
    assert (toy / "dvc.lock").read_bytes() == by_flow


def test_outputs_that_ran_before_are_restored(toy: Path, reasrm: Reasrm, served: dict[str, str]) -> None:
    assert reasrm("run", **served).returncode == 0
    edit(toy, word="y")
    assert reasrm("run", **served).returncode == 0
    edit(toy, word="x")
    assert reasrm("run", **served).returncode == 0
    assert outcomes(toy)["a"] == "Restored"
    assert (toy / "a.runs").read_text().count("ran") == 2


def test_without_a_server_prefect_is_not_imported_and_all_else_is_the_same(toy: Path, reasrm: Reasrm) -> None:
    (toy / "b-slow.mode").write_text("fail")
    failed = reasrm("run", PYTHONPROFILEIMPORTTIME="1", **NO_SERVER)
    assert failed.returncode == 1
    assert outcomes(toy)["b@slow"] == "Failed"
    assert outcomes(toy)["c"] == "Skipped"
    assert "flows.running.stage_threads" in failed.stderr
    assert "prefect" not in failed.stderr.replace("flows.server.prefect_server", "")
    (toy / "b-slow.mode").write_text("stop")
    assert reasrm("run", **NO_SERVER).returncode == 3
    (toy / "b-slow.mode").unlink()
    assert reasrm("run", "--jobs", "3", **NO_SERVER).returncode == 0
    assert set(outcomes(toy).values()) == {"Completed", "Cached"}
    by_threads = (toy / "dvc.lock").read_bytes()
    (toy / "dvc.lock").unlink()
    subprocess.run([*DVC, "repro", "-q", "--force"], cwd=toy, env=environment(), check=True)
    assert (toy / "dvc.lock").read_bytes() == by_threads


def test_a_stage_whose_log_cannot_be_written_fails_with_the_reason(toy: Path, reasrm: Reasrm) -> None:
    (toy / "work").mkdir()
    (toy / "work/logs").write_text("a file where a folder should be")
    failed = reasrm("run", **NO_SERVER)
    assert failed.returncode == 1
    assert "FileExistsError" in failed.stdout
    assert outcomes(toy) == {"a": "Failed", **dict.fromkeys(ALL[1:], "Skipped")}


def test_a_failure_skips_what_is_below_and_nothing_else(
    toy: Path, reasrm: Reasrm, served: dict[str, str], server_port: int
) -> None:
    (toy / "b-slow.mode").write_text("fail")
    failed = reasrm("run", **served)
    assert failed.returncode == 1
    assert outcomes(toy) == {
        "a": "Completed",
        "b@slow": "Failed",
        "b@fast": "Completed",
        "c": "Skipped",
        "d": "Completed",
    }
    assert "the disk is made of cheese [bold]x[/bold]⟦U+001B⟧]0;owned⟦U+0007⟧" in failed.stdout
    for text in (failed.stdout, failed.stderr, (toy / "work/logs/b@slow.log").read_text()):
        assert text.replace("\n", "").isprintable()
    assert flow_runs(server_port)[0]["state"]["name"] == "Failed"
    (toy / "b-slow.mode").unlink()
    assert reasrm("run", **served).returncode == 0
    assert outcomes(toy) == {"a": "Cached", "b@slow": "Completed", "b@fast": "Cached", "c": "Completed", "d": "Cached"}


def test_a_stage_that_stops_on_purpose_is_no_failure(
    toy: Path, reasrm: Reasrm, served: dict[str, str], server_port: int
) -> None:
    (toy / "b-slow.mode").write_text("stop")
    stopped = reasrm("run", **served)
    assert stopped.returncode == 3
    assert outcomes(toy)["b@slow"] == "Stopped"
    assert outcomes(toy)["c"] == "Waiting"
    assert "the budget is spent" in stopped.stdout
    assert "the same command goes on" in stopped.stdout
    assert flow_runs(server_port)[0]["state"]["name"] == "Stopped"


@pytest.mark.parametrize("server", ["with a server", "without"])
@pytest.mark.parametrize("how", ["kill -9", "Ctrl-C", "reasrm cancel"])
def test_no_process_outlives_the_run_and_the_same_command_resumes(
    toy: Path, reasrm: Reasrm, served: dict[str, str], server_port: int, how: str, server: str
) -> None:
    variables = served if server == "with a server" else NO_SERVER
    flow, processes = start_hanging(toy, variables)
    busy = reasrm("run", **variables)
    assert busy.returncode == 4
    assert "reasrm cancel" in busy.stderr
    if how == "reasrm cancel":
        assert reasrm("cancel").returncode == 0
    else:
        os.kill(flow.pid, signal.SIGKILL if how == "kill -9" else signal.SIGINT)
    assert flow.wait(LONG) == (-9 if how == "kill -9" else 130)
    assert not survivors(processes)
    if how != "kill -9":
        assert outcomes(toy)["b@slow"] == "Stopped"
        if server == "with a server":
            assert flow_runs(server_port)[0]["state"]["name"] == "Cancelled"
    (toy / "b-slow.mode").unlink()
    assert reasrm("run", **variables).returncode == 0
    assert set(outcomes(toy).values()) <= {"Completed", "Cached", "Restored"}


@pytest.mark.parametrize("state", ["Cancelling", "Cancelled"])
def test_cancelled_in_prefect_the_run_ends(toy: Path, served: dict[str, str], server_port: int, state: str) -> None:
    flow, processes = start_hanging(toy, served)
    (run, *_) = flow_runs(server_port)
    assert run["state"]["name"] == "Running"
    requested(server_port, f"flow_runs/{run['id']}/set_state", state={"type": state.upper(), "name": state}, force=True)
    assert not survivors(processes, ENDED_WITHIN)
    assert flow.wait(LONG) == 130
    assert outcomes(toy)["b@slow"] == "Stopped"
    assert flow_runs(server_port)[0]["state"]["name"] == "Cancelled"


def test_a_run_that_waits_for_a_global_limit_can_be_cancelled(
    toy: Path, reasrm: Reasrm, served: dict[str, str], server_port: int
) -> None:
    requested(server_port, "v2/concurrency_limits/", name="gpu", limit=1)
    requested(server_port, "v2/concurrency_limits/increment", names=["gpu"], slots=1, mode="concurrency")
    try:
        command = [sys.executable, "-m", "reasrm.cli", "run", "--to", "d"]
        flow = subprocess.Popen(command, cwd=toy, env=environment() | served, start_new_session=True)
        deadline = time.monotonic() + LONG
        while not (toy / "out/b-fast").exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        time.sleep(5)
        assert not (toy / "d.runs").exists()
        assert reasrm("cancel").returncode == 0
        assert flow.wait(LONG) == 130
        assert flow_runs(server_port)[0]["state"]["name"] == "Cancelled"
    finally:
        requested(server_port, "v2/concurrency_limits/gpu", method="DELETE")


def test_only_what_a_target_needs(toy: Path, reasrm: Reasrm, served: dict[str, str]) -> None:
    assert reasrm("run", "--to", "d", **served).returncode == 0
    assert outcomes(toy) == {"a": "Completed", "b@fast": "Completed", "d": "Completed"}
    assert reasrm("run", "--to", "d", "--force", "b@fast", **served).returncode == 0
    assert outcomes(toy) == {"a": "Cached", "b@fast": "Completed", "d": "Cached"}
    wrong = reasrm("run", "--to", "e")
    assert wrong.returncode == 2
    assert "b@slow" in wrong.stderr


def test_a_torn_list_of_files_in_use_is_no_end(toy: Path, reasrm: Reasrm) -> None:
    """What a kill leaves while DVC writes it: with it, no command of DVC works any more."""
    assert reasrm("run", "--to", "a").returncode == 0
    (toy / ".dvc/tmp/rwlock").write_text("")
    assert reasrm("status").returncode == 0
    (toy / ".dvc/tmp/rwlock").write_text('{"read": {')
    assert reasrm("run", "--to", "b@fast").returncode == 0
    assert outcomes(toy)["b@fast"] == "Completed"
