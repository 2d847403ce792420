"""The report over HTTP, for the link in Prefect's UI: browsers open no file:// address from a page of http.

Run:     python flows/server/report_server.py FOLDER PORT     (`reasrm ui` does it; standard library only)

Loopback only, and only what lies in the folder: no listing, nothing that a link or `..` leads to outside. Other sites
that a browser has open can neither read it nor load its scripts.
"""

import os
import posixpath
import sys
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

HOST = "127.0.0.1"
OWN_NAMES = frozenset({HOST, "localhost"})
"""What a browser on this machine calls it; another name is a foreign site's that points here."""
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".md": "text/plain; charset=utf-8",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".tsv": "text/tab-separated-values; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}
HEADERS = {
    "Cache-Control": "no-cache",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class ReportHandler(SimpleHTTPRequestHandler):
    """Answers GET and HEAD with the files of one folder."""

    extensions_map = TYPES | {"": "application/octet-stream"}
    server_version, sys_version = "report", ""
    timeout = 60.0
    """Seconds after which a silent connection is closed."""

    def send_head(self) -> BytesIO | BinaryIO | None:
        """Refuse a request under a foreign name, then send the file, or that there is none."""
        if self.headers.get("Host", "").partition(":")[0] not in OWN_NAMES:
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, "This server has no such name")
            return None
        if not Path(self.directory, "index.html").is_file():
            self.send_error(HTTPStatus.NOT_FOUND, "There is no report yet: reasrm run makes it")
            return None
        return super().send_head()

    def translate_path(self, path: str) -> str:
        """The file that is meant; one that cannot be there for what lies outside."""
        folder = Path(self.directory).resolve()
        asked = posixpath.normpath(unquote(urlsplit(path).path, errors="replace")).lstrip("/")
        if "\0" in asked:
            return f"{os.devnull}/"
        file = (folder / asked).resolve()
        slash = "/" * path.endswith("/")
        return f"{file}{slash}" if file.is_relative_to(folder) else f"{os.devnull}/"

    def list_directory(self, path: str | os.PathLike[str]) -> None:
        """List nothing."""
        self.send_error(HTTPStatus.NOT_FOUND)

    def end_headers(self) -> None:
        """Add what keeps other sites out."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_words: object) -> None:
        """Write no line per request."""


def report_server(folder: Path, port: int) -> ThreadingHTTPServer:
    """A server of `folder` on loopback, bound but not yet serving; port 0 takes a free one.

    Raises:
        OSError: the port is taken.
    """
    return ThreadingHTTPServer((HOST, port), partial(ReportHandler, directory=str(folder)))


if __name__ == "__main__":
    report_server(Path(sys.argv[1]), int(sys.argv[2])).serve_forever()
