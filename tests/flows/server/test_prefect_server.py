"""Which Prefect server a run reports to, and what importing Prefect leaves out."""

import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from flows.running.stage_outcome import FlowError, UsageError
from flows.server.prefect_server import find_server, own_origins
from tests.flows.toy_project import become_clone, environment


class Health(BaseHTTPRequestHandler):
    """Answers as Prefect's health route does."""

    def do_GET(self) -> None:
        """Be well under the one path that a run asks."""
        self.send_response(200 if self.path == "/api/health" else 404)
        self.end_headers()
        self.wfile.write(b"true")

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@pytest.fixture(autouse=True)
def no_prefect(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PREFECT_API_URL", "PREFECT_HOME", "PREFECT_PROFILE", "PREFECT_SERVER_API_PORT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def port() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Health)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


def test_a_server_on_this_machine_is_found_by_its_port(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_SERVER_API_PORT", str(port))
    assert find_server() == f"http://127.0.0.1:{port}/api"


def test_without_a_server_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_SERVER_API_PORT", "9")
    assert find_server() is None


def test_a_named_server_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    with pytest.raises(FlowError, match=r"127\.0\.0\.1:9/api, but no Prefect server answers"):
        find_server()


def test_the_users_own_profile_names_a_server(port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"http://127.0.0.1:{port}/api"
    (tmp_path / "profiles.toml").write_text(f'active = "mine"\n[profiles.mine]\nPREFECT_API_URL = "{url}"\n')
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    assert find_server() == url


QUICKLY = """
import gc, sys
from flows.server.prefect_server import quick_import
with quick_import():
    import prefect.cache_policies
assert not any(name.startswith("pandas") for name in sys.modules), "pandas was imported, or is still hidden"
assert gc.isenabled()
import pandas
"""


@pytest.mark.slow
def test_prefect_is_imported_without_pandas_which_others_may_import_afterwards(tmp_path: Path) -> None:
    surroundings = environment() | {"PREFECT_HOME": str(tmp_path), "PYTHONPATH": str(Path.cwd())}
    subprocess.run([sys.executable, "-c", QUICKLY], env=surroundings, check=True)


@pytest.mark.parametrize("port", ["abc", "0", "65536", "-1", ""])
def test_a_port_that_is_none_is_told(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_SERVER_API_PORT", port)
    with pytest.raises(UsageError, match="PREFECT_SERVER_API_PORT is"):
        find_server()


def test_half_a_file_of_profiles_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "profiles.toml").write_text('active = "')
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    with pytest.raises(FlowError, match=r"profiles\.toml is no TOML file"):
        find_server()


@pytest.mark.parametrize(("port", "colon"), [(4200, ":4200"), (80, "")])
def test_the_own_origins_are_written_as_browsers_write_them(port: int, colon: str) -> None:
    assert own_origins(port) == [f"http://127.0.0.1{colon}", f"http://localhost{colon}"]


def test_a_taken_port_is_told_before_anything_starts(port: int, tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    become_clone(tmp_path)
    ended = subprocess.run(
        [sys.executable, "-m", "reasrm.cli", "ui"],
        cwd=tmp_path,
        env=environment() | {"PREFECT_SERVER_API_PORT": str(port)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert f"Prefect's UI is to be served on 127.0.0.1:{port}, but Address already in use" in ended.stderr
    assert "set PREFECT_SERVER_API_PORT to a free one" in ended.stderr
    assert not (tmp_path / ".prefect").exists()
