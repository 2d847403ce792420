"""Several clones of one project with workers of Prefect's pools, as machines would have them."""

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.flows.toy_project import become_clone, environment

IDENTITY = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]


def git(root: Path, *words: str) -> None:
    """Run git in `root`."""
    subprocess.run(["git", *words], cwd=root, check=True)


def prefect_environment(folder: Path, port: int) -> dict[str, str]:
    """What Prefect's commands in `folder` need to find the server at `port`."""
    own = {"PREFECT_API_URL": f"http://127.0.0.1:{port}/api", "PREFECT_HOME": str(folder.with_name("prefect-home"))}
    return environment() | own | {"PREFECT_SERVER_ANALYTICS_ENABLED": "false"}


def prefect(folder: Path, port: int, *words: str) -> None:
    """Run Prefect's own command in `folder`."""
    command = [sys.executable, "-m", "prefect", "--no-prompt", *words]
    surroundings = prefect_environment(folder, port)
    done = subprocess.run(command, cwd=folder, env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class Fleet:
    """A project, its clones, and a Prefect server; the clones' workers live within a block."""

    def __init__(self, project: Path, port: int) -> None:
        """Of a project that is committed."""
        self.project = project
        self.clones = [self.clone("first"), self.clone("second")]
        self.environment = prefect_environment(project, port)
        self.api = self.environment["PREFECT_API_URL"]

    def commit(self) -> None:
        """Commit the project's state; the clones follow."""
        git(self.project, "add", "-A")
        git(self.project, *IDENTITY, "commit", "-q", "-m", "state")
        for clone in self.clones:
            git(clone, "checkout", "-q", ".")
            git(clone, "clean", "-q", "-f", "dvc.lock")
            git(clone, "pull", "-q")

    @contextmanager
    def worker(self, clone: Path, pool: str) -> Iterator[subprocess.Popen[bytes]]:
        """A worker of `pool` in a clone, in a session of its own; it is ended with all that it started."""
        command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", pool, "--name", f"{clone.name}-{pool}"]
        surroundings = self.environment | {"REASRM_ROOT": str(clone)}
        with (clone.parent / f"{clone.name}-{pool}.log").open("w") as log:
            process = subprocess.Popen(
                command, cwd=clone, env=surroundings, stdout=log, stderr=log, start_new_session=True
            )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            finally:
                process.kill()

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start `reasrm run --workers`."""
        command = [sys.executable, "-m", "reasrm.cli", "run", "--workers", *words]
        return subprocess.Popen(
            command, cwd=self.project, env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def run(self, *words: str) -> tuple[int, str]:
        """Run it to its end; gives exit status and output."""
        process = self.start(*words)
        said, _ = process.communicate(timeout=600)
        return process.returncode, said

    def flow_runs(self) -> list[dict[str, Any]]:
        """The runs of `reasrm-stage` of this project, the newest first."""
        body = {"sort": "EXPECTED_START_TIME_DESC", "flows": {"name": {"any_": ["reasrm-stage"]}}, "limit": 50}
        return list(self._post("flow_runs/filter", body))

    def crash(self, flow_run: dict[str, Any]) -> None:
        """What the automation does when no heartbeat comes."""
        state = {"state": {"type": "CRASHED", "name": "Crashed", "message": "no heartbeat"}, "force": True}
        self._post(f"flow_runs/{flow_run['id']}/set_state", state)

    def processes_of(self, clone: Path) -> list[int]:
        """The worker in a clone and the flow runs that it has started."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                words = (folder / "cmdline").read_bytes()
                ours = f"REASRM_ROOT={clone}\0".encode() in (folder / "environ").read_bytes()
                if ours and (b"prefect.engine" in words or b"worker\0start" in words):
                    found.append(int(folder.name))
        return found

    def _post(self, what: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            f"{self.api}/{what}", json.dumps(body).encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.load(reply)

    def clone(self, name: str) -> Path:
        """A checkout of the project's commit: no cache, no outputs."""
        clone = self.project.with_name(name)
        subprocess.run(["git", "clone", "-q", str(self.project), str(clone)], check=True)
        become_clone(clone)
        return clone
