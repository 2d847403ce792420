"""OpenAI's Responses API: account, limits and errors of Chat Completions, another request and another reply."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reasrm.apis.api_reply import ApiReply, Usage
from reasrm.apis.error_classification import ApiError
from reasrm.apis.openai_chat import OpenAIClient
from reasrm.apis.reply_format import (
    BrokenReplyError,
    ReplyContent,
    ReplyFormat,
    optional_count,
    token_count,
    token_logprobs,
)
from reasrm.apis.request_format import ApiProtocol, RequestField, system_text, turns
from reasrm.records.pair import Message
from reasrm.records.trace import TraceOutcome

COMPLETED, INCOMPLETE, FAILED = "completed", "incomplete", "failed"
OUTCOMES: dict[str, TraceOutcome] = {
    COMPLETED: TraceOutcome.OK,
    "max_output_tokens": TraceOutcome.TRUNCATED,
    "content_filter": TraceOutcome.REFUSED,
}
"""By status, or by the reason of an incomplete one."""
WITH_LOGPROBS = {"include": ["message.output_text.logprobs"]}


@dataclass(frozen=True)
class ResponsesRequests:
    """Responses. The vendor is asked not to keep the exchange: each question stands alone, nothing refers to it."""

    model: str
    protocol: ApiProtocol = ApiProtocol.OPENAI_RESPONSES
    api_version: str = "responses v1"
    reserves_output: bool = True
    accepts: frozenset[RequestField] = frozenset(RequestField) - {RequestField.SEED}

    def body(
        self, messages: Sequence[Message], max_tokens: int, fields: Mapping[RequestField, Any] | None = None
    ) -> dict[str, Any]:
        """The Responses request; a conversation of one turn is sent as a plain text."""
        text, conversation = system_text(messages), turns(messages)
        drawing = {field.value: value for field, value in (fields or {}).items() if field is not RequestField.LOGPROBS}
        return {
            "model": self.model,
            "max_output_tokens": max_tokens,
            **({"instructions": text} if text else {}),
            "input": conversation[0]["content"] if len(conversation) == 1 else conversation,
            "store": False,
            **drawing,
            **(WITH_LOGPROBS if (fields or {}).get(RequestField.LOGPROBS) else {}),
        }


class OpenAIResponsesClient(OpenAIClient):
    """The client of the protocol `openai_responses`."""

    path = "responses"

    def read_reply(self, body: Any, request_id: str) -> ApiReply:
        """Read a Response object."""
        return read_response(body, request_id, needs_usage=self.connection.needs_usage)


def read_response(body: Any, request_id: str, *, needs_usage: bool = True) -> ApiReply:
    """Read a Response object. Tokens written to the prompt cache are billed as any others and stay among them.

    Raises:
        BrokenReplyError: it is none, or the model failed; its `error_kind` says which.
    """
    if isinstance(body, dict) and body.get("status") == FAILED:
        error = ApiError.from_body(body.get("error") or "it does not say why")
        raise BrokenReplyError(f"the response failed: {error.code or error.kind} {error.message}", error)
    return RESPONSE.read(body, request_id, needs_usage=needs_usage)


def _usage(body: Any) -> Usage:
    usage = body["usage"]
    cached = optional_count(usage.get("input_tokens_details"), "cached_tokens")
    return Usage(
        input_tokens=max(0, token_count(usage, "input_tokens") - cached),
        output_tokens=token_count(usage, "output_tokens"),
        cache_read_tokens=cached,
    )


def _content(body: Any) -> ReplyContent:
    parts = [part for item in body["output"] if item["type"] == "message" for part in item["content"]]
    texts = [part for part in parts if part["type"] == "output_text"]
    reason = body["incomplete_details"]["reason"] if body["status"] == INCOMPLETE else body["status"]
    return ReplyContent(
        text="".join(part["text"] for part in texts),
        finish_reason=reason,
        refused=any(part["type"] == "refusal" for part in parts),
        token_logprobs=tuple(one for part in texts for one in token_logprobs(part.get("logprobs"))),
    )


RESPONSE = ReplyFormat("Response", OUTCOMES, _usage, _content)
"""Reads a Response object that has not failed."""
