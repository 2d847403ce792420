"""The fake vendor's errors as each vendor writes them, and replies in a form that no client would expect."""

from collections.abc import Mapping
from typing import Any

from reasrm.fake_vendor.protocols import ApiPath, Vendor
from reasrm.fake_vendor.settings import CreditStop, Fault

ANTHROPIC_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}
PAGE = b"<!doctype html><html><body><h1>We will be back soon</h1></body></html>"
"""What a gateway shows during its maintenance."""


def error_body(vendor: Vendor, status: int, message: str, code: str | None = None) -> dict[str, Any]:
    """The body of an error; `code` is OpenAI's `error.code` or Anthropic's `error.details.error_code`."""
    if vendor is Vendor.OPENAI:
        kind = code or {400: "invalid_request_error", 429: "requests"}.get(status, "server_error")
        return {"error": {"message": message, "type": kind, "param": None, "code": code}}
    error: dict[str, Any] = {"type": ANTHROPIC_ERROR_TYPES[status], "message": message}
    if code:
        error["details"] = {"error_code": code}
    return {"type": "error", "error": error, "request_id": None}


def credit_error(vendor: Vendor, how: CreditStop) -> tuple[int, dict[str, Any]]:
    """Status and body with which `vendor` says that the money is gone."""
    if how is CreditStop.UNFORESEEN:
        return 400, error_body(vendor, 400, "The moon is in the wrong house for this workspace.")
    if vendor is Vendor.OPENAI:
        return 429, error_body(vendor, 429, "You exceeded your current quota, check your plan.", "insufficient_quota")
    if how is CreditStop.SPEND_LIMIT:
        text = "This organization has reached its monthly usage threshold."
        return 429, error_body(vendor, 429, text, "enforced_spend_limit_reached")
    if how is CreditStop.USAGE_LIMIT:
        text = "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC."
        return 400, error_body(vendor, 400, text)
    return 400, error_body(vendor, 400, "Your credit balance is too low to access the Anthropic API.")


def echoed_key_error(vendor: Vendor, headers: Mapping[str, str]) -> dict[str, Any]:
    """The body of a 401 that repeats the key it refuses, as a careless gateway might."""
    keys = [headers[name] for name in ("Authorization", "x-api-key") if name in headers]
    return error_body(vendor, 401, f"invalid key: {', '.join(keys)}, sent to {vendor}")


def too_large_error(vendor: Vendor) -> dict[str, Any]:
    """The body of the 429 for a request that is larger than a minute's limit."""
    if vendor is Vendor.ANTHROPIC:
        return error_body(vendor, 429, "Extra usage is required for long context requests.")
    text = "Request too large for the model on tokens per min (TPM): Limit 30000, Requested 36278."
    return {"error": {"message": text, "type": "tokens", "param": None, "code": "rate_limit_exceeded"}}


def in_unexpected_form(api: ApiPath, body: dict[str, Any], fault: Fault | None, *, in_parts: bool) -> dict[str, Any]:
    """The reply `body` as no client would expect it, if it is due to be."""
    if fault is Fault.NO_USAGE:
        body["usage"] = {"prompt_tokens": 9, "completion_tokens": None} if api is ApiPath.CHAT_COMPLETIONS else None
    if in_parts and api is ApiPath.CHAT_COMPLETIONS:
        message = body["choices"][0]["message"]
        message["content"] = [{"type": "text", "text": message["content"]}]
    return body
