"""Runs that a schedule starts: one is cancelled, one killed, one goes on for five minutes while the server restarts.

A Prefect server of this script's own, the project's automation, a work pool with a worker, and the deployment `nightly`
of prefect.yaml, but each minute and of a small project whose one stage waits. The cron fires three times: the first run
is cancelled as the UI does it, the second is killed with its worker by SIGKILL, the third is left alone. While it runs,
the server is ended and started again on its database, and the stage of a `reasrm run` in another project ends while no
server is there. At last the schedule must go on by itself. Takes some eleven minutes.

Run:  python -m benchmarks.scheduled_runs [--port 4290] [--healthy-seconds 300] [--away-seconds 6]
"""

import argparse
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.own_server import (
    AUTOMATION,
    DVC,
    FLOWS,
    NOBODY,
    PREFECT,
    REASRM,
    Row,
    ask,
    environment,
    prefect,
    processes_in,
    say,
    show,
    start_server,
)
from reasrm.runtime.yaml_files import read_yaml, write_yaml

EACH_MINUTE = [{"cron": "* * * * *", "timezone": "UTC", "active": True}]
PATIENCE_SECONDS = 240.0
CANCELLED_WITHIN, CRASHED_WITHIN = 5.0, 120.0


def main() -> None:
    """Run the whole of it and print; the exit status says whether all is as it must be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=4290, help="of the server that this script starts")
    parser.add_argument("--healthy-seconds", type=float, default=300.0, help="how long the third run's stage waits")
    parser.add_argument("--away-seconds", type=float, default=6.0, help="how long no server is there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene(Path(folder), options.port)
        try:
            rows = scene.play(options.healthy_seconds, options.away_seconds)
        finally:
            scene.clear()
    raise SystemExit(show(rows))


class Scene:
    """A server, a project on a schedule with its worker, and a project that somebody runs by hand."""

    def __init__(self, folder: Path, port: int) -> None:
        """Start the server and register the deployment; no worker is up yet."""
        self.folder, self.port = folder, port
        self.scheduled = make_project(folder / "scheduled")
        self.by_hand = make_project(folder / "by-hand")
        self.api = f"http://127.0.0.1:{port}/api"
        own = {"PREFECT_API_URL": self.api, "PREFECT_HOME": str(folder / "home")}
        self.environment = environment(str(port)) | own | {"REASRM_ROOT": str(self.scheduled)}
        self.server = start_server(folder, port)
        self.others: list[subprocess.Popen[bytes]] = []
        project = read_yaml(FLOWS.parent / "prefect.yaml")
        (night,) = (one for one in project["deployments"] if one["name"] == "nightly")
        of_pipeline = {"entrypoint": "flows/pipeline.py:pipeline", "parameters": {}, "schedules": EACH_MINUTE}
        write_yaml(self.scheduled / "prefect.yaml", project | {"deployments": [night | of_pipeline]})
        prefect(
            self.scheduled, self.environment, "work-pool", "create", night["work_pool"]["name"], "--type", "process"
        )
        prefect(self.scheduled, self.environment, "deploy", "--all")
        prefect(self.scheduled, self.environment, "automation", "create", "--from-file", str(AUTOMATION))
        self.pool = night["work_pool"]["name"]

    def play(self, healthy_seconds: float, away_seconds: float) -> list[Row]:
        """All of it, in order."""
        worker = self.start_worker()
        rows = [self.cancel_one(), *self.kill_one(worker)]
        self.start_worker()
        return rows + self.leave_one_alone(healthy_seconds, away_seconds)

    def cancel_one(self) -> Row:
        """The first run that the cron starts, cancelled as the UI does it."""
        run = self.next_running()
        start = time.monotonic()
        ask(f"{self.api}/flow_runs/{run['id']}/set_state", {"state": {"type": "CANCELLING", "name": "Cancelling"}})
        left = self.left()
        seconds = time.monotonic() - start
        state = self.state_when(run, lambda state: state != "Cancelling")
        good = not left and seconds <= CANCELLED_WITHIN and state == "Cancelled"
        return Row("cancelled: its processes gone, its state", f"{seconds:.1f} s, {state}", "5 s, Cancelled", good)

    def kill_one(self, worker: "subprocess.Popen[bytes]") -> list[Row]:
        """The second, killed with its worker."""
        run = self.next_running()
        start = time.monotonic()
        flow = [one for one in self.processes() if b"prefect" in Path(f"/proc/{one}/cmdline").read_bytes()]
        say(f"SIGKILL to the worker, {worker.pid}, and to what carries the run out: {flow}")
        for process in (worker.pid, *flow):
            os.kill(process, signal.SIGKILL)
        left = self.left()
        gone = time.monotonic() - start
        state = self.state_when(run, lambda state: state != "Running")
        seconds = time.monotonic() - start
        return [
            Row("killed: its processes gone", f"{gone:.1f} s", "15 s", not left and gone <= 15),
            Row("killed: its state", f"{state} after {seconds:.0f} s", "Crashed, 120 s",
                state == "Crashed" and seconds <= CRASHED_WITHIN),
        ]  # fmt: skip

    def leave_one_alone(self, seconds: float, away_seconds: float) -> list[Row]:
        """The third: the server goes and comes while it runs; and what a run by hand makes of that."""
        run = self.next_running()
        start = time.monotonic()
        other = self.start([*REASRM, "run"], self.by_hand)
        while not processes_in(self.by_hand) or not (self.by_hand / "began").exists():
            time.sleep(0.2)
        self.stop_server()
        say(f"no server for {away_seconds:.0f} s")
        (self.by_hand / "go").touch()
        time.sleep(away_seconds)
        self.server = start_server(self.folder, self.port)
        say("the server is back")
        status = other.wait(PATIENCE_SECONDS)
        other_run = self.runs({"deployments": {"name": {"like_": "by-hand"}}})
        task = ask(f"{self.api}/task_runs/filter", {"flow_runs": {"id": {"any_": [other_run[0]["id"]]}}})
        states = f"{other_run[0]['state']['name']}, its task {task[0]['state']['name']}"
        rows = [
            Row("ended while no server was there: exit status, states", f"{status}, {states}",
                "0, Completed, its task Completed", (status, states) == (0, "Completed, its task Completed")),
        ]  # fmt: skip
        time.sleep(max(0.0, seconds - (time.monotonic() - start)))
        alive = bool(self.processes()) and self.state(run) == "Running"
        ran = time.monotonic() - start
        rows.append(Row("left alone: alive and Running", f"{alive} after {ran:.0f} s", "True, 300 s", alive))
        (self.scheduled / "go").touch()
        state = self.state_when(run, lambda state: state != "Running")
        history = [one["name"] for one in ask(f"{self.api}/flow_run_states/?flow_run_id={run['id']}")]
        good = state == "Completed" and "Crashed" not in history
        rows.append(Row("left alone: its states", ", ".join(history), "Completed, never Crashed", good))
        later = self.next_run(lambda one: one["state"]["name"] == "Cached")
        rows.append(Row("the next run of the schedule", later["state"]["name"], "Cached", True))
        return rows

    def processes(self) -> list[int]:
        """What works in the scheduled project but the worker, which goes there to look for hooks of a cancelled run."""
        workers = {one.pid for one in self.others}
        return [process for process in processes_in(self.scheduled) if process not in workers]

    def left(self) -> list[int]:
        """What is left of a run that was ended, as soon as nothing is or when patience is at its end."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (alive := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return alive

    def next_running(self) -> dict[str, Any]:
        """The run that the cron starts next, once its stage waits."""
        (self.scheduled / "began").unlink(missing_ok=True)
        run = self.next_run(lambda one: one["state"]["name"] == "Running")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (self.scheduled / "began").exists():
            assert time.monotonic() < deadline, "the stage did not begin"
            time.sleep(0.1)
        assert run["auto_scheduled"], run
        return run

    def next_run(self, is_meant: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The newest run of the schedule that is meant, as soon as there is one."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            for run in self.runs({"deployments": {"name": {"any_": ["nightly"]}}}):
                if is_meant(run):
                    say(f"run {run['name']} is {run['state']['name']}")
                    return run
            assert time.monotonic() < deadline, "the schedule starts no run"
            time.sleep(0.5)

    def runs(self, which: dict[str, Any]) -> list[dict[str, Any]]:
        """Flow runs that have begun, the newest first."""
        begun = {"flow_runs": {"state": {"type": {"not_any_": ["SCHEDULED", "PENDING"]}}}}
        return list(
            ask(f"{self.api}/flow_runs/filter", {"sort": "EXPECTED_START_TIME_DESC", "limit": 50, **begun, **which})
        )

    def state(self, run: dict[str, Any]) -> str:
        """The name of a run's present state."""
        return str(ask(f"{self.api}/flow_runs/{run['id']}")["state"]["name"])

    def state_when(self, run: dict[str, Any], is_meant: Callable[[str], bool]) -> str:
        """The same, as soon as it is what is meant."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_meant(state := self.state(run)) and time.monotonic() < deadline:
            time.sleep(0.2)
        say(f"run {run['name']} is {state}")
        return state

    def start_worker(self) -> "subprocess.Popen[bytes]":
        """A worker of the pool."""
        return self.start([*PREFECT, "worker", "start", "--pool", self.pool], self.folder)

    def start(self, command: list[str], place: Path) -> "subprocess.Popen[bytes]":
        """Start something that `clear` ends."""
        log = (self.folder / f"log-{len(self.others)}").open("w")
        started = subprocess.Popen(
            command, cwd=place, env=self.environment, stdout=log, stderr=log, start_new_session=True
        )
        self.others.append(started)
        return started

    def stop_server(self) -> None:
        """End the server as a service manager does."""
        os.killpg(self.server.pid, signal.SIGTERM)
        self.server.wait()

    def clear(self) -> None:
        """End all."""
        for process in [*(one.pid for one in self.others), *processes_in(self.scheduled)]:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGTERM)
        for one in self.others:
            one.wait()
        self.stop_server()


def make_project(root: Path) -> Path:
    """A project whose stage says that it began and waits for a file `go`."""
    root.mkdir()
    write_yaml(
        root / "dvc.yaml",
        {
            "stages": {
                "wait": {"cmd": "touch began; while [ ! -e go ]; do sleep 0.2; done; echo > out", "outs": ["out"]}
            }
        },
    )
    write_yaml(root / "params.yaml", {})
    (root / "flows").symlink_to(FLOWS, target_is_directory=True)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run([*DVC, "init", "-q"], cwd=root, check=True, env=environment(NOBODY))
    (root / ".gitignore").write_text("/out\nbegan\ngo\nwork/\n.prefect/\nflows\n")
    (root / ".dvcignore").write_text("work/\n.prefect/\nflows\n")
    return root


if __name__ == "__main__":
    main()
