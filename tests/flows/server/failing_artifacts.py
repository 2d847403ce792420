"""A way to a Prefect server on which everything passes but artifacts: those hang a while, then are refused."""

import http.client
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HANGS_SECONDS = 8.0


class FailingArtifacts(BaseHTTPRequestHandler):
    """Passes requests on to the port that `failing_artifacts` sets."""

    target: int
    protocol_version = "HTTP/1.1"

    def pass_on(self) -> None:
        """Send the request on and the reply back, or refuse it late."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/api/artifacts"):
            time.sleep(HANGS_SECONDS)
            status, kind, reply = 500, "text/plain", b"no artifacts today"
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.target, timeout=60)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "accept-encoding"}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            status, kind, reply = answer.status, answer.headers.get("Content-Type", ""), answer.read()
            connection.close()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if status != 204:
            self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = pass_on  # noqa: N815  names of the standard library

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


def failing_artifacts(target: int) -> ThreadingHTTPServer:
    """A server on a free port of loopback, not yet serving, before the Prefect server on the port `target`."""
    handler = type("Handler", (FailingArtifacts,), {"target": target})
    return ThreadingHTTPServer(("127.0.0.1", 0), handler)
