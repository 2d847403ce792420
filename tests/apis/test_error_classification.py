"""What vendors' errors mean, online and in batches: the account, the question, or nothing that lasts."""

from typing import Any

import pytest

from reasrm.apis.error_classification import ApiError, ErrorKind, PromptRefusal

USAGE_LIMIT = "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC."
QUOTA = "You exceeded your current quota, please check your plan and billing details."
TOO_LARGE = (
    "Request too large for o3 in organization org-x on tokens per min (TPM): Limit 30000, Requested 36278. The input "
    "or output tokens must be reduced in order to run successfully."
)


def anthropic(kind: str, message: str = "m", code: str | None = None) -> dict[str, Any]:
    """An error as Anthropic sends it."""
    details = {} if code is None else {"details": {"error_code": code}}
    return {"type": "error", "error": {"type": kind, "message": message, **details}, "request_id": "r"}


def openai(code: str | None, kind: str = "invalid_request_error", message: str = "m") -> dict[str, Any]:
    """An error as OpenAI sends it."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


@pytest.mark.parametrize(
    ("status", "body", "error_kind"),
    [
        (400, anthropic("invalid_request_error", USAGE_LIMIT), ErrorKind.NO_CREDIT),
        (400, anthropic("invalid_request_error", "Your credit balance is too low."), ErrorKind.NO_CREDIT),
        (400, anthropic("invalid_request_error", "This organization has been disabled."), ErrorKind.NOT_ALLOWED),
        (400, anthropic("invalid_request_error", code="cmek_key_disabled"), ErrorKind.NOT_ALLOWED),
        (400, anthropic("invalid_request_error", code="organization_type_not_supported"), ErrorKind.NOT_ALLOWED),
        (400, anthropic("invalid_request_error", code="organization_on_hold"), ErrorKind.NOT_ALLOWED),
        (400, anthropic("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"), ErrorKind.INVALID),
        (402, anthropic("billing_error", code="linked_organization_spend_limit_reached"), ErrorKind.NO_CREDIT),
        (429, anthropic("rate_limit_error", code="enforced_spend_limit_reached"), ErrorKind.NO_CREDIT),
        (429, anthropic("rate_limit_error", code="ramp_limit_exceeded"), ErrorKind.RATE_LIMITED),
        (
            429,
            anthropic("rate_limit_error", "Usage credits are required for long context requests."),
            ErrorKind.INVALID,
        ),
        (503, anthropic("api_error", code="cmek_key_unreachable"), ErrorKind.OVERLOADED),
        (500, anthropic("api_error", USAGE_LIMIT), ErrorKind.SERVER_ERROR),
        (529, anthropic("overloaded_error"), ErrorKind.OVERLOADED),
        (429, openai("insufficient_quota", "insufficient_quota", QUOTA), ErrorKind.NO_CREDIT),
        (429, openai(None, "insufficient_quota", QUOTA), ErrorKind.NO_CREDIT),
        (400, openai("billing_hard_limit_reached"), ErrorKind.NO_CREDIT),
        (429, openai("rate_limit_exceeded", "tokens", TOO_LARGE), ErrorKind.INVALID),
        (429, openai("rate_limit_exceeded", "tokens", "Rate limit reached for o3"), ErrorKind.RATE_LIMITED),
        (400, openai("context_length_exceeded"), ErrorKind.INVALID),
        (401, openai("invalid_api_key"), ErrorKind.NOT_ALLOWED),
        (403, openai("unsupported_country_region_territory", "request_forbidden"), ErrorKind.NOT_ALLOWED),
        (404, openai("model_not_found"), ErrorKind.NOT_ALLOWED),
        *((status, "<html>no</html>", ErrorKind.NOT_ALLOWED) for status in (401, 403, 404, 405, 407, 410)),
        *((status, None, ErrorKind.INVALID) for status in (400, 413, 414, 422)),
        *((status, [], ErrorKind.SERVER_ERROR) for status in (408, 409, 499, 500, 502)),
    ],
)
def test_an_error_of_a_status(status: int, body: Any, error_kind: ErrorKind) -> None:
    assert ApiError.from_body(body, status).error_kind is error_kind


@pytest.mark.parametrize(
    ("body", "error_kind"),
    [
        (anthropic("invalid_request_error"), ErrorKind.INVALID),
        (anthropic("invalid_request_error", USAGE_LIMIT), ErrorKind.NO_CREDIT),
        ({"type": "error", "error": anthropic("billing_error")}, ErrorKind.NO_CREDIT),
        (anthropic("authentication_error"), ErrorKind.NOT_ALLOWED),
        (anthropic("not_found_error"), ErrorKind.NOT_ALLOWED),
        (anthropic("rate_limit_error"), ErrorKind.RATE_LIMITED),
        (anthropic("overloaded_error"), ErrorKind.OVERLOADED),
        (anthropic("api_error"), ErrorKind.SERVER_ERROR),
        ({"code": "insufficient_quota", "message": QUOTA}, ErrorKind.NO_CREDIT),
        ({"code": "batch_expired", "message": "too late"}, ErrorKind.SERVER_ERROR),
        (openai("rate_limit_exceeded", "tokens"), ErrorKind.RATE_LIMITED),
        (openai(None), ErrorKind.INVALID),
        ({"error": {"code": 402, "message": "Insufficient credits"}}, ErrorKind.NO_CREDIT),
        ({"error": {"code": "503", "message": "no provider"}}, ErrorKind.OVERLOADED),
        ({"error": "something"}, ErrorKind.SERVER_ERROR),
        (None, ErrorKind.SERVER_ERROR),
    ],
)
def test_an_error_in_a_row_of_a_batch_or_behind_a_good_status(body: Any, error_kind: ErrorKind) -> None:
    assert ApiError.from_body(body).error_kind is error_kind
    assert ApiError.from_body(body, 200).error_kind is error_kind


def test_the_vendors_own_words_are_kept() -> None:
    assert ApiError.from_body(anthropic("billing_error", "pay"), 402).message == "pay"
    assert ApiError.from_body(openai("x", "y", "no"), 400).message == "no"
    assert ApiError.from_body("<html>", 502).message == "<html>"


@pytest.mark.parametrize(
    ("status", "body", "refusal"),
    [
        (400, openai("context_length_exceeded"), PromptRefusal.TOO_LONG),
        (400, anthropic("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"), PromptRefusal.TOO_LONG),
        (413, None, PromptRefusal.TOO_LONG),
        (429, openai("rate_limit_exceeded", "tokens", TOO_LARGE), PromptRefusal.TOO_LONG),
        (400, openai("content_filter", message="triggering our content management policy"), PromptRefusal.POLICY),
        (400, openai("invalid_prompt", message="your prompt was flagged"), PromptRefusal.POLICY),
        (400, openai(None, message="Unrecognized request argument: logprobs"), PromptRefusal.UNEXPLAINED),
        (422, "no", PromptRefusal.UNEXPLAINED),
        (400, openai(None, message="x" * 300 + " prompt is too long"), PromptRefusal.UNEXPLAINED),
        (200, {"error": {"message": "what nobody has seen"}}, PromptRefusal.UNEXPLAINED),
        (200, {"error": {"message": "slow down", "code": 429}}, None),
        (200, openai("server_error", "server_error"), None),
        (429, openai("rate_limit_exceeded", "tokens"), None),
        (400, anthropic("invalid_request_error", "Your credit balance is too low."), None),
        (401, openai("invalid_api_key"), None),
        (500, None, None),
        (403, "<html>Request blocked</html>", PromptRefusal.UNEXPLAINED),
        (406, "<html>Not Acceptable</html>", PromptRefusal.UNEXPLAINED),
        (403, anthropic("permission_error"), None),
        (401, "<html>no</html>", None),
    ],
)
def test_an_error_may_be_the_prompts_fault(status: int, body: Any, refusal: PromptRefusal | None) -> None:
    assert ApiError.from_body(body, status).prompt_refusal is refusal
