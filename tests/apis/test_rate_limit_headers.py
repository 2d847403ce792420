"""What response headers say of limits and pauses."""

import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.apis.rate_limit_headers import RateLimit, read_anthropic_limits, retry_after_seconds, shown_seconds


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


NOW = {"date": "Wed, 25 Nov 2026 12:00:00 GMT"}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": " 12 "}, 12),
        ({"retry-after": "1e9"}, 1e9),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-5"}, 0),
        ({"retry-after": "9" * 400}, sys.float_info.max),
        ({"retry-after": "1e999"}, sys.float_info.max),
        ({"retry-after": "9" * 400 + "h"}, sys.float_info.max),
        ({"retry-after": "1m30s"}, 90),
        ({"retry-after": "3600 s"}, 3600),
        ({"retry-after": "250ms"}, 0.25),
        ({"retry-after": "2h"}, 7200),
        ({"x-ms-retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9),
        ({"retry-after": "Wed, 25 Nov 2026 12:01:00 GMT"} | NOW, 60),
        ({"retry-after": "Wed, 25 Nov 2026 13:01:00 +0100"} | NOW, 60),
        ({"retry-after": "2026-11-25T12:01:00Z"} | NOW, 60),
        ({"retry-after": "Wednesday, 25-Nov-26 12:01:00 GMT"} | NOW, 60),
        ({"retry-after": "Wed, 25 Nov 2026 11:00:00 GMT"} | NOW, 0),
        ({"retry-after": "Wed, 25 Nov 2015 12:00:00 GMT", "date": "nonsense"}, 0),
        ({"retry-after": ""}, None),
        ({"retry-after": "12, 60"}, None),
        ({"retry-after": "1_000"}, None),
        ({"retry-after": "\N{ARABIC-INDIC DIGIT THREE}"}, None),
        ({"retry-after": "Wed, 25 Nov 99999 12:00:00 GMT"}, None),
        ({"x-ratelimit-reset-requests": "6m0s", "x-ratelimit-reset": "1764072000000"}, None),
    ],
)
def test_a_pause_is_read_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_seconds(headers) == seconds


def test_a_date_is_compared_with_the_servers_clock_not_with_ours() -> None:
    """A server whose clock is a year ahead asks for a minute, not for a year."""
    headers = {"date": "Thu, 25 Nov 2060 12:00:00 GMT", "retry-after": "Thu, 25 Nov 2060 12:01:00 GMT"}
    assert retry_after_seconds(headers) == 60


@given(st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms", "date"]), st.text(max_size=30)))
def test_no_header_is_too_odd(headers: dict[str, str]) -> None:
    seconds = retry_after_seconds(headers)
    assert seconds is None or 0 <= seconds <= sys.float_info.max


@pytest.mark.parametrize(("seconds", "shown"), [(59.6, "60 s"), (1e9, "1000000000 s"), (1e300, "more than 300 years")])
def test_a_wait_is_shown_in_a_few_characters(seconds: float, shown: str) -> None:
    assert shown_seconds(seconds) == shown
