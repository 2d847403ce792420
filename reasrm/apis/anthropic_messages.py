"""Anthropic's Messages API: requests, replies, and one HTTP attempt at a time over the vendor's own SDK."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reasrm.apis.api_client import ApiClient
from reasrm.apis.api_reply import ApiReply, AttemptResult, Usage
from reasrm.apis.connection import Connection, NoKeyError
from reasrm.apis.error_classification import ErrorKind
from reasrm.apis.rate_limit_headers import RateLimitHeaders, read_anthropic_limits
from reasrm.apis.reply_format import ReplyContent, ReplyFormat, optional_count, text_of, token_count
from reasrm.apis.request_format import ApiProtocol, RequestField, system_text, turns
from reasrm.records.pair import Message

ANTHROPIC_VERSION = "2026-10-21"
"""Sent as `anthropic-version`. Fixed here, so that a newer SDK cannot quietly change what is asked."""
NO_KEY = f"no key for Anthropic: set the environment variable {ApiProtocol.ANTHROPIC.key_variable}"


@dataclass(frozen=True)
class AnthropicRequests:
    """Messages. The API takes no temperature any more (since the version 2026-10-21), so there is none to set."""

    model: str
    cache_system_prompt: bool = False
    """Mark the system text as cacheable; a cached prefix is billed at a tenth."""
    protocol: ApiProtocol = ApiProtocol.ANTHROPIC
    api_version: str = ANTHROPIC_VERSION
    reserves_output: bool = False
    accepts: frozenset[RequestField] = frozenset()

    def body(
        self, messages: Sequence[Message], max_tokens: int, fields: Mapping[RequestField, Any] | None = None
    ) -> dict[str, Any]:
        """The Messages request."""
        text = system_text(messages)
        system: dict[str, Any] = {"type": "text", "text": text}
        if self.cache_system_prompt:
            system["cache_control"] = {"type": "ephemeral"}
        return {
            "model": self.model,
            "max_tokens": max_tokens,
            **({"system": [system]} if text else {}),
            "messages": turns(messages),
        }


class AnthropicClient(ApiClient):
    """The client of the protocol `anthropic`."""

    protocol = ApiProtocol.ANTHROPIC
    path = "v1/messages"
    request_id_header = "request-id"

    def __init__(self, connection: Connection) -> None:
        """Open a client.

        Raises:
            NoKeyError: there is no key in the environment, nor a profile.
            AddressError: the address is none that requests can go to.
        """
        import anthropic

        local_key = connection.local_key(ApiProtocol.ANTHROPIC)
        try:
            sdk = anthropic.AsyncAnthropic(
                **connection.sdk_arguments(ApiProtocol.ANTHROPIC, {"anthropic-version": ANTHROPIC_VERSION}),
                http_client=anthropic.DefaultAioHttpClient(**connection.transport_arguments(ApiProtocol.ANTHROPIC)),
            )
        except anthropic.CredentialsError:
            raise NoKeyError(NO_KEY) from None
        if not (sdk.api_key or sdk.auth_token or sdk.credentials):
            if local_key is None:
                raise NoKeyError(NO_KEY)
            sdk = sdk.with_options(api_key=local_key)
        super().__init__(sdk, anthropic, connection)

    def read_reply(self, body: Any, request_id: str) -> ApiReply:
        """Read a Message object."""
        return MESSAGE.read(body, request_id, needs_usage=self.connection.needs_usage)

    def read_limits(self, headers: Mapping[str, str]) -> RateLimitHeaders:
        """Read the `anthropic-ratelimit-*` headers and Retry-After."""
        return read_anthropic_limits(headers)

    def failed(self, error: Exception) -> AttemptResult:
        """As of any SDK, and a key that went missing on the way."""
        if isinstance(error, self.errors.CredentialsError):
            return AttemptResult(error_kind=ErrorKind.NOT_ALLOWED, detail=NO_KEY)
        return super().failed(error)


def _usage(body: Any) -> Usage:
    usage = body["usage"]
    return Usage(
        input_tokens=token_count(usage, "input_tokens"),
        output_tokens=token_count(usage, "output_tokens"),
        cache_read_tokens=optional_count(usage, "cache_read_input_tokens"),
        cache_write_tokens=optional_count(usage, "cache_creation_input_tokens"),
    )


def _content(body: Any) -> ReplyContent:
    text, refused = text_of(body["content"])
    return ReplyContent(text, body.get("stop_reason"), refused)


MESSAGE = ReplyFormat("Message", "content", _usage, _content)
"""Reads a Message object."""
