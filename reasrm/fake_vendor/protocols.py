"""The vendors' three protocols as the fake vendor speaks them: request bodies are read, reply bodies are written."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reasrm.fake_vendor.settings import Fault
from reasrm.records.content_hash import content_hash

CHARACTERS_PER_TOKEN = 4
REMOVED_BY_ANTHROPIC = ("temperature", "top_p", "top_k")
"""Answered with 400 since the API version 2026-10-21."""
LEAST_RESPONSE = 16
"""Responses takes no smaller token limit."""


class Vendor(StrEnum):
    """Whose protocol is spoken."""

    ANTHROPIC = "anthropic"
    OPENAI = "openai"


class ApiPath(StrEnum):
    """One way to ask for one reply, by its path."""

    MESSAGES = "/v1/messages"
    CHAT_COMPLETIONS = "/v1/chat/completions"
    RESPONSES = "/v1/responses"

    @property
    def vendor(self) -> Vendor:
        """Whose it is."""
        return Vendor.ANTHROPIC if self is ApiPath.MESSAGES else Vendor.OPENAI


class InvalidRequestError(ValueError):
    """The body is not a request of the protocol; the message goes out with a 400."""


def tokens_of(text: str) -> int:
    """A rough length in tokens."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """One request for one reply, of either vendor."""

    api: ApiPath
    key: str
    """Hash of the body: the same question asked again has the same key."""
    model: str
    system: str
    user: str
    max_tokens: int
    input_tokens: int

    @property
    def vendor(self) -> Vendor:
        """Whose API is asked."""
        return self.api.vendor


@dataclass(frozen=True, slots=True)
class GeneratedReply:
    """A reply before it is written in a protocol: the text as far as it goes, its fault, and its length in tokens."""

    text: str
    fault: Fault | None
    """None for a whole reply; one of the lasting faults otherwise."""
    output_tokens: int


def read_request(api: ApiPath, body: Any) -> ParsedRequest:
    """Read the JSON body of one request.

    Raises:
        InvalidRequestError: a field is missing, of the wrong type, or no longer accepted.
    """
    if not isinstance(body, dict):
        raise InvalidRequestError("the body must be a JSON object")
    try:
        system, user, limit = PARTS[api](body)
        model = str(body["model"])
    except (KeyError, TypeError, IndexError) as error:
        raise InvalidRequestError(f"missing or wrong field: {error}") from error
    if not isinstance(limit, int) or limit < 1:
        raise InvalidRequestError(f"the token limit must be a positive integer, not {limit!r}")
    return ParsedRequest(api, content_hash(body), model, system, user, limit, tokens_of(system) + tokens_of(user))


def _anthropic_parts(body: dict[str, Any]) -> tuple[str, str, Any]:
    removed = [name for name in REMOVED_BY_ANTHROPIC if name in body]
    if removed:
        raise InvalidRequestError(f"{removed[0]}: Extra inputs are not permitted")
    return _text(body.get("system", "")), _text(body["messages"][-1]["content"]), body["max_tokens"]


def _openai_parts(body: dict[str, Any]) -> tuple[str, str, Any]:
    messages = body["messages"]
    if body["model"].startswith("o") and "max_tokens" in body:
        raise InvalidRequestError("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
    if body["model"].startswith("o") and body.get("temperature", 1) != 1:
        raise InvalidRequestError("Unsupported value: 'temperature' does not support other values than 1.")
    system = "".join(_text(turn["content"]) for turn in messages if turn["role"] in ("system", "developer"))
    limit = body.get("max_completion_tokens", body.get("max_tokens", 4096))
    return system, _text(messages[-1]["content"]), limit


def _responses_parts(body: dict[str, Any]) -> tuple[str, str, Any]:
    foreign = [name for name in ("messages", "max_tokens", "max_completion_tokens") if name in body]
    if foreign:
        raise InvalidRequestError(f"Unknown parameter: '{foreign[0]}'.")
    if body["model"].startswith("o") and body.get("temperature", 1) != 1:
        raise InvalidRequestError("Unsupported parameter: 'temperature' is not supported with this model.")
    limit = body.get("max_output_tokens", 4096)
    if isinstance(limit, int) and limit < LEAST_RESPONSE:
        raise InvalidRequestError(f"Invalid 'max_output_tokens': expected a value >= {LEAST_RESPONSE}.")
    given = body["input"]
    return body.get("instructions") or "", given if isinstance(given, str) else _text(given[-1]["content"]), limit


PARTS: dict[ApiPath, Callable[[dict[str, Any]], tuple[str, str, Any]]] = {
    ApiPath.MESSAGES: _anthropic_parts,
    ApiPath.CHAT_COMPLETIONS: _openai_parts,
    ApiPath.RESPONSES: _responses_parts,
}
"""System text, user text and token limit of a request's body."""


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(block["text"] for block in content)


def reply_body(parsed: ParsedRequest, reply: GeneratedReply, number: int) -> dict[str, Any]:
    """The body of a reply in the protocol of `parsed`; `number` makes its id."""
    return WRITERS[parsed.api](parsed, reply, number)


def _anthropic_reply(parsed: ParsedRequest, reply: GeneratedReply, number: int) -> dict[str, Any]:
    reasons = {Fault.REFUSAL: "refusal", Fault.TRUNCATED: "max_tokens", Fault.ODD_ENDING: "pause_turn"}
    return {
        "id": f"msg_{number:012d}",
        "type": "message",
        "role": "assistant",
        "model": parsed.model,
        "content": [{"type": "text", "text": reply.text}] if reply.text else [],
        "stop_reason": reasons.get(reply.fault, "end_turn") if reply.fault else "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": parsed.input_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": reply.output_tokens,
            "service_tier": "standard",
        },
    }


def _openai_reply(parsed: ParsedRequest, reply: GeneratedReply, number: int) -> dict[str, Any]:
    refused = reply.fault is Fault.REFUSAL
    message = {
        "role": "assistant",
        "content": None if refused else reply.text,
        "refusal": "I cannot help with that." if refused else None,
    }
    reasons = {Fault.TRUNCATED: "length", Fault.ODD_ENDING: "tool_calls"}
    reason = reasons.get(reply.fault, "stop") if reply.fault else "stop"
    return {
        "id": f"chatcmpl-{number:012d}",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": parsed.model,
        "choices": [{"index": 0, "message": message, "finish_reason": reason, "logprobs": None}],
        "usage": {
            "prompt_tokens": parsed.input_tokens,
            "completion_tokens": reply.output_tokens,
            "total_tokens": parsed.input_tokens + reply.output_tokens,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }


def _responses_reply(parsed: ParsedRequest, reply: GeneratedReply, number: int) -> dict[str, Any]:
    reasons = {Fault.TRUNCATED: "max_output_tokens", Fault.ODD_ENDING: "steered"}
    cut = reasons.get(reply.fault) if reply.fault else None
    content: list[dict[str, Any]] = [{"type": "output_text", "text": reply.text, "annotations": []}]
    if reply.fault is Fault.REFUSAL:
        content = [{"type": "refusal", "refusal": "I cannot help with that."}]
    status = "incomplete" if cut else "completed"
    message = {"id": f"msg_{number}", "type": "message", "role": "assistant", "status": status, "content": content}
    return {
        "id": f"resp_{number:012d}",
        "object": "response",
        "created_at": 1_700_000_000,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": cut} if cut else None,
        "model": parsed.model,
        "output": [{"id": f"rs_{number}", "type": "reasoning", "summary": []}, message],
        "usage": {
            "input_tokens": parsed.input_tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": reply.output_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": parsed.input_tokens + reply.output_tokens,
        },
    }


WRITERS: dict[ApiPath, Callable[[ParsedRequest, GeneratedReply, int], dict[str, Any]]] = {
    ApiPath.MESSAGES: _anthropic_reply,
    ApiPath.CHAT_COMPLETIONS: _openai_reply,
    ApiPath.RESPONSES: _responses_reply,
}
