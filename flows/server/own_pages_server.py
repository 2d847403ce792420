"""Prefect's server for this machine and its own pages: whatever another site's page asks of it is refused.

Run:     python -P flows/server/own_pages_server.py     (`reasrm ui` does it, and sets host, port and origins)

It is what `prefect server start` runs, with the settings of that command, behind two questions that Prefect does not
ask. Which name is the server called by? A foreign one is a site's that points to this machine (DNS rebinding), whose
pages a browser takes for the server's own. Which page asks? CORS, Prefect's own guard, hides replies from pages of
other origins, but lets their requests in: a form's, and one without a content type, which Prefect takes for JSON and
which may create a flow run. And it does not cover websockets: events in and out, and the lines of logs.
"""

from collections.abc import Collection
from http import HTTPStatus
from urllib.parse import urlsplit

import uvicorn
from prefect.server.api.server import create_app
from prefect.settings import get_current_settings
from starlette.datastructures import Headers
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

NO_PART_OF_OTHER_PAGES = [("X-Frame-Options", "SAMEORIGIN"), ("Cross-Origin-Resource-Policy", "same-origin")]
"""Neither a frame, in which a user clicks unawares, nor a script or an image."""


class OwnOriginMiddleware:
    """Lets in the requests and websockets of pages of `origins`, and of programs, which name no origin."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        """Guard `app`; an origin is scheme, host and port (unless that is the scheme's own) as browsers write it."""
        self.app = app
        self.origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 where a page of another origin asks, else let the application answer."""
        answer: ASGIApp = self.app
        if scope["type"] in {"http", "websocket"}:
            named = Headers(scope=scope).getlist("origin")
            if any(origin not in self.origins for origin in named):
                answer = PlainTextResponse("Pages of other origins may not call this server", HTTPStatus.FORBIDDEN)
        await answer(scope, receive, send)


def serve() -> None:
    """Serve until SIGINT or SIGTERM.

    Raises:
        SystemExit: the server could not start, which its log tells.
    """
    settings = get_current_settings().server
    origins = settings.api.cors_allowed_origins.split(",")
    # Around the application, not in it: its own services (automations, notifications) ask it under a name of their own.
    guarded = OwnOriginMiddleware(create_app(final=True), origins)
    try:
        uvicorn.run(
            TrustedHostMiddleware(guarded, [urlsplit(origin).hostname or "" for origin in origins]),
            host=settings.api.host,
            port=settings.api.port,
            timeout_keep_alive=settings.api.keepalive_timeout,
            ws_ping_interval=settings.api.websocket_ping_interval,
            ws_ping_timeout=settings.api.websocket_ping_timeout,
            log_level=settings.logging_level.lower(),
            headers=NO_PART_OF_OTHER_PAGES,
        )
    except SystemExit as failed:
        raise SystemExit("reasrm ui: Prefect's server could not start; the lines above say why") from failed


if __name__ == "__main__":
    serve()
