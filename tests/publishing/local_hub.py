"""A hub on loopback that takes a new repository and one commit with the files in it, as huggingface_hub sends them."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "0" * 40


class LocalHub:
    """What was sent to it."""

    def __init__(self) -> None:
        self.address = ""
        self.created: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.tokens: set[str] = set()
        self.status = 200

    def answer(self, path: str, body: bytes) -> dict[str, Any]:
        """The hub's reply to a request, which is kept."""
        if path == "/api/repos/create":
            self.created.append(json.loads(body))
            return {"url": f"{self.address}/someone/judge", "id": "someone/judge", "name": "someone/judge"}
        if "/preupload/" in path:
            files = json.loads(body)["files"]
            return {"files": [{"path": one["path"], "uploadMode": "regular", "shouldIgnore": False} for one in files]}
        if "/commit/" in path:
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    assert line["value"]["encoding"] == "base64"
                    self.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            return {"success": True, "commitOid": COMMIT, "commitUrl": f"{self.address}/someone/judge/commit/{COMMIT}"}
        return {"errors": [], "warnings": []}


@contextmanager
def local_hub() -> Iterator[LocalHub]:
    """The hub, up within the block."""
    hub = LocalHub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            chunked = self.headers.get("Transfer-Encoding") == "chunked"
            body = self._chunks() if chunked else self.rfile.read(int(self.headers["Content-Length"]))
            hub.tokens.add(self.headers.get("Authorization", ""))
            found = {"error": "no"} if hub.status != 200 else hub.answer(self.path.partition("?")[0], body)
            content = json.dumps(found).encode()
            self.send_response(hub.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _chunks(self) -> bytes:
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
