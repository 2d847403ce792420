"""Who may ask a served judge: programs on this machine, or whoever knows the token.

On loopback the `Host` header must name loopback too, and a body must be JSON by its content type: so no page in a
browser can ask, whatever name it gives this machine. On any other address a bearer token is required; it comes from the
environment, is compared in constant time, and is never printed.
"""

import os
import secrets
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.requests import Request

from reasrm.runtime.stage_main import StageError
from reasrm.serving.addresses import TOKEN, is_loopback
from reasrm.serving.service_errors import ServiceError

SHORTEST_TOKEN = 16
"""Characters: what is shorter can be guessed."""
OPEN_PATHS = ("/health",)
"""Asked by whatever watches the service; they hold nothing of anybody's."""


@dataclass(frozen=True)
class Access:
    """The rule of one service."""

    loopback: bool
    """Whether it listens on loopback alone."""
    token: bytes | None = field(repr=False)
    """What every request has to bear; None if nothing."""

    def check(self, request: Request) -> None:
        """Do nothing for a request that may be answered.

        Raises:
            ServiceError: it names another host than this one, or bears no token, or not the right one.
        """
        host = request.headers.get("host", "")
        if self.loopback and not is_loopback(_without_port(host)):
            raise ServiceError(
                HTTPStatus.MISDIRECTED_REQUEST, "header host", f"{host[:80]!r}: this service listens on loopback alone"
            )
        if self.token is None or request.url.path in OPEN_PATHS:
            return
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        # latin-1, as headers are decoded: any byte can come, and none may end in another error than this one
        known = secrets.compare_digest(given.strip().encode("latin-1"), self.token)
        if scheme.lower() != "bearer" or not known:
            raise ServiceError(
                HTTPStatus.UNAUTHORIZED,
                "header authorization",
                f"bears not the token: send `Bearer` and {TOKEN}'s value",
            )


def access_for(host: str) -> Access:
    """The rule for a service that listens on `host`, with the token of the environment.

    Raises:
        StageError: the host is not loopback and there is no token, or the token is no token.
    """
    given, loopback = os.environ.get(TOKEN), is_loopback(host)
    if given is None:
        if not loopback:
            raise StageError(
                f"--host {host} can be reached from other machines, which needs a token: set {TOKEN} to at least "
                f"{SHORTEST_TOKEN} characters (`openssl rand -hex 24`) here and where the clients run"
            )
        return Access(loopback, None)
    if len(given) < SHORTEST_TOKEN or not given.isascii() or not given.isprintable() or " " in given:
        raise StageError(
            f"{TOKEN} must have at least {SHORTEST_TOKEN} printable ASCII characters without a space, "
            f"and this has {len(given)} characters or others among them"
        )
    return Access(loopback, given.encode())


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0][1:]
    return host.partition(":")[0]
