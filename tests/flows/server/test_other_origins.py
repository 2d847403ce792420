"""`reasrm ui` answers this machine's programs and its own pages; no page that a browser has open beside it."""

import http.client
import json
import socket
from http import HTTPStatus

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from tests.flows.running.test_flow_run import requested

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SOCKETS = ["/api/events/in", "/api/events/out", "/api/logs/out"]
OWN_ORIGINS = ["http://127.0.0.1:PORT", "http://localhost:PORT"]
OTHER_ORIGINS = [
    "https://example.org",
    "null",
    "http://127.0.0.1:1",
    "http://localhost",
    "http://localhost:PORT.example",
]
OTHER_NAMES = ["rebound.example:PORT", "rebound.example", "127.0.0.1.example:PORT", "localhost.example", ""]


def asked(port: int, method: str, path: str, body: str = "", **headers: str) -> tuple[int, dict[str, str]]:
    """Status and headers of the reply; no header but those named here, and no type of the content."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in ({"Host": f"127.0.0.1:{port}", "Content-Length": str(len(body))} | headers).items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders(body.encode())
    with connection.getresponse() as reply:
        reply.read()
        return reply.status, {name.lower(): value for name, value in reply.getheaders()}


def opened(port: int, path: str, origin: str | None, host: str = "127.0.0.1") -> str:
    """The first word of the server on a websocket, after ours."""
    chosen = None if origin is None else Origin(origin.replace("PORT", str(port)))
    line = socket.create_connection(("127.0.0.1", port))
    protocols = [Subprotocol("prefect")]
    with connect(
        f"ws://{host}:{port}{path}", sock=line, origin=chosen, subprotocols=protocols, proxy=None
    ) as connection:
        connection.send(json.dumps({"type": "auth", "token": None}))
        return str(json.loads(connection.recv(30))["type"])


@pytest.mark.parametrize("path", SOCKETS)
@pytest.mark.parametrize("origin", OTHER_ORIGINS)
def test_no_page_of_another_origin_opens_a_websocket(server_port: int, path: str, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        opened(server_port, path, origin)
    assert refused.value.response.status_code == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("path", SOCKETS)
@pytest.mark.parametrize("origin", [None, *OWN_ORIGINS])
def test_programs_and_own_pages_open_websockets(server_port: int, path: str, origin: str | None) -> None:
    """Prefect's clients name no origin; by a tunnel they call the server `localhost` or 127.0.0.1."""
    for host in ("127.0.0.1", "localhost"):
        assert opened(server_port, path, origin, host) == "auth_success"


@pytest.mark.parametrize("path", SOCKETS)
def test_a_page_whose_name_points_to_this_machine_opens_no_websocket(server_port: int, path: str) -> None:
    for origin in ("http://rebound.example:PORT", None):
        with pytest.raises(InvalidStatus) as refused:
            opened(server_port, path, origin, "rebound.example")
        assert refused.value.response.status_code == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("path", ["/api/health", "/", "/v2/", "/docs", "/ui-settings"])
def test_under_a_foreign_name_nothing_is_served(server_port: int, path: str) -> None:
    for name in OTHER_NAMES:
        assert asked(server_port, "GET", path, Host=name.replace("PORT", str(server_port)))[0] == HTTPStatus.BAD_REQUEST
    for name in ("127.0.0.1", "localhost", f"localhost:{server_port}", "LOCALHOST:4200"):
        status, headers = asked(server_port, "GET", path, Host=name)
        assert status == HTTPStatus.OK
        assert headers["x-frame-options"] == "SAMEORIGIN"
        assert headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("origin", OTHER_ORIGINS)
def test_a_page_of_another_origin_changes_nothing_unseen(server_port: int, origin: str) -> None:
    """CORS hides the reply alone; and what names no type Prefect takes for JSON, for which no browser asks before."""
    foreign = origin.replace("PORT", str(server_port))
    name = f"made by {foreign}".replace("/", "-")
    body = json.dumps({"name": name})
    assert asked(server_port, "POST", "/api/flows/", body, Origin=foreign)[0] == HTTPStatus.FORBIDDEN
    assert not requested(server_port, "flows/filter", flows={"name": {"any_": [name]}})


@pytest.mark.parametrize("origin", [*OTHER_ORIGINS, *OWN_ORIGINS])
def test_a_browser_that_asks_before_it_sends_hears_no(server_port: int, origin: str) -> None:
    """Who can create a flow run names the command of its process, so no page that is open beside may."""
    named = origin.replace("PORT", str(server_port))
    _, headers = asked(
        server_port,
        "OPTIONS",
        "/api/flow_runs/",
        Origin=named,
        Access_Control_Request_Method="POST",
        Access_Control_Request_Headers="content-type",
    )
    assert headers.get("access-control-allow-origin") == (named if origin in OWN_ORIGINS else None)
