"""OpenAI's Responses API: account, limits and errors of Chat Completions, another request and another reply."""

from typing import Any

from stages.oracle.attempt import Answer, Usage
from stages.oracle.openai_client import OpenAIClient
from stages.oracle.reply_reading import BrokenReplyError, outcome_of
from stages.oracle.troubles import Told
from stages.records.trace import TraceOutcome

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
        BrokenReplyError: it is none, or the model failed; its `trouble` says which.
    """
    try:
        if body["status"] == FAILED:
            raise _failure(body["error"] or {})
        parts = [part for item in body["output"] if item["type"] == "message" for part in item["content"]]
        text = "".join(part["text"] for part in parts if part["type"] == "output_text")
        ending = body["incomplete_details"]["reason"] if body["status"] == INCOMPLETE else body["status"]
        outcome = outcome_of(ENDINGS, ending, text)
        usage = body["usage"]
        cached = (usage.get("input_tokens_details") or {}).get("cached_tokens") or 0
        return Answer(
            outcome=TraceOutcome.REFUSED if any(part["type"] == "refusal" for part in parts) else outcome,
            text=text,
            usage=Usage(
                input_tokens=usage["input_tokens"] - cached,
                output_tokens=usage["output_tokens"],
                cache_read_tokens=cached,
            ),
            model=body["model"],
            request_id=request_id,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise BrokenReplyError(f"not a Response: {error!r}") from error


def _failure(error: dict[str, Any]) -> BrokenReplyError:
    code, message = error.get("code"), error.get("message")
    return BrokenReplyError(f"the response failed: {code}: {message}", Told.by(error).trouble)
