"""What both vendors' replies have in common: endings, usage, headers; what cannot be read of a reply that was paid."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from math import isfinite
from typing import Any

from reasrm.apis.attempt import Answer, Bucket, ErrorKind, Usage
from reasrm.apis.error_classification import ApiError
from reasrm.records.trace import TraceOutcome

UNREADABLE = (KeyError, TypeError, IndexError, AttributeError, ValueError)
"""What reading JSON of another shape raises."""
MOST_TOKENS = 1_000_000_000
"""A reply that says to have used more of them is not to be believed."""


class BrokenReplyError(ValueError):
    """A reply of status 200 is not what the protocol says, or says itself that it is none."""

    def __init__(self, message: str, error_kind: ErrorKind = ErrorKind.BROKEN_REPLY) -> None:
        """Say what is wrong with it, and what that means for the run."""
        super().__init__(message)
        self.error_kind = error_kind


@dataclass(frozen=True, slots=True)
class Said:
    """What a reply says, as far as the protocols have it in common."""

    text: str
    ending: Any
    """The vendor's word for why it ended."""
    refused: bool = False
    """It says of itself that it is a refusal, whatever the ending is called."""


@dataclass(frozen=True, slots=True)
class ReplyShape:
    """How the replies of one protocol are read."""

    name: str
    endings: Mapping[str, TraceOutcome]
    usage: Callable[[Any], Usage]
    said: Callable[[Any], Said]

    def read(self, body: Any, request_id: str) -> Answer:
        """Read a reply. Whatever names its usage was billed and is booked, be it readable or not.

        Raises:
            BrokenReplyError: it names no usage; its `error_kind` says what that means.
        """
        if isinstance(body, dict) and body.get("error"):
            api_error = ApiError.by(body, HTTPStatus.OK)
            raise BrokenReplyError(
                f"an error in a good reply: {api_error.code or api_error.kind} {api_error.message}",
                api_error.error_kind,
            )
        try:
            usage = self.usage(body)
        except UNREADABLE as error:
            raise BrokenReplyError(f"not a {self.name} with its usage: {error!r}") from error
        outcome, text, detail = self._judged(body)
        return Answer(outcome, text, usage, str(body.get("model") or ""), request_id, detail)

    def _judged(self, body: Any) -> tuple[TraceOutcome, str, str]:
        """Outcome, text, and what is odd about a reply that is worth nothing."""
        try:
            said = self.said(body)
            known = said.ending in self.endings
        except UNREADABLE as error:
            return TraceOutcome.GAVE_UP, "", f"paid, but not a whole {self.name}: {error!r}"
        if said.refused:
            return TraceOutcome.REFUSED, said.text, ""
        if not known:
            return TraceOutcome.GAVE_UP, said.text, f"paid, but ended for the unknown reason {said.ending!r}"
        outcome = self.endings[said.ending]
        empty = outcome is TraceOutcome.OK and not said.text.strip()
        return TraceOutcome.EMPTY if empty else outcome, said.text, ""


def token_count(usage: Mapping[str, Any], name: str) -> int:
    """A number of tokens out of a usage object.

    Raises:
        ValueError: it is none; TypeError or KeyError where there is no such entry.
    """
    count = usage[name]
    if type(count) is not int or not 0 <= count < MOST_TOKENS:
        raise ValueError(f"{name} is {count!r}")
    return count


def optional_count(usage: Mapping[str, Any] | None, name: str) -> int:
    """A number of tokens that need not be told; 0 where it is not."""
    return 0 if not usage or usage.get(name) is None else token_count(usage, name)


def plain_headers(headers: Any) -> dict[str, str]:
    """The SDK's header object as a plain dict with names in lower case: a look-up costs it a hundred times less."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers.raw}


def bucket_seen(headers: Mapping[str, str], limit_name: str, remaining_name: str) -> Bucket | None:
    """One limit out of its two headers; None where the server does not tell it, or nothing that could be kept to."""
    limit, remaining = _number(headers.get(limit_name)), _number(headers.get(remaining_name))
    return Bucket(limit, max(0.0, remaining)) if limit is not None and limit > 0 and remaining is not None else None


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Retry-After in seconds, from milliseconds, seconds or an HTTP date; None if there is none or it is unreadable."""
    milliseconds, value = headers.get("retry-after-ms"), headers.get("retry-after")
    told = _number(milliseconds)
    seconds = _number(value) if told is None else told / 1000
    return _seconds_until(value) if seconds is None else max(0.0, seconds)


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
