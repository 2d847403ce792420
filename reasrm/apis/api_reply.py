"""What one attempt to get a reply came to, in terms that all protocols share: a reply with its usage, or an error."""

from dataclasses import dataclass
from typing import Any, Self

from reasrm.apis.error_classification import ErrorKind, PromptRefusal
from reasrm.apis.rate_limit_headers import NO_HEADERS, RateLimitHeaders
from reasrm.records.trace import TraceOutcome

DETAIL_CHARACTERS = 300
"""How much of a vendor's error message is kept."""


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

TokenLogprob = tuple[bytes, float | None]
"""The bytes that one token wrote and its log probability in nats; None where the service gives no number."""


@dataclass(frozen=True, slots=True)
class ApiReply:
    """A reply that was delivered and billed, whatever it is worth."""

    outcome: TraceOutcome
    text: str
    usage: Usage
    model: str = ""
    """The model that the vendor says has answered."""
    request_id: str = ""
    detail: str = ""
    """The vendor's message, where there is an outcome without a reply (rejected, gave up), or what was odd about it."""
    token_logprobs: tuple[TokenLogprob, ...] = ()
    """Of each token of the reply; empty where they were not requested. Not kept in the oracle's ledger."""

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
    def from_entry(cls, entry: dict[str, Any]) -> "ApiReply":
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
class AttemptResult:
    """What one attempt came to: exactly one of `reply` and `error_kind` is there."""

    reply: ApiReply | None = None
    error_kind: ErrorKind | None = None
    detail: str = ""
    """The vendor's message, shortened; holds no header of the request."""
    limits: RateLimitHeaders = NO_HEADERS
    prompt_refusal: PromptRefusal | None = None
    """Whether the error may be the prompt's fault, and for which reason; None if it is not."""

    @property
    def fails_the_server(self) -> bool:
        """Whether it speaks against the server or the way to it, not against this request."""
        if self.error_kind is not None:
            return self.error_kind.is_of_the_server
        return self.reply is not None and self.reply.is_odd


def shortened(message: str) -> str:
    """A vendor's message on one line, at most `DETAIL_CHARACTERS` long, without what no terminal should be sent."""
    kept = " ".join(message.split())[:DETAIL_CHARACTERS]
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in kept)
