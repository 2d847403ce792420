"""The report's server: its files with their types, and nothing else, to nobody else; it ends with the UI."""

import http.client
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import psutil
import pytest

from flows.running.stage_outcome import FlowError, UsageError
from flows.server.report_link import report_port, serve_report, served_page
from flows.server.report_server import report_server
from tests.flows.processes import LONG, is_alive, survivors
from tests.flows.server.conftest import make_project, start_ui


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a report, a secret beside it, and links out of it."""
    report = tmp_path / "project/data/report"
    (report / "pages").mkdir(parents=True)
    (report / "index.html").write_text("<p>the report</p>")
    (report / "pages/traces.html").write_text("traces")
    for name in ("a.js", "a.css", "a.svg", "a.json", "a.unknown", "ä b.txt"):
        (report / name).write_text(name)
    (tmp_path / "project/data/secret.txt").write_text("secret")
    (tmp_path / "project/data/report-of-others").mkdir()
    (tmp_path / "project/data/report-of-others/secret.txt").write_text("secret")
    (report / "link.txt").symlink_to(tmp_path / "project/data/secret.txt")
    (report / "up").symlink_to(tmp_path / "project/data", target_is_directory=True)
    (report / "inside.txt").symlink_to(report / "a.json")
    return tmp_path / "project"


@pytest.fixture
def port(project: Path) -> Iterator[int]:
    server = report_server(project / "data/report", 0)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def asked(port: int, path: str, *, host: str = "127.0.0.1", method: str = "GET") -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host)
    connection.endheaders()
    reply = connection.getresponse()
    return reply.status, reply.headers.get("Content-Type", ""), reply.read()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/pages/traces.html", "text/html; charset=utf-8"),
        ("/pages/../a.js", "text/javascript; charset=utf-8"),
        ("/a.css", "text/css; charset=utf-8"),
        ("/a.svg?version=2", "image/svg+xml"),
        ("/a.json", "application/json"),
        ("/inside.txt", "application/json"),
        ("/a.unknown", "application/octet-stream"),
        ("/%C3%A4%20b.txt", "text/plain; charset=utf-8"),
    ],
)
def test_the_reports_files_come_with_their_types(port: int, path: str, kind: str) -> None:
    status, content_type, body = asked(port, path, host=f"localhost:{port}")
    assert (status, content_type) == (200, kind)
    assert body


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/pages/../../secret.txt",
        "//../secret.txt",
        "/../report-of-others/secret.txt",
        "/..\\secret.txt",
        "/link.txt",
        "/up/secret.txt",
        "/up/",
        "/pages/",
        "/pages",
        "/a.json/",
        "/a%00.json",
        "/%ff",
        "/none.html",
        "/etc/passwd",
        "//etc/passwd",
    ],
)
def test_nothing_outside_and_no_listing(port: int, path: str) -> None:
    status, _, body = asked(port, path)
    assert status in ({301, 404} if path == "/pages" else {404})
    assert b"secret" not in body
    assert b"root:" not in body
    assert b"traces.html" not in body


def test_only_reading_and_only_under_its_own_name(port: int) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert asked(port, "/index.html", method=method)[0] == 501
    assert asked(port, "/index.html", method="HEAD")[::2] == (200, b"")
    for host in ("evil.example", f"evil.example:{port}", "", "[", "127.0.0.1.evil.example"):
        assert asked(port, "/index.html", host=host)[0] == 421


def test_before_there_is_a_report_it_says_so(project: Path, port: int) -> None:
    (project / "data/report/index.html").unlink()
    status, _, body = asked(port, "/")
    assert status == 404
    assert b"There is no report yet" in body


def test_a_run_links_only_to_its_own_report(project: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REASRM_REPORT_PORT", raising=False)
    api = f"http://127.0.0.1:{port - 1}/api"
    assert served_page(project, api) == f"http://127.0.0.1:{port}/index.html"
    assert served_page(project, f"http://elsewhere.example:{port - 1}/api") is None
    assert served_page(project, "") is None
    other = project.parent / "other"
    (other / "data/report").mkdir(parents=True)
    (other / "data/report/index.html").write_text("another report")
    assert served_page(other, api) is None
    monkeypatch.setenv("REASRM_REPORT_PORT", "9")
    assert served_page(project, api) is None


def test_a_taken_port_and_a_wrong_one_are_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(FlowError, match=f"127.0.0.1:{taken.getsockname()[1]}, but Address already in use"):
            serve_report(project, taken.getsockname()[1])
    monkeypatch.setenv("REASRM_REPORT_PORT", "many")
    with pytest.raises(UsageError, match="REASRM_REPORT_PORT is many"):
        report_port(4200)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_it_is_served_as_long_as_the_ui_and_no_longer(tmp_path: Path, how: signal.Signals) -> None:
    root = tmp_path / "project"
    make_project(root)
    (root / "data/report").mkdir(parents=True)
    (root / "data/report/index.html").write_text("the report")
    (root / "data/secret.txt").write_text("secret")
    project = start_ui(root)
    assert asked(project.report_port, "/")[2] == b"the report"
    assert asked(project.report_port, "/../secret.txt")[0] == 404
    children = [child.pid for child in psutil.Process(project.ui.pid).children(recursive=True)]
    assert children
    assert all(is_alive(child) for child in children)
    os.kill(project.ui.pid, how)
    project.ui.wait(LONG)
    assert not survivors(children)
    with pytest.raises(ConnectionRefusedError):
        asked(project.report_port, "/")
