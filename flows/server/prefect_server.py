"""Prefect's server: found, or started with its UI.

Prefect reads its settings when it is imported, so `prepare_prefect` comes before that.
"""

import gc
import json
import os
import sys
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from flows.running.stage_outcome import FlowError, UsageError
from flows.running.stage_process import NO_TELEMETRY
from flows.server.report_link import refuse_taken_port, report_port, serve_report
from reasrm.runtime.terminal import say

HOST = "127.0.0.1"
DEFAULT_PORT, LAST_PORT, HTTP_PORT = 4200, 65535, 80
PORT_VARIABLE = "PREFECT_SERVER_API_PORT"
PROBE_SECONDS = 5.0
SERVER = Path(__file__).with_name("own_pages_server.py")

SETTINGS = {
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
}
"""The last: who holds a place of a limit. A restarted server would know none of those that it keeps in memory, its
default: none can be prolonged, for which Prefect terminates the runs of deployments with a limit."""


def prepare_prefect(root: Path, api_url: str | None) -> None:
    """Set what Prefect reads when it is imported; call it before. A variable that the user set stays.

    Args:
        root: the project, whose `.prefect` holds Prefect's own files.
        api_url: the server to report to; None before there is one.
    """
    home = os.environ.get("PREFECT_HOME", str(root / ".prefect"))
    own = {"PREFECT_HOME": home, "PREFECT_SERVER_MEMO_STORE_PATH": str(Path(home, "memo_store.toml"))}
    for name, value in {**NO_TELEMETRY, **SETTINGS, **own}.items():
        os.environ.setdefault(name, value)
    if api_url is not None:
        os.environ["PREFECT_API_URL"] = api_url


@contextmanager
def quick_import() -> Iterator[None]:
    """Import Prefect within the block in half the processor time: 1.0 s in place of 2.0 with the process's end.

    Where pandas is installed Prefect imports it, to know data frames among the parameters of tasks; this project passes
    none. And what is imported stays: the garbage collector need not look through it again and again, nor at the end.
    """
    without_pandas = "pandas" not in sys.modules
    if without_pandas:
        sys.modules["pandas"] = None  # type: ignore[assignment]  # `import pandas` then says that there is none
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
        if without_pandas:
            del sys.modules["pandas"]


def start_ui_server(root: Path) -> None:
    """Become the Prefect server with its UI, on loopback, with the report served beside it; does not return.

    The port is `PREFECT_SERVER_API_PORT` or 4200; the UI must be told too, or it calls 4200 whatever the port. Pages of
    other origins may not call the API, as by Prefect's default they may: whoever can create a flow run can name the
    command of its process. `own_pages_server.py` sees to what CORS leaves open.

    Raises:
        FlowError: the server's port or the report's is taken.
    """
    port = server_port()
    refuse_taken_port(port, "Prefect's UI", PORT_VARIABLE)
    serve_report(root, report_port(port))
    say(f"Prefect's UI is served at http://{HOST}:{port}/")
    say(f"The report is served at http://{HOST}:{report_port(port)}/")
    prepare_prefect(root, None)
    api = f"http://{HOST}:{port}/api"
    chosen = {
        "PREFECT_SERVER_API_HOST": HOST,
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_UI_API_URL": api,
        "PREFECT_API_URL": api,
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": ",".join(own_origins(port)),
    }
    os.environ.update(NO_TELEMETRY | chosen)
    os.execv(sys.executable, [sys.executable, "-P", str(SERVER)])  # noqa: S606  no shell is wanted


def own_origins(port: int) -> list[str]:
    """The origins of the server's own pages as browsers write them, which leave out the port of http."""
    colon = "" if port == HTTP_PORT else f":{port}"
    return [f"http://{HOST}{colon}", f"http://localhost{colon}"]


def server_port() -> int:
    """The port of this machine's Prefect server: `PREFECT_SERVER_API_PORT`, or 4200.

    Raises:
        UsageError: the variable names none.
    """
    port = os.environ.get(PORT_VARIABLE, str(DEFAULT_PORT))
    if not port.isdecimal() or not 0 < int(port) <= LAST_PORT:
        raise UsageError(f"{PORT_VARIABLE} is {port!r}: set it to a port (1 to {LAST_PORT}), or unset it")
    return int(port)


def find_server() -> str | None:
    """The API address of the Prefect server to report to, or None if there is none.

    One that the user named (`PREFECT_API_URL`, or the active profile of a `PREFECT_HOME` of theirs) is taken; else the
    server that `reasrm ui` starts, if it answers.

    Raises:
        FlowError: the named server does not answer.
    """
    named = os.environ.get("PREFECT_API_URL") or _profile_url()
    url = named or f"http://{HOST}:{server_port()}/api"
    if is_healthy(url):
        return url
    if named:
        raise FlowError(
            f"PREFECT_API_URL is {named}, but no Prefect server answers there: start it (`reasrm ui`), or unset "
            f"the variable"
        )
    return None


def is_healthy(api_url: str) -> bool:
    """Whether a Prefect server answers at `api_url`; one elsewhere may answer that it wants a key first."""
    local = urlsplit(api_url).hostname in {HOST, "localhost", "::1"}
    opener = urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if local else []))
    try:
        with opener.open(f"{api_url}/health", timeout=PROBE_SECONDS) as reply:
            return json.load(reply) is True
    except urllib.error.HTTPError as refusal:
        return not local and refusal.code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
    except (OSError, ValueError):
        return False


def _profile_url(environment: Mapping[str, str] = os.environ) -> str | None:
    """`PREFECT_API_URL` in the active profile of the user's own Prefect home, if they set one."""
    home = environment.get("PREFECT_HOME")
    path = Path(home or "", "profiles.toml")
    if not home or not path.is_file():
        return None
    try:
        profiles = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FlowError(f"{path} is no TOML file: {error}; mend it, or set PREFECT_API_URL") from error
    active = environment.get("PREFECT_PROFILE") or profiles.get("active")
    found = profiles.get("profiles", {}).get(active, {}).get("PREFECT_API_URL")
    return str(found) if found else None
