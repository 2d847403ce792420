"""What all clients do alike: send one body once over the vendor's own SDK, and say what became of it.

The SDK's retries are off: they would multiply with ours (`retry_policy`), share no pause between requests and hide what
was billed. The request goes through the SDK's own `post`, which takes the body as it is: its typed calls rebuild each
body against their type hints, which doubles the CPU. Its aiohttp transport carries three times the requests per second
of the default one at half the CPU.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import orjson

from reasrm.apis.api_reply import ApiReply, AttemptResult, shortened
from reasrm.apis.connection import Connection, keys_of, refuse_unsendable, with_basic_auth, without_keys
from reasrm.apis.error_classification import ApiError, ErrorKind
from reasrm.apis.rate_limit_headers import RateLimitHeaders, plain_headers
from reasrm.apis.reply_format import BrokenReplyError, parsed


class ApiClient(ABC):
    """One API over its vendor's SDK."""

    path: ClassVar[str]
    """Of the requests, behind the SDK's base URL and without a slash in front."""
    request_id_header: ClassVar[str]

    def __init__(self, sdk: Any, errors: Any, connection: Connection) -> None:
        """Take an open SDK client, the module that holds the SDK's exceptions, and how the SDK was connected.

        Raises:
            NoKeyError: the key cannot be sent in a header.
        """
        self.sdk, self._passwords = with_basic_auth(sdk)
        refuse_unsendable(keys_of(sdk))
        self.errors = errors
        self.connection = connection

    @abstractmethod
    def read_reply(self, body: Any, request_id: str) -> ApiReply:
        """Read the JSON of a reply.

        Raises:
            BrokenReplyError: it is not what the protocol says.
        """

    @abstractmethod
    def read_limits(self, headers: Mapping[str, str]) -> RateLimitHeaders:
        """Read the rate-limit headers and Retry-After."""

    async def attempt(self, body: dict[str, Any]) -> AttemptResult:
        """Send `body` once. Never raises for what a server or a network does."""
        import httpx2

        try:
            response = await self.sdk.post(f"/{self.path}", cast_to=httpx2.Response, content=orjson.dumps(body))
        except self.failures() as error:
            return self.failed(error)
        headers = plain_headers(response.headers)
        limits = self.read_limits(headers)
        try:
            content = parsed(response.content, self.shortened)
            reply = self.read_reply(content, headers.get(self.request_id_header, ""))
        except BrokenReplyError as error:
            return replace(self.broken(error), limits=limits)
        if reply.detail:
            reply = replace(reply, detail=self.shortened(reply.detail))
        return AttemptResult(reply=reply, limits=limits)

    async def close(self) -> None:
        """Close all connections."""
        await self.sdk.close()

    def shortened(self, message: str) -> str:
        """A vendor's message as it may be kept: short, and without our key, should a gateway have echoed it."""
        return shortened(without_keys(message, (*keys_of(self.sdk), *self._passwords)))

    def failures(self) -> tuple[type[Exception], ...]:
        """What the SDK and its transport raise when a call does not succeed."""
        return (self.errors.APIError, *Connection.network_errors())

    def failed(self, error: Exception) -> AttemptResult:
        """What one of the `failures` means."""
        if isinstance(error, self.errors.APIStatusError):
            return self._refused(error)
        lost = next((cause for cause in _causes(error) if Connection.is_lost(cause)), None)
        if lost is None and isinstance(error, (self.errors.APITimeoutError, TimeoutError)):
            return AttemptResult(error_kind=ErrorKind.TIMEOUT, detail=self.shortened(str(error)))
        return AttemptResult(error_kind=ErrorKind.CONNECTION, detail=self.shortened(str(lost or error)))

    def broken(self, error: BrokenReplyError) -> AttemptResult:
        """What a reply means that cannot be read."""
        detail = self.shortened(str(error))
        return AttemptResult(error_kind=error.error_kind, detail=detail, prompt_refusal=error.prompt_refusal)

    def described(self, error: ApiError) -> AttemptResult:
        """What an error means that the vendor describes."""
        detail = self.shortened(error.message)
        return AttemptResult(error_kind=error.error_kind, detail=detail, prompt_refusal=error.prompt_refusal)

    def _refused(self, error: Any) -> AttemptResult:
        """What an answer with the status of an error means."""
        limits = self.read_limits(plain_headers(error.response.headers))
        api_error = ApiError.from_body(error.body, error.status_code)
        if not api_error.message:
            api_error = replace(api_error, message=str(error.message))
        return replace(self.described(api_error), limits=limits)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """What `error` was raised from, the nearest first."""
    cause = error.__cause__
    while cause is not None:
        yield cause
        cause = cause.__cause__
