"""A small DVC project whose stages have the names and lines of real ones, and a UI of its own."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from flows.server.prefect_server import is_healthy
from reasrm.runtime.yaml_files import write_yaml
from tests.flows.processes import LONG, free_ports
from tests.flows.toy_project import become_clone, environment

STAGE = Path(__file__).with_name("shown_stage.py")
PIPELINE = {
    "train": {"cmd": "python shown_stage.py train data/curves/train", "outs": ["data/curves/train"]},
    "distill_traces": {
        "foreach": ["first"],
        "do": {"cmd": "python shown_stage.py ask data/traces", "outs": ["data/traces"]},
    },
    "flood": {"cmd": "python shown_stage.py flood data/flood", "outs": ["data/flood"]},
    "report": {"cmd": "python shown_stage.py report data/report", "outs": ["data/report"]},
}


class Project(NamedTuple):
    """A project and the environment in which its UI runs and its commands find it."""

    root: Path
    environment: dict[str, str]
    ui: "subprocess.Popen[bytes]"
    port: int
    report_port: int

    def reasrm(self, *words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run `reasrm` there."""
        command = [sys.executable, "-m", "reasrm.cli", *words]
        surroundings = self.environment | variables
        return subprocess.run(command, cwd=self.root, env=surroundings, capture_output=True, text=True, check=False)


def make_project(root: Path) -> None:
    """A fresh project with one commit, nothing run."""
    root.mkdir()
    shutil.copy(STAGE, root / STAGE.name)
    write_yaml(root / "dvc.yaml", {"stages": PIPELINE})
    write_yaml(root / "params.yaml", {"train": {"steps": 9}})
    become_clone(root)
    (root / ".gitignore").write_text("data/\nwork/\n.prefect/\nflows\nlog\n")
    (root / ".dvcignore").write_text("work/\n.prefect/\n")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q"], cwd=root, check=True, env=environment())
    author = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", "add", "-A"], cwd=root, check=True)
    subprocess.run(["git", *author, "commit", "-qm", "Start"], cwd=root, check=True)


def start_ui(root: Path, ports: tuple[int, int] | None = None) -> Project:
    """`reasrm ui` in the project, when it answers; at ports that nobody uses, or at those of one that ended."""
    port, report_port = ports or free_ports(2)
    surroundings = environment() | {"PREFECT_SERVER_API_PORT": str(port), "REASRM_REPORT_PORT": str(report_port)}
    command = [sys.executable, "-m", "reasrm.cli", "ui"]
    log = (root / "log").open("a")
    ui = subprocess.Popen(command, cwd=root, env=surroundings, stdout=log, stderr=log, start_new_session=True)
    deadline = time.monotonic() + LONG
    while not is_healthy(f"http://127.0.0.1:{port}/api"):
        assert ui.poll() is None, (root / "log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return Project(root, surroundings, ui, port, report_port)


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The project with its UI."""
    root = tmp_path_factory.mktemp("shown") / "project"
    make_project(root)
    project = start_ui(root)
    yield project
    project.ui.terminate()
    try:
        project.ui.wait(15)
    except subprocess.TimeoutExpired:
        project.ui.kill()
