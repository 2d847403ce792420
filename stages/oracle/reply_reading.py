"""What both vendors' replies have in common: endings, statuses, Retry-After."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from stages.oracle.attempt import Trouble
from stages.records.trace import TraceOutcome


class BrokenReplyError(ValueError):
    """A reply of status 200 is not what the protocol says, or says itself that it is none."""

    def __init__(self, message: str, trouble: Trouble = Trouble.BROKEN_REPLY) -> None:
        """Say what is wrong with it, and what that means for the run."""
        super().__init__(message)
        self.trouble = trouble


def plain_headers(headers: Any) -> dict[str, str]:
    """The SDK's header object as a plain dict with names in lower case: a look-up costs it a hundred times less."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers.raw}


def outcome_of(endings: Mapping[str, TraceOutcome], ending: str, text: str) -> TraceOutcome:
    """The outcome of a delivered reply: how it ended, and whether it holds anything.

    Raises:
        BrokenReplyError: `ending` is none that a request of ours can have.
    """
    if ending not in endings:
        raise BrokenReplyError(f"ended for the unknown reason {ending!r}")
    outcome = endings[ending]
    return TraceOutcome.EMPTY if outcome is TraceOutcome.OK and not text.strip() else outcome


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Retry-After in seconds, from milliseconds, seconds or an HTTP date; None if there is none or it is unreadable."""
    milliseconds, value = headers.get("retry-after-ms"), headers.get("retry-after")
    try:
        if milliseconds is not None:
            return max(0.0, float(milliseconds) / 1000)
        return None if value is None else max(0.0, float(value))
    except ValueError:
        return _seconds_until(value)


def _seconds_until(date: str | None) -> float | None:
    try:
        return max(0.0, (parsedate_to_datetime(date or "") - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
