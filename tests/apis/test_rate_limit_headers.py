"""What response headers say of limits and pauses."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from reasrm.apis.rate_limit_headers import RateLimit, read_anthropic_limits, retry_after_seconds


def test_retry_after_in_its_three_forms() -> None:
    assert retry_after_seconds({"retry-after": "12"}) == 12
    assert retry_after_seconds({"retry-after": "1", "retry-after-ms": "250"}) == 0.25
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=30))
    assert 25 < (retry_after_seconds({"retry-after": later}) or 0) <= 30
    assert retry_after_seconds({"retry-after": "soon"}) is None
    assert retry_after_seconds({}) is None


def test_limit_headers_are_read_under_their_own_names() -> None:
    seen = read_anthropic_limits(
        {
            "anthropic-ratelimit-input-tokens-limit": "100",
            "anthropic-ratelimit-input-tokens-remaining": "7",
            "anthropic-ratelimit-output-tokens-limit": "20",
            "anthropic-ratelimit-output-tokens-remaining": "3",
        }
    )
    assert (seen.requests, seen.input_tokens, seen.output_tokens) == (None, RateLimit(100, 7), RateLimit(20, 3))


@pytest.mark.parametrize("limit", ["unlimited", "0", "-1", "nan", "inf", "", "1e999"])
def test_a_limit_that_nobody_could_keep_to_is_none(limit: str) -> None:
    headers = {"anthropic-ratelimit-requests-limit": limit, "anthropic-ratelimit-requests-remaining": "5"}
    assert read_anthropic_limits(headers).requests is None
    headers = {"anthropic-ratelimit-requests-limit": "60", "anthropic-ratelimit-requests-remaining": limit}
    assert read_anthropic_limits(headers).requests in (None, RateLimit(60, 0))


@pytest.mark.parametrize("headers", [{"retry-after": "nan"}, {"retry-after": "inf"}, {"retry-after-ms": "soon"}])
def test_a_retry_after_without_sense_is_none(headers: dict[str, str]) -> None:
    assert retry_after_seconds(headers) is None
    assert retry_after_seconds({"retry-after": "-3"}) == 0
