"""OpenAI's Responses API: account, limits and errors of Chat Completions, another request and another reply."""

from typing import Any

from reasrm.apis.attempt import Answer, Usage
from reasrm.apis.error_classification import ApiError
from reasrm.apis.openai_chat import OpenAIClient
from reasrm.apis.reply_reading import BrokenReplyError, ReplyShape, Said, optional_count, token_count
from reasrm.records.trace import TraceOutcome

COMPLETED, INCOMPLETE, FAILED = "completed", "incomplete", "failed"
ENDINGS = {
    COMPLETED: TraceOutcome.OK,
    "max_output_tokens": TraceOutcome.TRUNCATED,
    "content_filter": TraceOutcome.REFUSED,
}
"""By status, or by the reason of an incomplete one."""


class OpenAIResponsesClient(OpenAIClient):
    """The provider `openai_responses`."""

    path = "responses"

    def read_reply(self, body: Any, request_id: str) -> Answer:
        """Read a Response object."""
        return read_response(body, request_id)


def read_response(body: Any, request_id: str) -> Answer:
    """Read a Response object. Tokens written to the prompt cache are billed as any others and stay among them.

    Raises:
        BrokenReplyError: it is none, or the model failed; its `error_kind` says which.
    """
    if isinstance(body, dict) and body.get("status") == FAILED:
        error = body.get("error") or {}
        told = f"the response failed: {error.get('code')}: {error.get('message')}"
        raise BrokenReplyError(told, ApiError.by(error).error_kind)
    return RESPONSE.read(body, request_id)


def _usage(body: Any) -> Usage:
    usage = body["usage"]
    cached = optional_count(usage.get("input_tokens_details"), "cached_tokens")
    return Usage(
        input_tokens=max(0, token_count(usage, "input_tokens") - cached),
        output_tokens=token_count(usage, "output_tokens"),
        cache_read_tokens=cached,
    )


def _said(body: Any) -> Said:
    parts = [part for item in body["output"] if item["type"] == "message" for part in item["content"]]
    text = "".join(part["text"] for part in parts if part["type"] == "output_text")
    ending = body["incomplete_details"]["reason"] if body["status"] == INCOMPLETE else body["status"]
    return Said(text, ending, refused=any(part["type"] == "refusal" for part in parts))


RESPONSE = ReplyShape("Response", ENDINGS, _usage, _said)
