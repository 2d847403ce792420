"""OpenAI's Chat Completions API, one HTTP attempt at a time, over the vendor's own SDK.

Retries off and aiohttp transport as in `anthropic_client`. The request goes through the SDK's own `post`, which takes
the body as it is: `chat.completions.create` rebuilds each body against its type hints, which doubles the CPU.
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
from stages.records.trace import TraceOutcome

NO_CREDIT_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
"""OpenAI's `error.code` values that come with status 429 or 400 and that no waiting cures."""
ENDINGS = {"stop": TraceOutcome.OK, "length": TraceOutcome.TRUNCATED, "content_filter": TraceOutcome.REFUSED}


class OpenAIClient:
    """The provider `openai`."""

    def __init__(self, connection: Connection) -> None:
        """Open a client.

        Raises:
            NoKeyError: there is no key in the environment.
        """
        import httpx2
        import openai

        self._errors = openai
        self._raw = httpx2.Response
        try:
            self.sdk = openai.AsyncOpenAI(
                **connection.sdk_arguments("/v1"),
                http_client=openai.DefaultAioHttpClient(**connection.transport_arguments()),
            )
        except openai.OpenAIError:
            raise NoKeyError("no key for OpenAI: set the environment variable OPENAI_API_KEY") from None

    async def attempt(self, body: dict[str, Any]) -> Attempt:
        """Send `body` once."""
        try:
            response = await self.sdk.post("/chat/completions", cast_to=self._raw, body=body)
        except self.failures() as error:
            return self.failed(error)
        headers = plain_headers(response.headers)
        limits = limits_seen(headers)
        try:
            answer = read_completion(orjson.loads(response.content), headers.get("x-request-id", ""))
        except (orjson.JSONDecodeError, BrokenReplyError) as error:
            return Attempt(trouble=Trouble.BROKEN_REPLY, detail=shortened(str(error)), limits=limits)
        return Attempt(answer=answer, limits=limits)

    async def close(self) -> None:
        """Close all connections."""
        await self.sdk.close()

    def failures(self) -> tuple[type[Exception], ...]:
        """What the SDK and its transport raise when a call does not succeed."""
        return (self._errors.APIError, *Connection.network_errors())

    def failed(self, error: Exception) -> Attempt:
        """What one of the `failures` means."""
        if isinstance(error, self._errors.APITimeoutError):
            return Attempt(trouble=Trouble.TIMEOUT, detail=shortened(str(error)))
        if not isinstance(error, self._errors.APIStatusError):
            return Attempt(trouble=Trouble.CONNECTION, detail=shortened(str(error)))
        trouble = Trouble.NO_CREDIT if error.code in NO_CREDIT_CODES else trouble_of_status(error.status_code)
        limits = limits_seen(plain_headers(error.response.headers))
        return Attempt(trouble=trouble, detail=shortened(error.message), limits=limits)


def read_completion(body: Any, request_id: str) -> Answer:
    """Read a ChatCompletion object.

    Raises:
        BrokenReplyError: it is not one.
    """
    try:
        choice = body["choices"][0]
        message = choice["message"]
        text = message["content"] or ""
        outcome = outcome_of(ENDINGS, choice["finish_reason"], text)
        usage = body["usage"]
        cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
        return Answer(
            outcome=TraceOutcome.REFUSED if message.get("refusal") else outcome,
            text=text,
            usage=Usage(
                input_tokens=usage["prompt_tokens"] - cached,
                output_tokens=usage["completion_tokens"],
                cache_read_tokens=cached,
            ),
            model=body["model"],
            request_id=request_id,
        )
    except (KeyError, TypeError, IndexError) as error:
        raise BrokenReplyError(f"not a ChatCompletion: {error!r}") from error


def limits_seen(headers: Mapping[str, str]) -> LimitsSeen:
    """Read the `x-ratelimit-*` headers and Retry-After."""
    return LimitsSeen(
        requests=_bucket(headers, "requests"),
        input_tokens=_bucket(headers, "tokens"),
        retry_after=retry_after_seconds(headers),
    )


def _bucket(headers: Mapping[str, str], name: str) -> Bucket | None:
    limit = headers.get(f"x-ratelimit-limit-{name}")
    remaining = headers.get(f"x-ratelimit-remaining-{name}")
    return Bucket(float(limit), float(remaining)) if limit and remaining else None
