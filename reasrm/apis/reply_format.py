"""The one reader of replies: what all protocols' replies have in common, and what cannot be read of a paid one.

Oracle and judges read through it. Each protocol adds two functions of its own: one reads the usage, one the content.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from math import isfinite
from typing import Any

import orjson

from reasrm.apis.api_reply import NOTHING_USED, ApiReply, TokenLogprob, Usage
from reasrm.apis.error_classification import ApiError, ErrorKind, PromptRefusal
from reasrm.records.trace import TraceOutcome

UNREADABLE = (KeyError, TypeError, IndexError, AttributeError, ValueError)
"""What reading JSON of another shape raises."""
MOST_TOKENS = 1_000_000_000
"""A reply that claims to have used more of them gives no usable count."""
BEGINNING = 80
"""Characters of a reply that is no JSON that are shown: enough to distinguish a page of HTML from a stream."""


class BrokenReplyError(ValueError):
    """A reply of status 200 is not what the protocol says, or says itself that it is an error."""

    def __init__(self, message: str, api_error: ApiError | None = None) -> None:
        """Say what is wrong with it; `api_error` is the error that it holds, if any."""
        super().__init__(message)
        self.error_kind = ErrorKind.BROKEN_REPLY if api_error is None else api_error.error_kind
        self.prompt_refusal: PromptRefusal | None = None if api_error is None else api_error.prompt_refusal


@dataclass(frozen=True, slots=True)
class ReplyContent:
    """What a reply holds, as far as the protocols have it in common."""

    text: str
    finish_reason: Any
    """The vendor's word for why it ended."""
    refused: bool = False
    """It says of itself that it is a refusal, whatever its finish reason."""
    token_logprobs: tuple[TokenLogprob, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplyFormat:
    """How the replies of one protocol are read."""

    name: str
    outcomes: Mapping[Any, TraceOutcome]
    """By finish reason; any other is unknown."""
    usage: Callable[[Any], Usage]
    content: Callable[[Any], ReplyContent]

    def read(self, body: Any, request_id: str, *, needs_usage: bool = True) -> ApiReply:
        """Read a reply. Whatever names its usage was billed and is recorded, be it readable or not.

        Args:
            body: the parsed JSON.
            request_id: of the response's headers.
            needs_usage: whether a reply without readable usage is broken; otherwise its usage is all zero.

        Raises:
            BrokenReplyError: it is none, or an error; its `error_kind` says what that means.
        """
        if isinstance(body, dict) and body.get("error"):
            api_error = ApiError.from_body(body, HTTPStatus.OK)
            code = api_error.code or api_error.kind
            raise BrokenReplyError(f"an error in a good reply: {code} {api_error.message}", api_error)
        usage = self._usage(body, needs_usage=needs_usage)
        try:
            content = self.content(body)
            known = content.finish_reason in self.outcomes
        except UNREADABLE as error:
            if usage is None:
                raise BrokenReplyError(f"not a {self.name}: {error!r}") from error
            detail = f"paid, but not a whole {self.name}: {error!r}"
            return ApiReply(TraceOutcome.GAVE_UP, "", usage, _model(body), request_id, detail)
        detail = "" if known or content.refused else f"paid, but ended for the unknown reason {content.finish_reason!r}"
        outcome, usage = self._outcome(content, known=known), usage or NOTHING_USED
        return ApiReply(outcome, content.text, usage, _model(body), request_id, detail, content.token_logprobs)

    def _usage(self, body: Any, *, needs_usage: bool) -> Usage | None:
        try:
            return self.usage(body)
        except UNREADABLE as error:
            if needs_usage:
                raise BrokenReplyError(f"not a {self.name} with its usage: {error!r}") from error
            return None

    def _outcome(self, content: ReplyContent, *, known: bool) -> TraceOutcome:
        if content.refused:
            return TraceOutcome.REFUSED
        outcome = self.outcomes[content.finish_reason] if known else TraceOutcome.GAVE_UP
        return TraceOutcome.EMPTY if outcome is TraceOutcome.OK and not content.text.strip() else outcome


def parsed(content: bytes, shortened: Callable[[str], str]) -> Any:
    """The JSON of a response's body, with null in place of NaN and Infinity, which some servers write.

    Args:
        content: the body.
        shortened: takes keys out of a message; it sees the body before the beginning is cut from it.

    Raises:
        BrokenReplyError: it is no JSON; the message shows how it begins.
    """
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        try:
            return orjson.loads(orjson.dumps(json.loads(content)))
        except (ValueError, TypeError, RecursionError):
            begins = shortened(content.decode("utf-8", "replace"))[:BEGINNING]
            raise BrokenReplyError(f"{error}; it begins with {begins!r}") from error


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
    """A number of tokens that need not be given; 0 where it is not."""
    return 0 if not usage or usage.get(name) is None else token_count(usage, name)


def token_logprobs(tokens: Iterable[Any] | None) -> tuple[TokenLogprob, ...]:
    """OpenAI's list of tokens with their log probabilities; empty if it is absent or unreadable."""
    try:
        return tuple(_token_logprob(token) for token in tokens or ())
    except UNREADABLE:
        return ()


def _token_logprob(token: Mapping[str, Any]) -> TokenLogprob:
    written, logprob = token.get("bytes"), token.get("logprob")
    known = isinstance(logprob, int | float) and not isinstance(logprob, bool) and isfinite(logprob)
    return token["token"].encode(errors="replace") if written is None else bytes(written), logprob if known else None


def _model(body: Mapping[str, Any]) -> str:
    return str(body.get("model") or "")
