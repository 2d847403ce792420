"""Pages in a real Chromium: one of another origin gets nothing from `reasrm ui`, the UI's own pages all."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from tests.flows.running.test_flow_run import requested

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
LOADING_MS = 120_000
SOCKETS = ["events/in", "events/out", "logs/out"]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no {CHROMIUM}: apt-get install chromium"),
]

READ = "api => fetch(api + '/health').then(reply => reply.text(), () => 'refused')"
CREATE_UNSEEN = """([api, name]) => fetch(api + '/flows/', {
    method: 'POST', mode: 'no-cors', body: new Blob([JSON.stringify({name})])
}).then(() => 'sent', () => 'refused')"""
CREATE = """([api, name]) => fetch(api + '/flows/', {
    method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify({name})
}).then(reply => reply.status, () => 'refused')"""
OPEN = """([api, path]) => new Promise(done => {
    const socket = new WebSocket(api.replace('http', 'ws') + '/' + path, 'prefect')
    socket.onopen = () => socket.send(JSON.stringify({type: 'auth', token: null}))
    socket.onmessage = message => done(JSON.parse(message.data).type)
    socket.onerror = () => done('refused')
    socket.onclose = () => done('closed')
})"""


class OtherPage(BaseHTTPRequestHandler):
    """A page of another site."""

    def do_GET(self) -> None:
        """Send it."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>another site</title>")

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@pytest.fixture
def other_site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), OtherPage)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def page() -> "Iterator[Page]":
    """A page of a browser in which rebound.example is a name of this machine."""
    from playwright.sync_api import sync_playwright

    words = ["--no-sandbox", "--no-proxy-server", "--host-resolver-rules=MAP rebound.example 127.0.0.1"]
    with sync_playwright() as playwright:
        browser: Browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=words)
        page = browser.new_page()
        page.set_default_timeout(LOADING_MS)
        yield page
        browser.close()


def flows_named(port: int, name: str) -> list[Any]:
    found: list[Any] = requested(port, "flows/filter", flows={"name": {"any_": [name]}})
    return found


def test_a_page_of_another_origin_gets_nothing(server_port: int, other_site: str, page: "Page") -> None:
    page.goto(other_site)
    assert page.title() == "another site"
    for host in ("127.0.0.1", "localhost"):
        api = f"http://{host}:{server_port}/api"
        assert page.evaluate(READ, api) == "refused"
        assert page.evaluate(CREATE, [api, "seen"]) == "refused"
        page.evaluate(CREATE_UNSEEN, [api, "unseen"])
        assert not flows_named(server_port, "seen")
        assert not flows_named(server_port, "unseen")
        for path in SOCKETS:
            assert page.evaluate(OPEN, [api, path]) == "refused", path


def test_a_page_whose_name_points_to_this_machine_gets_nothing(server_port: int, page: "Page") -> None:
    """The browser takes it for a page of the server's own origin: CORS and origins do not hold it."""
    api = f"http://rebound.example:{server_port}/api"
    shown = page.goto(f"http://rebound.example:{server_port}/")
    assert shown is not None
    assert shown.status == 400
    assert page.evaluate(READ, api) == "Invalid host header"
    assert page.evaluate(CREATE, [api, "rebound"]) == 400
    for path in SOCKETS:
        assert page.evaluate(OPEN, [api, path]) == "refused", path
    assert not flows_named(server_port, "rebound")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_uis_own_pages_work(server_port: int, page: "Page", host: str) -> None:
    """Also under the server's other name, from which the API is another origin."""
    refused: list[str] = []
    called: set[str] = set()
    own = (f"http://127.0.0.1:{server_port}/", f"http://localhost:{server_port}/")

    def look(url: str, status: int) -> None:
        called.add(url)
        if url.startswith(own) and status >= 400:
            refused.append(f"{status} {url}")

    page.on("response", lambda reply: look(reply.url, reply.status))
    page.goto(f"http://{host}:{server_port}/flows")
    page.get_by_role("heading").or_(page.get_by_text("Flows", exact=True)).first.wait_for()
    page.wait_for_load_state("networkidle")
    api = f"http://127.0.0.1:{server_port}/api"
    assert any(url.startswith(f"{api}/") for url in called), "the page called no API"
    assert not refused
    assert page.evaluate(READ, api) == "true"
    assert page.evaluate(CREATE, [api, f"own-{host}"]) == 201
    assert flows_named(server_port, f"own-{host}")
    for path in SOCKETS:
        assert page.evaluate(OPEN, [api, path]) == "auth_success", path
