"""OpenAI's Chat Completions API: requests, replies, and one HTTP attempt at a time over the vendor's own SDK."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reasrm.apis.api_client import ApiClient
from reasrm.apis.api_reply import ApiReply, Usage
from reasrm.apis.connection import Connection, NoKeyError
from reasrm.apis.rate_limit_headers import RateLimitHeaders, read_openai_limits
from reasrm.apis.reply_format import ReplyContent, ReplyFormat, optional_count, token_count, token_logprobs
from reasrm.apis.request_format import ApiProtocol, RequestField, written
from reasrm.records.pair import Message
from reasrm.records.trace import TraceOutcome

NO_KEY = (
    f"no key for OpenAI: set the environment variable {ApiProtocol.OPENAI.key_variable} (to anything for a server of "
    "your own that asks for none)"
)
OUTCOMES: dict[str | None, TraceOutcome] = {
    "stop": TraceOutcome.OK,
    None: TraceOutcome.OK,
    "length": TraceOutcome.TRUNCATED,
    "content_filter": TraceOutcome.REFUSED,
}
"""By finish reason; null is what some servers (SGLang, llama.cpp) write of a whole reply."""


@dataclass(frozen=True)
class ChatCompletionsRequests:
    """Chat Completions.

    The token limit goes out as `max_completion_tokens`, the only name that the reasoning models accept. The vendor
    caches prompt prefixes by itself.
    """

    model: str
    protocol: ApiProtocol = ApiProtocol.OPENAI
    api_version: str = "chat.completions v1"
    reserves_output: bool = True
    accepts: frozenset[RequestField] = frozenset(RequestField)

    def body(
        self, messages: Sequence[Message], max_tokens: int, fields: Mapping[RequestField, Any] | None = None
    ) -> dict[str, Any]:
        """The Chat Completions request."""
        return {
            "model": self.model,
            "max_completion_tokens": max_tokens,
            "messages": [written(message) for message in messages],
            **{field.value: value for field, value in (fields or {}).items()},
        }


class OpenAIClient(ApiClient):
    """The client of the protocol `openai`."""

    path = "chat/completions"
    request_id_header = "x-request-id"

    def __init__(self, connection: Connection) -> None:
        """Open a client.

        Raises:
            NoKeyError: there is no key in the environment.
            AddressError: the address is none that requests can go to.
        """
        import openai

        local_key = connection.local_key(ApiProtocol.OPENAI)
        try:
            sdk = openai.AsyncOpenAI(
                **{"api_key": local_key} | connection.sdk_arguments("/v1"),
                http_client=openai.DefaultAioHttpClient(**connection.transport_arguments()),
            )
        except openai.OpenAIError:
            raise NoKeyError(NO_KEY) from None
        super().__init__(sdk, openai, connection)

    def read_reply(self, body: Any, request_id: str) -> ApiReply:
        """Read a ChatCompletion object."""
        return CHAT_COMPLETION.read(body, request_id, needs_usage=self.connection.needs_usage)

    def read_limits(self, headers: Mapping[str, str]) -> RateLimitHeaders:
        """Read the `x-ratelimit-*` headers and Retry-After."""
        return read_openai_limits(headers)


def _usage(body: Any) -> Usage:
    usage = body["usage"]
    cached = optional_count(usage.get("prompt_tokens_details"), "cached_tokens")
    return Usage(
        input_tokens=max(0, token_count(usage, "prompt_tokens") - cached),
        output_tokens=token_count(usage, "completion_tokens"),
        cache_read_tokens=cached,
    )


def _content(body: Any) -> ReplyContent:
    choice = body["choices"][0]
    message = choice["message"]
    content, refused = message.get("content"), bool(message.get("refusal"))
    if isinstance(content, list):  # some servers answer in parts, as questions may be put
        refused |= any(part["type"] == "refusal" for part in content)
        content = "".join(part["text"] for part in content if part["type"] == "text")
    if not isinstance(content, str | None):
        raise TypeError(f"content is {content!r}")
    logprobs = token_logprobs((choice.get("logprobs") or {}).get("content"))
    return ReplyContent(content or "", choice.get("finish_reason"), refused, logprobs)


CHAT_COMPLETION = ReplyFormat("ChatCompletion", OUTCOMES, _usage, _content)
"""Reads a ChatCompletion object."""
