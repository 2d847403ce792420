"""Posting as the SDK does, without its work per request: the SDK's own request is taken as a template.

The first requests of a run go through the SDK. What it sent (address, key, every other header) is the same for each
request, so later bodies are posted with it over one aiohttp session: building each request anew, and its answer twice,
takes the SDK three times the CPU of the posting itself (`benchmarks/README.md`).

Nothing here knows of keys, addresses or versions: they come from the SDK, and wherever a request of the SDK's could
differ from the one before (credentials that expire, a proxy, a redirect, somebody who reads its logs) there is no
template and the SDK does it all.
"""

import logging
import urllib.request
from dataclasses import dataclass
from typing import Any, Self

from reasrm.apis.connection import CONNECT_SECONDS, Connection

MADE_ANEW = frozenset({"content-length", "host", "connection", "accept-encoding", "transfer-encoding"})
"""Headers that belong to one message or one connection: aiohttp writes its own."""
NEVER_REPEATED = "idempotency"
"""In the name of a header: the same key on two questions would give both the first one's answer."""


@dataclass(frozen=True, slots=True)
class Received:
    """A response, read to its end."""

    status: int
    headers: Any
    """A mapping whose names are found in any case."""
    content: bytes


class DirectPost:
    """Posts bodies to one address with fixed headers. Raises what aiohttp raises."""

    def __init__(self, url: str, headers: dict[str, str], connection: Connection) -> None:
        """Open a session; an event loop must run."""
        import aiohttp
        from multidict import CIMultiDict
        from yarl import URL

        self._url = URL(url, encoded=True)
        self._headers = CIMultiDict(headers)
        seconds = connection.timeout_seconds
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=seconds)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connection.most_at_once, ssl=connection.tls),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    @classmethod
    def like(cls, response: Any, connection: Connection) -> Self | None:
        """A post like the one that the SDK sent for `response` (an httpx response); None if no template can be made."""
        request = response.request
        names = [name.lower() for name in request.headers]
        if response.history or any(NEVER_REPEATED in name for name in names):
            return None
        return cls(
            str(request.url), {name: request.headers[name] for name in names if name not in MADE_ANEW}, connection
        )

    async def post(self, content: bytes) -> Received:
        """Post `content` once and read the whole response; a redirect is not followed."""
        async with self._session.post(
            self._url, data=content, headers=self._headers, timeout=self._timeout, allow_redirects=False
        ) as response:
            return Received(response.status, response.headers, await response.read())

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()


def requests_are_alike(sdk: Any, sdk_name: str, connection: Connection) -> bool:
    """Whether each request of `sdk` looks like the last one and nobody asked to see them in its logs."""
    proxied = connection.local_url is None and bool(urllib.request.getproxies().keys() - {"no"})
    logged = logging.getLogger(sdk_name).isEnabledFor(logging.INFO)
    return sdk.custom_auth is None and not proxied and not logged
