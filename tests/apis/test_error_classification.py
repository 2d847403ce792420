"""What vendors' errors mean, online and in batches: the account, the question, or nothing that lasts.

Run:     pytest tests/oracle/test_troubles.py
"""

from typing import Any

import pytest

from reasrm.apis.attempt import Trouble
from reasrm.apis.error_classification import Told

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
    ("status", "body", "trouble"),
    [
        (400, anthropic("invalid_request_error", USAGE_LIMIT), Trouble.NO_CREDIT),
        (400, anthropic("invalid_request_error", "Your credit balance is too low."), Trouble.NO_CREDIT),
        (400, anthropic("invalid_request_error", "This organization has been disabled."), Trouble.NOT_ALLOWED),
        (400, anthropic("invalid_request_error", code="cmek_key_disabled"), Trouble.NOT_ALLOWED),
        (400, anthropic("invalid_request_error", code="organization_type_not_supported"), Trouble.NOT_ALLOWED),
        (400, anthropic("invalid_request_error", code="organization_on_hold"), Trouble.NOT_ALLOWED),
        (400, anthropic("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"), Trouble.INVALID),
        (402, anthropic("billing_error", code="linked_organization_spend_limit_reached"), Trouble.NO_CREDIT),
        (429, anthropic("rate_limit_error", code="enforced_spend_limit_reached"), Trouble.NO_CREDIT),
        (429, anthropic("rate_limit_error", code="ramp_limit_exceeded"), Trouble.RATE_LIMITED),
        (429, anthropic("rate_limit_error", "Usage credits are required for long context requests."), Trouble.INVALID),
        (503, anthropic("api_error", code="cmek_key_unreachable"), Trouble.OVERLOADED),
        (500, anthropic("api_error", USAGE_LIMIT), Trouble.SERVER_ERROR),
        (529, anthropic("overloaded_error"), Trouble.OVERLOADED),
        (429, openai("insufficient_quota", "insufficient_quota", QUOTA), Trouble.NO_CREDIT),
        (429, openai(None, "insufficient_quota", QUOTA), Trouble.NO_CREDIT),
        (400, openai("billing_hard_limit_reached"), Trouble.NO_CREDIT),
        (429, openai("rate_limit_exceeded", "tokens", TOO_LARGE), Trouble.INVALID),
        (429, openai("rate_limit_exceeded", "tokens", "Rate limit reached for o3"), Trouble.RATE_LIMITED),
        (400, openai("context_length_exceeded"), Trouble.INVALID),
        (401, openai("invalid_api_key"), Trouble.NOT_ALLOWED),
        (403, openai("unsupported_country_region_territory", "request_forbidden"), Trouble.NOT_ALLOWED),
        (404, openai("model_not_found"), Trouble.NOT_ALLOWED),
        *((status, "<html>no</html>", Trouble.NOT_ALLOWED) for status in (401, 403, 404, 405, 407, 410)),
        *((status, None, Trouble.INVALID) for status in (400, 413, 414, 422)),
        *((status, [], Trouble.SERVER_ERROR) for status in (408, 409, 499, 500, 502)),
    ],
)
def test_an_error_of_a_status(status: int, body: Any, trouble: Trouble) -> None:
    assert Told.by(body, status).trouble is trouble


@pytest.mark.parametrize(
    ("body", "trouble"),
    [
        (anthropic("invalid_request_error"), Trouble.INVALID),
        (anthropic("invalid_request_error", USAGE_LIMIT), Trouble.NO_CREDIT),
        ({"type": "error", "error": anthropic("billing_error")}, Trouble.NO_CREDIT),
        (anthropic("authentication_error"), Trouble.NOT_ALLOWED),
        (anthropic("not_found_error"), Trouble.NOT_ALLOWED),
        (anthropic("rate_limit_error"), Trouble.RATE_LIMITED),
        (anthropic("overloaded_error"), Trouble.OVERLOADED),
        (anthropic("api_error"), Trouble.SERVER_ERROR),
        ({"code": "insufficient_quota", "message": QUOTA}, Trouble.NO_CREDIT),
        ({"code": "batch_expired", "message": "too late"}, Trouble.SERVER_ERROR),
        (openai("rate_limit_exceeded", "tokens"), Trouble.RATE_LIMITED),
        (openai(None), Trouble.INVALID),
        ({"error": {"code": 402, "message": "Insufficient credits"}}, Trouble.NO_CREDIT),
        ({"error": {"code": "503", "message": "no provider"}}, Trouble.OVERLOADED),
        ({"error": "something"}, Trouble.SERVER_ERROR),
        (None, Trouble.SERVER_ERROR),
    ],
)
def test_an_error_in_a_row_of_a_batch_or_behind_a_good_status(body: Any, trouble: Trouble) -> None:
    assert Told.by(body).trouble is trouble
    assert Told.by(body, 200).trouble is trouble


def test_the_vendors_own_words_are_kept() -> None:
    assert Told.by(anthropic("billing_error", "pay"), 402).message == "pay"
    assert Told.by(openai("x", "y", "no"), 400).message == "no"
    assert Told.by("<html>", 502).message == "<html>"
