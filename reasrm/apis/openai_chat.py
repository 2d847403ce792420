"""OpenAI's Chat Completions API: requests, replies, and one HTTP attempt at a time over the vendor's own SDK."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reasrm.apis.api_client import ApiClient
from reasrm.apis.api_reply import ApiReply, Usage
from reasrm.apis.connection import Connection, NoKeyError
from reasrm.apis.rate_limit_headers import RateLimitHeaders, read_openai_limits
from reasrm.apis.reply_format import ReplyContent, ReplyFormat, optional_count, text_of, token_count, token_logprobs
from reasrm.apis.request_format import ApiProtocol, RequestField, written
from reasrm.records.pair import Message

NO_KEY = (
    f"no key for OpenAI: set the environment variable {ApiProtocol.OPENAI.key_variable} (to anything for a server of "
    "your own that asks for none)"
)


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

    protocol = ApiProtocol.OPENAI
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
                **{"api_key": local_key} | connection.sdk_arguments(ApiProtocol.OPENAI),
                http_client=openai.DefaultAioHttpClient(**connection.transport_arguments(ApiProtocol.OPENAI)),
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
    return openai_usage(usage, "prompt_tokens", "completion_tokens", "prompt_tokens_details")


def openai_usage(usage: Any, prompt: str, completion: str, details: str) -> Usage:
    """A usage of either of OpenAI's protocols, by the names of its fields."""
    tokens = token_count(usage, prompt)
    cached = min(tokens, optional_count(usage.get(details), "cached_tokens"))
    return Usage(input_tokens=tokens - cached, output_tokens=token_count(usage, completion), cache_read_tokens=cached)


def _content(body: Any) -> ReplyContent:
    choice = body["choices"][0]
    message, logprobs = choice["message"], choice.get("logprobs")
    text, refused = ("", False) if message.get("content") is None else text_of(message["content"])
    tokens = token_logprobs(logprobs.get("content")) if isinstance(logprobs, dict) else ()
    return ReplyContent(text, choice.get("finish_reason"), refused or bool(message.get("refusal")), tokens)


CHAT_COMPLETION = ReplyFormat("ChatCompletion", "choices", _usage, _content)
"""Reads a ChatCompletion object."""
