"""What a server's response headers say about its rate limits and how long to wait."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any


@dataclass(frozen=True, slots=True)
class RateLimit:
    """One of the server's limits as its headers give it."""

    per_minute: float
    remaining: float


@dataclass(frozen=True, slots=True)
class RateLimitHeaders:
    """The rate-limit headers of one response; None where the server sends none."""

    requests: RateLimit | None = None
    input_tokens: RateLimit | None = None
    """For OpenAI: prompt and reserved completion tokens together."""
    output_tokens: RateLimit | None = None
    """Anthropic only."""
    retry_after: float | None = None
    """Seconds."""


NO_HEADERS = RateLimitHeaders()


def read_anthropic_limits(headers: Mapping[str, str]) -> RateLimitHeaders:
    """Read the `anthropic-ratelimit-*` headers and Retry-After."""
    requests, input_tokens, output_tokens = (
        _rate_limit(headers, f"anthropic-ratelimit-{name}-limit", f"anthropic-ratelimit-{name}-remaining")
        for name in ("requests", "input-tokens", "output-tokens")
    )
    return RateLimitHeaders(requests, input_tokens, output_tokens, retry_after_seconds(headers))


def read_openai_limits(headers: Mapping[str, str]) -> RateLimitHeaders:
    """Read the `x-ratelimit-*` headers and Retry-After."""
    requests, tokens = (
        _rate_limit(headers, f"x-ratelimit-limit-{name}", f"x-ratelimit-remaining-{name}")
        for name in ("requests", "tokens")
    )
    return RateLimitHeaders(requests=requests, input_tokens=tokens, retry_after=retry_after_seconds(headers))


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Retry-After in seconds, from milliseconds, seconds or an HTTP date; None if there is none or it is unreadable."""
    milliseconds, value = _number(headers.get("retry-after-ms")), headers.get("retry-after")
    seconds = _number(value) if milliseconds is None else milliseconds / 1000
    return _seconds_until(value) if seconds is None else max(0.0, seconds)


def plain_headers(headers: Any) -> dict[str, str]:
    """The SDK's header object as a plain dict with names in lower case: a look-up costs it a hundred times less."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers.raw}


def _rate_limit(headers: Mapping[str, str], limit_name: str, remaining_name: str) -> RateLimit | None:
    """One limit out of its two headers; None where the server sends none, or nothing that could be kept to."""
    limit, remaining = _number(headers.get(limit_name)), _number(headers.get(remaining_name))
    return RateLimit(limit, max(0.0, remaining)) if limit is not None and limit > 0 and remaining is not None else None


def _number(value: str | None) -> float | None:
    try:
        number = float(value) if value else None
    except ValueError:
        return None
    return number if number is not None and isfinite(number) else None


def _seconds_until(date: str | None) -> float | None:
    try:
        return max(0.0, (parsedate_to_datetime(date or "") - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
