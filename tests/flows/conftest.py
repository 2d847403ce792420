"""A small DVC project of toy stages: real DVC, real Prefect, no model."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.server.prefect_server import is_healthy
from reasrm.runtime.yaml_files import write_yaml
from tests.flows.processes import free_ports
from tests.flows.toy_ablation import make_project
from tests.flows.toy_project import PARAMS, PIPELINE, TOY, Reasrm, become_clone, environment


@pytest.fixture(scope="session")
def toy_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh toy project in git, nothing run."""
    root = tmp_path_factory.mktemp("template") / "toy"
    root.mkdir()
    shutil.copy(TOY, root / "toy_stage.py")
    write_yaml(root / "dvc.yaml", {"stages": PIPELINE})
    write_yaml(root / "params.yaml", PARAMS)
    (root / "a.in").write_text("start\n")
    become_clone(root)
    (root / ".gitignore").write_text("out/\nwork/\n.prefect/\nflows\n")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q"], cwd=root, check=True, env=environment())
    (root / ".dvcignore").write_text("work/\n.prefect/\n")
    return root


@pytest.fixture
def toy(toy_template: Path, tmp_path: Path) -> Path:
    """A copy of the toy project for one test."""
    shutil.copytree(toy_template, tmp_path / "toy", symlinks=True)
    return tmp_path / "toy"


@pytest.fixture(scope="session")
def ablation_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy project with the judges of the paper's table 2, nothing run."""
    root = tmp_path_factory.mktemp("ablation") / "project"
    make_project(root)
    return root


@pytest.fixture
def ablation_project(ablation_template: Path, tmp_path: Path) -> Path:
    """A copy of it for one test."""
    shutil.copytree(ablation_template, tmp_path / "project", symlinks=True)
    return tmp_path / "project"


@pytest.fixture(scope="session")
def server_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the flow tests' Prefect server runs."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="session")
def server_port(server_root: Path) -> Iterator[int]:
    """A Prefect server on loopback for the flow tests, started as a user starts it."""
    port, report_port = free_ports(2)
    root = server_root
    (root / "dvc.yaml").write_text("stages: {}\n")
    become_clone(root)
    surroundings = environment() | {"PREFECT_SERVER_API_PORT": str(port), "REASRM_REPORT_PORT": str(report_port)}
    server = subprocess.Popen(
        [sys.executable, "-m", "reasrm.cli", "ui"],
        cwd=root,
        env=surroundings,
        stdout=(root / "log").open("w"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    for _ in range(600):
        if is_healthy(f"http://127.0.0.1:{port}/api"):
            break
        assert server.poll() is None, (root / "log").read_text()
        time.sleep(0.5)
    yield port
    server.terminate()
    try:
        server.wait(15)
    except subprocess.TimeoutExpired:
        server.kill()


@pytest.fixture
def reasrm(toy: Path) -> Reasrm:
    """Run `reasrm` in the toy project; keyword arguments are environment variables."""

    def call(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "reasrm.cli", *words]
        return subprocess.run(
            command, cwd=toy, env=environment() | variables, capture_output=True, text=True, check=False
        )

    return call
