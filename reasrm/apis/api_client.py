"""What all clients do alike: send one body once over the vendor's own SDK, and say what became of it.

The SDK's retries are off: they would multiply with ours (`retry_policy`), share no pause between requests and hide what
was billed. The request goes through the SDK's own `post`, which takes the body as it is: its typed calls rebuild each
body against their type hints, which doubles the CPU. Its aiohttp transport carries three times the requests per second
of the default one at half the CPU.

Nothing that a server answers is raised: whatever it is, it is a reply, or an error of a kind (`error_classification`).
What is kept of it is free of secrets (`redaction`).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, ClassVar

import orjson

from reasrm.apis.api_reply import ApiReply, AttemptResult, shortened
from reasrm.apis.connection import Connection, keys_of
from reasrm.apis.error_classification import ApiError, ErrorKind
from reasrm.apis.json_documents import Document, UnreadableBodyError, parsed
from reasrm.apis.rate_limit_headers import RateLimitHeaders, plain_headers
from reasrm.apis.redaction import text_without_keys, without_keys
from reasrm.apis.reply_format import BrokenReplyError
from reasrm.apis.request_format import ApiProtocol
from reasrm.apis.service_address import shown_address


class ApiClient(ABC):
    """One API over its vendor's SDK."""

    protocol: ClassVar[ApiProtocol]
    path: ClassVar[str]
    """Of the requests, behind the SDK's base URL and without a slash in front."""
    request_id_header: ClassVar[str]

    def __init__(self, sdk: Any, errors: Any, connection: Connection) -> None:
        """Take an open SDK client, the module that holds the SDK's exceptions, and how the SDK was connected."""
        self.sdk = sdk
        self.errors = errors
        self.connection = connection
        self._secrets = tuple(dict.fromkeys(secret for secret in connection.secrets(self.protocol) if secret))

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

        content = orjson.dumps(body)
        try:
            response = await self.sdk.post(f"/{self.path}", cast_to=httpx2.Response, content=content)
        except Exception as error:  # noqa: BLE001  a server's bytes make SDK and transport raise all sorts of them
            return self.failed(error)
        headers = plain_headers(response.headers)
        result = self.read_body(response.content, headers.get(self.request_id_header, ""))
        return replace(result, limits=self.read_limits(headers))

    def read_body(self, content: bytes, request_id: str = "") -> AttemptResult:
        """What the body of a good response comes to. Never raises."""
        try:
            return self.read(parsed(content, self.shortened), request_id)
        except UnreadableBodyError as error:
            return AttemptResult(error_kind=ErrorKind.BROKEN_REPLY, detail=self.shortened(str(error)))

    def read(self, document: Document, request_id: str) -> AttemptResult:
        """What a reply comes to, of a response or of a line of a batch's results. Never raises."""
        try:
            reply = self.read_reply(document.value, request_id)
        except BrokenReplyError as error:
            return self.broken(error)
        secrets = self._all_secrets()
        detail = "; ".join(part for part in (reply.detail, document.damage) if part)
        return AttemptResult(
            reply=replace(
                reply,
                text=text_without_keys(reply.text, secrets),
                model=shortened(text_without_keys(reply.model, secrets)),
                request_id=shortened(text_without_keys(reply.request_id, secrets)),
                detail=self.shortened(detail),
            )
        )

    async def close(self) -> None:
        """Close all connections."""
        await self.sdk.close()

    def shortened(self, message: str) -> str:
        """A vendor's message as it may be kept: short, and without our key, should a gateway have echoed it."""
        return shortened(without_keys(message, self._all_secrets())) if message else ""

    def failed(self, error: Exception) -> AttemptResult:
        """What an exception of the SDK or of its transport means."""
        if isinstance(error, self.errors.APIStatusError):
            return self._refused(error)
        lost = next((cause for cause in _causes(error) if Connection.is_lost(cause)), None)
        if lost is None and isinstance(error, (self.errors.APITimeoutError, TimeoutError)):
            return AttemptResult(error_kind=ErrorKind.TIMEOUT, detail=self.shortened(str(error)))
        if lost is not None or Connection.is_of_the_network(error, self.errors):
            deepest = lost or next(_causes(error), error)
            return AttemptResult(error_kind=ErrorKind.CONNECTION, detail=self.shortened(str(deepest) or repr(deepest)))
        detail = self.shortened(f"an answer that cannot be read: {type(error).__name__}: {error}")
        return AttemptResult(error_kind=ErrorKind.BROKEN_REPLY, detail=detail)

    def broken(self, error: BrokenReplyError) -> AttemptResult:
        """What a reply means that cannot be read."""
        detail = self.shortened(str(error))
        return AttemptResult(error_kind=error.error_kind, detail=detail, prompt_refusal=error.prompt_refusal)

    def described(self, error: ApiError) -> AttemptResult:
        """What an error means that the vendor describes."""
        detail = self.shortened(error.message)
        return AttemptResult(error_kind=error.error_kind, detail=detail, prompt_refusal=error.prompt_refusal)

    def _all_secrets(self) -> tuple[str, ...]:
        return (*keys_of(self.sdk), *self._secrets)

    def _refused(self, error: Any) -> AttemptResult:
        """What an answer with the status of an error means, or of a redirect, which is not followed."""
        headers = plain_headers(error.response.headers)
        if error.status_code < HTTPStatus.BAD_REQUEST:
            to = f" to {shown_address(headers['location'])}" if headers.get("location") else ""
            detail = f"status {error.status_code}{to}, which no such API sends: a request is not sent on, with its key"
            return AttemptResult(error_kind=ErrorKind.NOT_ALLOWED, detail=self.shortened(detail))
        api_error = ApiError.from_body(error.body, error.status_code)
        if not api_error.message:
            api_error = replace(api_error, message=str(error.message))
        return replace(self.described(api_error), limits=self.read_limits(headers))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """What `error` was raised from, the nearest first."""
    cause = error.__cause__
    while cause is not None:
        yield cause
        cause = cause.__cause__
