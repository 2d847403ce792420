"""OpenAI's Chat Completions API, one HTTP attempt at a time, over the vendor's own SDK.

The request goes through the SDK's own `post`, which takes the body as it is: `chat.completions.create` rebuilds each
body against its type hints, which doubles the CPU.
"""

from collections.abc import Mapping
from typing import Any

from stages.oracle.attempt import Answer, LimitsSeen, Usage
from stages.oracle.connection import Connection, NoKeyError
from stages.oracle.reply_reading import BrokenReplyError, outcome_of, retry_after_seconds
from stages.oracle.sdk_client import SdkClient, bucket_seen
from stages.records.trace import TraceOutcome

ENDINGS = {"stop": TraceOutcome.OK, "length": TraceOutcome.TRUNCATED, "content_filter": TraceOutcome.REFUSED}


class OpenAIClient(SdkClient):
    """The provider `openai`."""

    path = "chat/completions"
    request_id_header = "x-request-id"

    def __init__(self, connection: Connection) -> None:
        """Open a client.

        Raises:
            NoKeyError: there is no key in the environment.
        """
        import openai

        try:
            sdk = openai.AsyncOpenAI(
                **connection.sdk_arguments("/v1"),
                http_client=openai.DefaultAioHttpClient(**connection.transport_arguments()),
            )
        except openai.OpenAIError:
            raise NoKeyError("no key for OpenAI: set the environment variable OPENAI_API_KEY") from None
        super().__init__(sdk, openai, connection)

    def read_reply(self, body: Any, request_id: str) -> Answer:
        """Read a ChatCompletion object."""
        return read_completion(body, request_id)

    def limits_seen(self, headers: Mapping[str, str]) -> LimitsSeen:
        """Read the `x-ratelimit-*` headers and Retry-After."""
        return limits_seen(headers)


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
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise BrokenReplyError(f"not a ChatCompletion: {error!r}") from error


def limits_seen(headers: Mapping[str, str]) -> LimitsSeen:
    """Read the `x-ratelimit-*` headers and Retry-After."""
    requests, tokens = (
        bucket_seen(headers, f"x-ratelimit-limit-{name}", f"x-ratelimit-remaining-{name}")
        for name in ("requests", "tokens")
    )
    return LimitsSeen(requests=requests, input_tokens=tokens, retry_after=retry_after_seconds(headers))
