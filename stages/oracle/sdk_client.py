"""What both vendors' clients do alike: send one body once over the vendor's own SDK, and say what became of it.

The SDK's retries are off: they multiply with ours, share no pause between requests and hide what was billed. Its
aiohttp transport carries three times the requests per second of the default one at half the CPU, and a body that is
already bytes spares the SDK a copy of each (`benchmarks/README.md`).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import orjson

from stages.oracle.attempt import Answer, Attempt, Bucket, LimitsSeen, Trouble, shortened
from stages.oracle.connection import Connection
from stages.oracle.reply_reading import BrokenReplyError, plain_headers


class SdkClient(ABC):
    """A provider over one vendor's SDK."""

    path: ClassVar[str]
    """Of the requests, behind the SDK's base URL and without a slash in front."""
    request_id_header: ClassVar[str]

    def __init__(self, sdk: Any, errors: Any) -> None:
        """Take an open SDK client and the module that holds the SDK's exceptions."""
        import httpx2

        self.sdk = sdk
        self.errors = errors
        self._raw = httpx2.Response
        self._url = f"{str(sdk.base_url).rstrip('/')}/{self.path}"

    @abstractmethod
    def read_reply(self, body: Any, request_id: str) -> Answer:
        """Read the JSON of a reply.

        Raises:
            BrokenReplyError: it is not what the protocol says.
        """

    @abstractmethod
    def limits_seen(self, headers: Mapping[str, str]) -> LimitsSeen:
        """Read the rate-limit headers and Retry-After."""

    @abstractmethod
    def trouble_of(self, error: Any) -> Trouble:
        """What the SDK's exception for a status of 400 or more means for the run."""

    async def attempt(self, body: dict[str, Any]) -> Attempt:
        """Send `body` once."""
        try:
            response = await self.sdk.post(self._url, cast_to=self._raw, content=orjson.dumps(body))
        except self.failures() as error:
            return self.failed(error)
        headers = plain_headers(response.headers)
        limits = self.limits_seen(headers)
        try:
            answer = self.read_reply(orjson.loads(response.content), headers.get(self.request_id_header, ""))
        except (orjson.JSONDecodeError, BrokenReplyError) as error:
            return Attempt(trouble=Trouble.BROKEN_REPLY, detail=shortened(str(error)), limits=limits)
        return Attempt(answer=answer, limits=limits)

    async def close(self) -> None:
        """Close all connections."""
        await self.sdk.close()

    def failures(self) -> tuple[type[Exception], ...]:
        """What the SDK and its transport raise when a call does not succeed."""
        return (self.errors.APIError, *Connection.network_errors())

    def failed(self, error: Exception) -> Attempt:
        """What one of the `failures` means."""
        if isinstance(error, self.errors.APITimeoutError):
            return Attempt(trouble=Trouble.TIMEOUT, detail=shortened(str(error)))
        if not isinstance(error, self.errors.APIStatusError):
            return Attempt(trouble=Trouble.CONNECTION, detail=shortened(str(error)))
        limits = self.limits_seen(plain_headers(error.response.headers))
        return Attempt(trouble=self.trouble_of(error), detail=shortened(self.message_of(error)), limits=limits)

    def message_of(self, error: Any) -> str:
        """The vendor's own words in the SDK's exception."""
        return str(error.message)


def bucket_seen(headers: Mapping[str, str], limit_name: str, remaining_name: str) -> Bucket | None:
    """One limit out of its two headers; None where the server does not tell it."""
    limit, remaining = headers.get(limit_name), headers.get(remaining_name)
    return Bucket(float(limit), float(remaining)) if limit and remaining else None
