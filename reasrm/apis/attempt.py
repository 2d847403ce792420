"""One attempt to get one reply: what came back, or what went wrong, in words that both vendors share."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, Self

from reasrm.records.trace import TraceOutcome

DETAIL_CHARACTERS = 300
"""How much of a vendor's error message is kept."""


class Vendor(StrEnum):
    """Whose API is asked, and which one of it."""

    ANTHROPIC = "anthropic"
    """Messages."""
    OPENAI = "openai"
    """Chat Completions, which many other servers speak too."""
    OPENAI_RESPONSES = "openai_responses"
    """OpenAI's Responses."""


class ErrorKind(StrEnum):
    """Why an attempt gave no reply, by what has to be done about it."""

    RATE_LIMITED = "rate_limited"
    """429: everybody waits once; the request's attempts are not used up."""
    OVERLOADED = "overloaded"
    """503, 504 or 529: passes by itself."""
    SERVER_ERROR = "server_error"
    """Another 5xx, 408 or 409: passes by itself."""
    CONNECTION = "connection"
    """The connection failed or was lost; a lost reply may have been billed."""
    TIMEOUT = "timeout"
    """No reply in time; it may have been billed."""
    BROKEN_REPLY = "broken_reply"
    """A reply that is not what the protocol says; it has been billed."""
    INVALID = "invalid"
    """The request itself, if the account is in order (`suspense.py`): it is not sent again."""
    NO_CREDIT = "no_credit"
    """The account has no money left or reached its spend limit: the run stops."""
    NOT_ALLOWED = "not_allowed"
    """Key, permission, model id or address: the run stops."""

    @property
    def stops_the_run(self) -> bool:
        """Whether no further request can succeed before somebody acts."""
        return self in (ErrorKind.NO_CREDIT, ErrorKind.NOT_ALLOWED)

    @property
    def is_of_the_server(self) -> bool:
        """Whether the breaker counts it: the server or the way to it fails, not this request."""
        return self in OF_THE_SERVER

    @property
    def maybe_billed(self) -> bool:
        """Whether the vendor may have billed a reply that never arrived."""
        return self in (ErrorKind.CONNECTION, ErrorKind.TIMEOUT, ErrorKind.BROKEN_REPLY)


OF_THE_SERVER = frozenset(
    {ErrorKind.OVERLOADED, ErrorKind.SERVER_ERROR, ErrorKind.CONNECTION, ErrorKind.TIMEOUT, ErrorKind.BROKEN_REPLY}
)
"""Broken replies too: a gateway's page of HTML in place of every reply is an outage, whatever its status."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one reply, as billed."""

    input_tokens: int = 0
    """Neither read from nor written to the prompt cache."""
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    @property
    def prompt_tokens(self) -> int:
        """The whole prompt, cached or not."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens

    def as_entry(self) -> dict[str, int]:
        """The ledger's form of it."""
        return {
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cache_read_tokens": self.cache_read_tokens,
            "cache_write_tokens": self.cache_write_tokens,
        }

    def __add__(self, other: Self) -> "Usage":
        """Both together."""
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cache_read_tokens + other.cache_read_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
        )


NOTHING_USED = Usage()


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply that was delivered and billed, whatever it is worth."""

    outcome: TraceOutcome
    text: str
    usage: Usage
    model: str = ""
    """The model that the vendor says has answered."""
    request_id: str = ""
    detail: str = ""
    """The vendor's message, where there is an outcome without a reply (rejected, gave up), or what was odd about it."""

    def as_entry(self) -> dict[str, Any]:
        """The ledger's form of it."""
        return {
            "outcome": self.outcome.value,
            "text": self.text,
            "usage": self.usage.as_entry(),
            "model": self.model,
            "request_id": self.request_id,
            "detail": self.detail,
        }

    @property
    def is_odd(self) -> bool:
        """Whether it was paid for and is worth nothing, for no reason that the protocol knows."""
        return self.outcome is TraceOutcome.GAVE_UP and self.usage != NOTHING_USED

    @property
    def asked_again(self) -> bool:
        """Whether a later run sends the request again: nothing was paid, and what made it fail passes."""
        return self.outcome is TraceOutcome.GAVE_UP and self.usage == NOTHING_USED

    @classmethod
    def from_entry(cls, entry: dict[str, Any]) -> "Answer":
        """Read it back from the ledger."""
        return cls(
            outcome=TraceOutcome(entry["outcome"]),
            text=entry["text"],
            usage=Usage(**entry["usage"]),
            model=entry["model"],
            request_id=entry["request_id"],
            detail=entry["detail"],
        )


@dataclass(frozen=True, slots=True)
class Bucket:
    """One of the server's limits as its headers tell it."""

    per_minute: float
    remaining: float


@dataclass(frozen=True, slots=True)
class LimitsSeen:
    """The rate-limit headers of one response; None where the server does not tell."""

    requests: Bucket | None = None
    input_tokens: Bucket | None = None
    """For OpenAI: prompt and reserved completion tokens together."""
    output_tokens: Bucket | None = None
    """Anthropic only."""
    retry_after: float | None = None
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt came to: exactly one of `answer` and `error_kind` is there."""

    answer: Answer | None = None
    error_kind: ErrorKind | None = None
    detail: str = ""
    """The vendor's message, shortened; holds no header of the request."""
    limits: LimitsSeen = LimitsSeen()

    @property
    def fails_the_server(self) -> bool:
        """Whether it speaks against the server or the way to it, not against this request."""
        if self.error_kind is not None:
            return self.error_kind.is_of_the_server
        return self.answer is not None and self.answer.is_odd


@dataclass(frozen=True, slots=True)
class Question:
    """One prompt for the oracle."""

    system: str
    user: str


class Provider(Protocol):
    """One vendor's API, as the asking loop needs it."""

    async def attempt(self, body: dict[str, Any]) -> Attempt:
        """Send `body` once. Never raises for what a server or a network does."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


def shortened(message: str) -> str:
    """A vendor's message on one line, at most `DETAIL_CHARACTERS` long."""
    return " ".join(message.split())[:DETAIL_CHARACTERS]
