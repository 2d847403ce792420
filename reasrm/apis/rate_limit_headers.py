"""What a server's response headers say about its rate limits and how long to wait.

How long: `retry-after-ms` and Azure's `x-ms-retry-after-ms` in milliseconds, else `retry-after` in seconds, as a
duration with units (`1m30s`), or as a date (HTTP's or ISO 8601). A date is the server's, so it is compared with the
server's own `date`; with our clock only where there is none. What is over is no wait; what is no number at all (`nan`,
`inf`, `soon`) asks for none. A number too large for a float is the largest one. The wait is given as the server states
it: those who keep it bound it (`outage_minutes` of the oracle, `LONGEST_RETRY_AFTER` of a judge). When a limit resets
(`x-ratelimit-reset-*`, `anthropic-ratelimit-*-reset`) is not read: that is when all of it is back, in units that differ
by server, and no request to wait.
"""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

LARGEST_LIMIT = 1e15
"""A minute; what is above it is none."""
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+", re.ASCII)
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
"""Seconds."""


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
    """How long the server wants to be left alone, in seconds; None if it does not say, or says what means nothing."""
    for name in ("retry-after-ms", "x-ms-retry-after-ms"):
        milliseconds = _number(headers.get(name))
        if milliseconds is not None:
            return max(0.0, milliseconds / 1000)
    value = headers.get("retry-after", "").strip()
    seconds, duration = _number(value), value.replace(" ", "")
    if seconds is None:
        seconds = (
            _duration(duration) if DURATION.fullmatch(duration) else _seconds_until(value, headers.get("date", ""))
        )
    return None if seconds is None else max(0.0, seconds)


def shown_seconds(seconds: float) -> str:
    """A wait for a message."""
    return f"{seconds:.0f} s" if seconds < 1e10 else "more than 300 years"


def plain_headers(headers: Any) -> dict[str, str]:
    """The SDK's header object as a plain dict with names in lower case: a look-up costs it a hundred times less."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers.raw}


def _rate_limit(headers: Mapping[str, str], limit_name: str, remaining_name: str) -> RateLimit | None:
    """One limit out of its two headers; None where the server sends none, or nothing that could be kept to."""
    limit, remaining = _number(headers.get(limit_name)), _number(headers.get(remaining_name))
    if limit is None or remaining is None or not 0 < limit < LARGEST_LIMIT or remaining >= LARGEST_LIMIT:
        return None
    return RateLimit(limit, max(0.0, remaining))


def _number(value: str | None) -> float | None:
    value = (value or "").strip()
    return min(max(float(value), -sys.float_info.max), sys.float_info.max) if NUMBER.fullmatch(value) else None


def _duration(value: str) -> float:
    seconds = sum(float(count) * UNITS[unit] for count, unit in re.findall(r"([\d.]+)(ms|s|m|h|d)", value))
    return min(seconds, sys.float_info.max)


def _seconds_until(date: str, now: str) -> float | None:
    """From the server's `now`, or ours where it sends none, until `date`."""
    then = _moment(date)
    return None if then is None else (then - (_moment(now) or datetime.now(UTC))).total_seconds()


def _moment(date: str) -> datetime | None:
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(date)
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, TypeError, LookupError, OverflowError, AttributeError):  # all of them on odd dates
            continue
    return None
