"""A Prefect server of a benchmark's own, what asks it, and what happened beside what must be."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.judge_reference import print_table
from flows.server.prefect_server import is_healthy
from reasrm.runtime.yaml_files import write_yaml

FLOWS = Path(__file__).parents[1] / "flows"
REASRM = [sys.executable, "-m", "reasrm.cli"]
DVC = [sys.executable, "-m", "dvc"]
PREFECT = [sys.executable, "-m", "prefect", "--no-prompt"]
AUTOMATION = FLOWS / "automations/dead-flows-are-crashed.yaml"
NOBODY = "9"
"""A port at which no server answers."""


class Row(NamedTuple):
    """What happened beside what must be."""

    what: str
    happened: str
    must_be: str
    good: bool


def show(rows: Sequence[Row]) -> int:
    """Print the rows; returns the exit status, 1 if one is not good."""
    print_table(["what", "happened", "must be", ""], [[*row[:3], "" if row.good else "NO"] for row in rows])
    print(f"\nload {os.getloadavg()[2]:.1f} in the last quarter of an hour, {os.cpu_count()} cores")
    return int(not all(row.good for row in rows))


def start_server(folder: Path, port: int) -> "subprocess.Popen[bytes]":
    """`reasrm ui`, ready; a second one in the same folder goes on with the database of the first."""
    home = folder / "server"
    if not home.exists():
        home.mkdir()
        write_yaml(home / "dvc.yaml", {"stages": {}})
        (home / "flows").symlink_to(FLOWS, target_is_directory=True)
    log = (home / "log").open("a")
    server = subprocess.Popen(
        [*REASRM, "ui"], cwd=home, env=environment(str(port)), stdout=log, stderr=log, start_new_session=True
    )
    while not is_healthy(f"http://127.0.0.1:{port}/api"):
        if server.poll() is not None:
            raise SystemExit(f"the Prefect server ended:\n{(home / 'log').read_text()}")
        time.sleep(0.2)
    return server


def environment(port: str) -> dict[str, str]:
    """This interpreter first, and no server but the one at `port`."""
    chosen = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return chosen | {"PATH": path, "DVC_NO_ANALYTICS": "1", "PREFECT_SERVER_API_PORT": port}


def ask(url: str, body: dict[str, Any] | None = None) -> Any:
    """The JSON reply of a server to a GET, or to a POST of `body`."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.load(reply)


def prefect(place: Path, surroundings: dict[str, str], *words: str) -> None:
    """Run Prefect's own command in a folder, to its end."""
    command = [*PREFECT, *words]
    done = subprocess.run(command, cwd=place, env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def processes_in(project: Path) -> list[int]:
    """The processes that have the project as their working folder, in the order of their start."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (folder / "cwd").readlink() == project and (folder / "stat").read_text().rpartition(")")[2][1] != "Z":
                found.append(int(folder.name))
    return sorted(found)


def say(what: str) -> None:
    """Say how far it is."""
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)
