"""OpenAI's Responses API: account, limits and errors of Chat Completions, another request and another reply."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reasrm.apis.api_reply import ApiReply, Usage
from reasrm.apis.openai_chat import OpenAIClient, openai_usage
from reasrm.apis.reply_format import ReplyContent, ReplyFormat, text_of, token_logprobs
from reasrm.apis.request_format import ApiProtocol, RequestField, system_text, turns
from reasrm.records.pair import Message

INCOMPLETE = "incomplete"
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

    protocol = ApiProtocol.OPENAI_RESPONSES
    path = "responses"

    def read_reply(self, body: Any, request_id: str) -> ApiReply:
        """Read a Response object."""
        return RESPONSE.read(body, request_id, needs_usage=self.connection.needs_usage)


def _usage(body: Any) -> Usage:
    """Tokens written to the prompt cache are billed as any others and stay among them."""
    return openai_usage(body["usage"], "input_tokens", "output_tokens", "input_tokens_details")


def _content(body: Any) -> ReplyContent:
    messages = [item["content"] for item in body["output"] if item["type"] == "message"]
    read = [text_of(content) for content in messages]
    parts = [part for content in messages if isinstance(content, list) for part in content if isinstance(part, dict)]
    status, details = body.get("status"), body.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else None
    return ReplyContent(
        text="".join(text for text, _ in read),
        finish_reason=(reason or status) if status == INCOMPLETE else status,
        refused=any(refused for _, refused in read),
        token_logprobs=tuple(one for part in parts for one in token_logprobs(part.get("logprobs"))),
        whole=status not in (INCOMPLETE, "in_progress", "queued"),
    )


RESPONSE = ReplyFormat("Response", "output", _usage, _content)
"""Reads a Response object."""
