"""Anthropic's Messages API, one HTTP attempt at a time, over the vendor's own SDK.

The SDK's retries are off: they multiply with ours, share no pause between requests and hide what was billed. Its
aiohttp transport carries three times the requests per second of the default one at half the CPU
(`benchmarks/README.md`).
"""

from collections.abc import Mapping
from typing import Any

import orjson

from stages.oracle.attempt import (
    Answer,
    Attempt,
    Bucket,
    LimitsSeen,
    Trouble,
    Usage,
    shortened,
)
from stages.oracle.connection import Connection, NoKeyError
from stages.oracle.reply_reading import (
    BrokenReplyError,
    outcome_of,
    plain_headers,
    retry_after_seconds,
    trouble_of_status,
)
from stages.oracle.request_shape import ANTHROPIC_VERSION
from stages.records.trace import TraceOutcome

NO_KEY = "no key for Anthropic: set the environment variable ANTHROPIC_API_KEY"
SPEND_LIMIT_CODES = frozenset({"enforced_spend_limit_reached", "contract_spend_limit_reached", "organization_on_hold"})
"""Anthropic's `error.details.error_code` values that no waiting cures."""
NO_CREDIT_WORDS = "credit balance"
"""Anthropic says an empty account by a plain 400 whose message holds these words."""
ENDINGS = {
    "end_turn": TraceOutcome.OK,
    "stop_sequence": TraceOutcome.OK,
    "max_tokens": TraceOutcome.TRUNCATED,
    "model_context_window_exceeded": TraceOutcome.TRUNCATED,
    "refusal": TraceOutcome.REFUSED,
}


class AnthropicClient:
    """The provider `anthropic`."""

    def __init__(self, connection: Connection) -> None:
        """Open a client.

        Raises:
            NoKeyError: there is no key in the environment, nor a profile.
        """
        import anthropic
        import httpx2

        self._errors = anthropic
        self._raw = httpx2.Response
        try:
            self.sdk = anthropic.AsyncAnthropic(
                **connection.sdk_arguments(),
                default_headers={"anthropic-version": ANTHROPIC_VERSION},
                http_client=anthropic.DefaultAioHttpClient(**connection.transport_arguments()),
            )
        except anthropic.CredentialsError:
            raise NoKeyError(NO_KEY) from None
        if not (self.sdk.api_key or self.sdk.auth_token or self.sdk.credentials):
            raise NoKeyError(NO_KEY)

    async def attempt(self, body: dict[str, Any]) -> Attempt:
        """Send `body` once."""
        try:
            response = await self.sdk.post("/v1/messages", cast_to=self._raw, body=body)
        except self.failures() as error:
            return self.failed(error)
        headers = plain_headers(response.headers)
        limits = limits_seen(headers)
        try:
            answer = read_message(orjson.loads(response.content), headers.get("request-id", ""))
        except (orjson.JSONDecodeError, BrokenReplyError) as error:
            return Attempt(trouble=Trouble.BROKEN_REPLY, detail=shortened(str(error)), limits=limits)
        return Attempt(answer=answer, limits=limits)

    async def close(self) -> None:
        """Close all connections."""
        await self.sdk.close()

    def failures(self) -> tuple[type[Exception], ...]:
        """What the SDK and its transport raise when a call does not succeed."""
        return (self._errors.APIError, self._errors.CredentialsError, *Connection.network_errors())

    def failed(self, error: Exception) -> Attempt:
        """What one of the `failures` means."""
        if isinstance(error, self._errors.CredentialsError):
            return Attempt(trouble=Trouble.NOT_ALLOWED, detail=NO_KEY)
        if isinstance(error, self._errors.APITimeoutError):
            return Attempt(trouble=Trouble.TIMEOUT, detail=shortened(str(error)))
        if not isinstance(error, self._errors.APIStatusError):
            return Attempt(trouble=Trouble.CONNECTION, detail=shortened(str(error)))
        message = shortened(error.api_message or error.message)
        trouble = trouble_of_status(error.status_code)
        if error.error_code in SPEND_LIMIT_CODES or NO_CREDIT_WORDS in message.lower():
            trouble = Trouble.NO_CREDIT
        limits = limits_seen(plain_headers(error.response.headers))
        return Attempt(trouble=trouble, detail=message, limits=limits)


def read_message(body: Any, request_id: str) -> Answer:
    """Read a Message object.

    Raises:
        BrokenReplyError: it is not one.
    """
    try:
        text = "".join(block["text"] for block in body["content"] if block["type"] == "text")
        usage = body["usage"]
        return Answer(
            outcome=outcome_of(ENDINGS, body["stop_reason"], text),
            text=text,
            usage=Usage(
                input_tokens=usage["input_tokens"],
                output_tokens=usage["output_tokens"],
                cache_read_tokens=usage.get("cache_read_input_tokens") or 0,
                cache_write_tokens=usage.get("cache_creation_input_tokens") or 0,
            ),
            model=body["model"],
            request_id=request_id,
        )
    except (KeyError, TypeError) as error:
        raise BrokenReplyError(f"not a Message: {error!r}") from error


def limits_seen(headers: Mapping[str, str]) -> LimitsSeen:
    """Read the `anthropic-ratelimit-*` headers and Retry-After."""
    return LimitsSeen(
        requests=_bucket(headers, "requests"),
        input_tokens=_bucket(headers, "input-tokens"),
        output_tokens=_bucket(headers, "output-tokens"),
        retry_after=retry_after_seconds(headers),
    )


def _bucket(headers: Mapping[str, str], name: str) -> Bucket | None:
    limit = headers.get(f"anthropic-ratelimit-{name}-limit")
    remaining = headers.get(f"anthropic-ratelimit-{name}-remaining")
    return Bucket(float(limit), float(remaining)) if limit and remaining else None
