"""What both vendors' clients do alike: send one body once over the vendor's own SDK, and say what became of it.

The SDK's retries are off: they multiply with ours, share no pause between requests and hide what was billed. Its
aiohttp transport carries three times the requests per second of the default one at half the CPU; once it has sent one
request, the others are posted alike without it (`direct_post.py`).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, ClassVar

import orjson

from reasrm.apis.attempt import Answer, Attempt, ErrorKind, LimitsSeen, shortened
from reasrm.apis.connection import Connection
from reasrm.apis.direct_post import DirectPost, Received, requests_are_alike
from reasrm.apis.error_classification import ApiError
from reasrm.apis.reply_reading import BrokenReplyError, plain_headers
from reasrm.apis.secrets import keys_of, without_keys

OF_THE_TRANSFER = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Headers that no longer hold once a response has been read."""
BEGINNING = 80
"""Characters of a reply that is no JSON that are shown: enough to tell a page of HTML from a stream."""


class SdkClient(ABC):
    """A provider over one vendor's SDK."""

    path: ClassVar[str]
    """Of the requests, behind the SDK's base URL and without a slash in front."""
    request_id_header: ClassVar[str]

    def __init__(self, sdk: Any, errors: Any, connection: Connection) -> None:
        """Take an open SDK client, the module that holds the SDK's exceptions, and how the SDK was connected."""
        self.sdk = sdk
        self.errors = errors
        self._connection = connection
        self._url = f"{str(sdk.base_url).rstrip('/')}/{self.path}"
        self._alike = requests_are_alike(sdk, errors.__name__, connection)
        self._direct: DirectPost | None = None

    @abstractmethod
    def read_reply(self, body: Any, request_id: str) -> Answer:
        """Read the JSON of a reply.

        Raises:
            BrokenReplyError: it is not what the protocol says.
        """

    @abstractmethod
    def limits_seen(self, headers: Mapping[str, str]) -> LimitsSeen:
        """Read the rate-limit headers and Retry-After."""

    async def attempt(self, body: dict[str, Any]) -> Attempt:
        """Send `body` once."""
        content = orjson.dumps(body)
        try:
            received = await (self._by_sdk(content) if self._direct is None else self._directly(self._direct, content))
        except self.failures() as error:
            return self.failed(error)
        limits = self.limits_seen(received.headers)
        try:
            answer = self.read_reply(orjson.loads(received.content), received.headers.get(self.request_id_header, ""))
        except BrokenReplyError as error:
            return Attempt(error_kind=error.error_kind, detail=self.shortened(str(error)), limits=limits)
        except orjson.JSONDecodeError as error:
            begins = self.shortened(received.content.decode("utf-8", "replace"))[:BEGINNING]
            detail = shortened(f"{error}; it begins with {begins!r}")
            return Attempt(error_kind=ErrorKind.BROKEN_REPLY, detail=detail, limits=limits)
        if answer.detail:
            answer = replace(answer, detail=self.shortened(answer.detail))
        return Attempt(answer=answer, limits=limits)

    async def _by_sdk(self, content: bytes) -> Received:
        """Let the SDK send it; its request becomes the template of the next ones."""
        import httpx2

        response = await self.sdk.post(self._url, cast_to=httpx2.Response, content=content)
        if self._alike and self._direct is None:
            self._direct = DirectPost.like(response, self._connection)
            self._alike = self._direct is not None
        return Received(response.status_code, plain_headers(response.headers), response.content)

    async def _directly(self, direct: DirectPost, content: bytes) -> Received:
        """Post it as the SDK did; a redirect is left to the SDK, an error is read by it."""
        received = await direct.post(content)
        if received.status >= HTTPStatus.BAD_REQUEST:
            await self._raise_as_sdk(received)
        return received if received.status < HTTPStatus.MULTIPLE_CHOICES else await self._by_sdk(content)

    async def _raise_as_sdk(self, received: Received) -> None:
        """Let the SDK read a response that is here already, so that it raises what it would have raised itself."""
        import httpx2

        headers = {name: value for name, value in received.headers.items() if name.lower() not in OF_THE_TRANSFER}
        replayed = httpx2.Response(received.status, headers=headers, content=received.content)
        transport = httpx2.MockTransport(lambda _: replayed)
        async with httpx2.AsyncClient(transport=transport, trust_env=False) as client:
            await self.sdk.with_options(http_client=client).post(self._url, cast_to=httpx2.Response, content=b"")

    async def close(self) -> None:
        """Close all connections."""
        if self._direct is not None:
            await self._direct.close()
        await self.sdk.close()

    def shortened(self, message: str) -> str:
        """A vendor's message as it may be kept: short, and without our key, should a gateway have echoed it."""
        return shortened(without_keys(message, keys_of(self.sdk)))

    def failures(self) -> tuple[type[Exception], ...]:
        """What the SDK and its transport raise when a call does not succeed."""
        return (self.errors.APIError, *Connection.network_errors())

    def failed(self, error: Exception) -> Attempt:
        """What one of the `failures` means."""
        if isinstance(error, (self.errors.APITimeoutError, TimeoutError)):
            return Attempt(error_kind=ErrorKind.TIMEOUT, detail=self.shortened(str(error)))
        if not isinstance(error, self.errors.APIStatusError):
            return Attempt(error_kind=ErrorKind.CONNECTION, detail=self.shortened(str(error)))
        limits = self.limits_seen(plain_headers(error.response.headers))
        api_error = ApiError.by(error.body, error.status_code)
        return Attempt(
            error_kind=api_error.error_kind,
            detail=self.shortened(api_error.message or str(error.message)),
            limits=limits,
        )
