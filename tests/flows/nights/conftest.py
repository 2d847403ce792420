"""A project of nights with its remotes, and `reasrm` in it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.toy_nights import Command, commit, dvc, git, make_nights_project
from tests.flows.toy_project import environment


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of nights with its remotes, nothing run."""
    return make_nights_project(tmp_path_factory.mktemp("nights"))


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Path:
    """A copy of it with remotes of its own."""
    shutil.copytree(template.parent, tmp_path / "nights", symlinks=True)
    root = tmp_path / "nights/project"
    git(root, "remote", "set-url", "origin", str(tmp_path / "nights/git"))
    dvc(root, "remote", "modify", "-q", "store", "url", str(tmp_path / "nights/dvc"))
    commit(root, "remote")
    git(root, "push", "-q")
    return root


@pytest.fixture
def reasrm(project: Path, server_port: int) -> Command:
    """Run `reasrm` in the project, or in another folder, with the Prefect server of these tests."""

    def call(*words: str, cwd: Path = project, **variables: str) -> subprocess.CompletedProcess[str]:
        surroundings = environment() | {"PREFECT_SERVER_API_PORT": str(server_port)} | variables
        command = [sys.executable, "-m", "reasrm.cli", *words]
        return subprocess.run(command, cwd=cwd, env=surroundings, capture_output=True, text=True, check=False)

    return call
