"""OpenAI's Chat Completions API, one HTTP attempt at a time, over the vendor's own SDK.

The request goes through the SDK's own `post`, which takes the body as it is: `chat.completions.create` rebuilds each
body against its type hints, which doubles the CPU.
"""

from collections.abc import Mapping
from typing import Any

from reasrm.apis.attempt import Answer, LimitsSeen, Usage
from reasrm.apis.connection import Connection, NoKeyError
from reasrm.apis.reply_reading import (
    ReplyShape,
    Said,
    bucket_seen,
    optional_count,
    retry_after_seconds,
    token_count,
)
from reasrm.apis.sdk_client import SdkClient
from reasrm.records.trace import TraceOutcome

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
    return CHAT_COMPLETION.read(body, request_id)


def _usage(body: Any) -> Usage:
    usage = body["usage"]
    cached = optional_count(usage.get("prompt_tokens_details"), "cached_tokens")
    return Usage(
        input_tokens=max(0, token_count(usage, "prompt_tokens") - cached),
        output_tokens=token_count(usage, "completion_tokens"),
        cache_read_tokens=cached,
    )


def _said(body: Any) -> Said:
    choice = body["choices"][0]
    message = choice["message"]
    content = message["content"]
    if isinstance(content, list):  # some servers answer in parts, as questions may be put
        refused = any(part["type"] == "refusal" for part in content)
        text = "".join(part["text"] for part in content if part["type"] == "text")
        return Said(text, choice["finish_reason"], refused or bool(message.get("refusal")))
    if not isinstance(content, str | None):
        raise TypeError(f"content is {content!r}")
    return Said(content or "", choice["finish_reason"], bool(message.get("refusal")))


CHAT_COMPLETION = ReplyShape("ChatCompletion", ENDINGS, _usage, _said)


def limits_seen(headers: Mapping[str, str]) -> LimitsSeen:
    """Read the `x-ratelimit-*` headers and Retry-After."""
    requests, tokens = (
        bucket_seen(headers, f"x-ratelimit-limit-{name}", f"x-ratelimit-remaining-{name}")
        for name in ("requests", "tokens")
    )
    return LimitsSeen(requests=requests, input_tokens=tokens, retry_after=retry_after_seconds(headers))
