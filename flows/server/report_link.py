"""Where the report is served: beside the UI, and what a run may link to."""

import os
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from flows.running.run_results import PAGE
from flows.running.stage_outcome import FlowError, UsageError
from flows.running.stage_process import SUPERVISED
from flows.server.report_server import HOST, OWN_NAMES

PORT_VARIABLE = "REASRM_REPORT_PORT"
PROBE_SECONDS = 5.0
SERVER = Path(__file__).with_name("report_server.py")


def report_port(server_port: int) -> int:
    """The report's port: `REASRM_REPORT_PORT`, or the one after the Prefect server's.

    Raises:
        UsageError: the variable names no port.
    """
    named = os.environ.get(PORT_VARIABLE) or str(server_port + 1)
    if not named.isdecimal() or not 0 < int(named) < 2**16:
        raise UsageError(f"{PORT_VARIABLE} is {named}, which is no port: set it to a number from 1 to 65535")
    return int(named)


def refuse_taken_port(port: int, what: str, variable: str) -> None:
    """Make sure that `what` can be served on loopback at `port`, which `variable` sets.

    Raises:
        FlowError: it is taken, or not for this user.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise FlowError(
                f"{what} is to be served on {HOST}:{port}, but {error.strerror}: end what uses the port, or set "
                f"{variable} to a free one"
            ) from error


def serve_report(root: Path, port: int) -> None:
    """Serve the project's report beside this process: until it ends, however it ends, also as another program.

    Raises:
        FlowError: the port is taken.
    """
    refuse_taken_port(port, "the report", PORT_VARIABLE)
    command = [*SUPERVISED, sys.executable, "-S", str(SERVER), str((root / PAGE).parent), str(port)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    assert process.stdin is not None
    # The supervisor ends the server when the last holder of this pipe is gone: the program that this one becomes.
    os.set_inheritable(process.stdin.fileno(), True)


def served_page(root: Path, api_url: str) -> str | None:
    """The address at which a browser beside the Prefect server finds this project's report; None if it is not there.

    A server on this machine may be another checkout's: only one that sends this report's own bytes counts.
    """
    api = urlsplit(api_url)
    if api.hostname not in OWN_NAMES or api.port is None:
        return None
    address = f"http://{HOST}:{report_port(api.port)}/{PAGE.name}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=PROBE_SECONDS) as reply:
            return address if reply.read() == (root / PAGE).read_bytes() else None
    except (OSError, ValueError):
        return None
