"""Where an error stands in a body, and what it states, whoever wrote it.

The shapes, by source: `{"error": {...}}` (OpenAI, Azure, LiteLLM, OpenRouter), `{"type": "error", "error": {...}}`
(Anthropic, whose batches wrap it once more), `{"object": "error", ...}` (vLLM before 0.10, SGLang, Mistral),
`{"error": "...", "error_type": ...}` (TGI, Ollama), `[{"error": {...}}]` (Google), `{"detail": ...}` (FastAPI),
`{"errors": [...]}` (Cloudflare), `{"message": ..., "statusCode": ...}` (gateways), `{"base_resp": {...}}` (MiniMax).
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

BRIEF_CHARACTERS = 4000
SAYS_WHY = ("detail", "errors", "message", "msg", "error_msg", "error_message", "base_resp", "fault")
"""What an object that is no reply, but an error, says it with."""
AROUND = ("error", "errors", "detail", "base_resp", "fault")
"""Fields that hold an error object, or its text."""
STATUS_NAMES = ("code", "status", "status_code", "statusCode", "http_status", "http_code", "error_code")
DEEPEST = 4


def error_object(body: Any) -> tuple[Any, Any]:
    """The object that an error stands in, and the error: an object, a text, or whatever `body` is."""
    around, error = body, body
    for _ in range(DEEPEST):
        if isinstance(error, list) and error and isinstance(error[0], Mapping | str):
            error = error[0]
            continue
        fields = [error.get(name) for name in AROUND] if isinstance(error, Mapping) else []
        inner = next(
            (field for field in fields if isinstance(field, Mapping | str | list) and says_something(field)), None
        )
        if inner is None:
            break
        around, error = error, inner
    return around, error


def stated_status(*objects: Any) -> int | None:
    """The HTTP status of an error that one of `objects` gives, the first that does; None if none does."""
    for one in objects:
        for value in (one.get(name) for name in STATUS_NAMES) if isinstance(one, Mapping) else ():
            if isinstance(value, bool) or not isinstance(value, int | float | str):
                continue
            digits = str(value).strip().removesuffix(".0")
            if len(digits) == 3 and digits.isascii() and digits.isdecimal() and int(digits) >= HTTPStatus.BAD_REQUEST:
                return int(digits)
    return None


def word(one: Any, *names: str) -> str:
    """The first of the fields `names` that is a text or a number; empty if none is, or says nothing."""
    for value in (one.get(name) for name in names) if isinstance(one, Mapping) else ():
        text = brief(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
        if text and text != "None":  # as LiteLLM writes null
            return text
    return ""


def says_something(value: Any) -> bool:
    """Whether a field that may hold an error does: some gateways send one with nothing in it beside every reply."""
    return any(value.values()) if isinstance(value, Mapping) else bool(value)


def brief(value: Any) -> str:
    """Any value of JSON, or an exception about one, for a message; cut short."""
    try:
        return (value if isinstance(value, str) else repr(value))[:BRIEF_CHARACTERS]
    except (RecursionError, ValueError):  # nested too deeply, or a number of too many digits
        return f"a {type(value).__name__} that cannot be shown"
