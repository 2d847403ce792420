"""Anthropic's Messages API, one HTTP attempt at a time, over the vendor's own SDK."""

from collections.abc import Mapping
from typing import Any

from reasrm.apis.attempt import Answer, Attempt, ErrorKind, LimitsSeen, Usage
from reasrm.apis.connection import Connection, NoKeyError
from reasrm.apis.reply_reading import (
    ReplyShape,
    Said,
    bucket_seen,
    optional_count,
    retry_after_seconds,
    token_count,
)
from reasrm.apis.request_shape import ANTHROPIC_VERSION
from reasrm.apis.sdk_client import SdkClient
from reasrm.records.trace import TraceOutcome

NO_KEY = "no key for Anthropic: set the environment variable ANTHROPIC_API_KEY"
ENDINGS = {
    "end_turn": TraceOutcome.OK,
    "stop_sequence": TraceOutcome.OK,
    "max_tokens": TraceOutcome.TRUNCATED,
    "model_context_window_exceeded": TraceOutcome.TRUNCATED,
    "refusal": TraceOutcome.REFUSED,
}


class AnthropicClient(SdkClient):
    """The provider `anthropic`."""

    path = "v1/messages"
    request_id_header = "request-id"

    def __init__(self, connection: Connection) -> None:
        """Open a client.

        Raises:
            NoKeyError: there is no key in the environment, nor a profile.
        """
        import anthropic

        try:
            sdk = anthropic.AsyncAnthropic(
                **connection.sdk_arguments(),
                default_headers={"anthropic-version": ANTHROPIC_VERSION},
                http_client=anthropic.DefaultAioHttpClient(**connection.transport_arguments()),
            )
        except anthropic.CredentialsError:
            raise NoKeyError(NO_KEY) from None
        if not (sdk.api_key or sdk.auth_token or sdk.credentials):
            raise NoKeyError(NO_KEY)
        super().__init__(sdk, anthropic, connection)

    def read_reply(self, body: Any, request_id: str) -> Answer:
        """Read a Message object."""
        return read_message(body, request_id)

    def limits_seen(self, headers: Mapping[str, str]) -> LimitsSeen:
        """Read the `anthropic-ratelimit-*` headers and Retry-After."""
        return limits_seen(headers)

    def failures(self) -> tuple[type[Exception], ...]:
        """As of any SDK, and a key that went missing on the way."""
        return (self.errors.CredentialsError, *super().failures())

    def failed(self, error: Exception) -> Attempt:
        """What one of the `failures` means."""
        if isinstance(error, self.errors.CredentialsError):
            return Attempt(error_kind=ErrorKind.NOT_ALLOWED, detail=NO_KEY)
        return super().failed(error)


def read_message(body: Any, request_id: str) -> Answer:
    """Read a Message object.

    Raises:
        BrokenReplyError: it is not one.
    """
    return MESSAGE.read(body, request_id)


def _usage(body: Any) -> Usage:
    usage = body["usage"]
    return Usage(
        input_tokens=token_count(usage, "input_tokens"),
        output_tokens=token_count(usage, "output_tokens"),
        cache_read_tokens=optional_count(usage, "cache_read_input_tokens"),
        cache_write_tokens=optional_count(usage, "cache_creation_input_tokens"),
    )


def _said(body: Any) -> Said:
    text = "".join(block["text"] for block in body["content"] if block["type"] == "text")
    return Said(text, body["stop_reason"])


MESSAGE = ReplyShape("Message", ENDINGS, _usage, _said)


def limits_seen(headers: Mapping[str, str]) -> LimitsSeen:
    """Read the `anthropic-ratelimit-*` headers and Retry-After."""
    requests, input_tokens, output_tokens = (
        bucket_seen(headers, f"anthropic-ratelimit-{name}-limit", f"anthropic-ratelimit-{name}-remaining")
        for name in ("requests", "input-tokens", "output-tokens")
    )
    return LimitsSeen(requests, input_tokens, output_tokens, retry_after_seconds(headers))
