"""How the fake vendor behaves: its limits, its prices, and the faults it commits on purpose."""

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from reasrm.records.content_hash import unit_interval


class Fault(StrEnum):
    """One way in which a vendor's API fails. The first group passes when the request is sent again."""

    OVERLOADED = "overloaded"
    """529 (Anthropic) or 503 (OpenAI), nothing billed."""
    SERVER_ERROR = "server_error"
    """500, nothing billed."""
    RESET = "reset"
    """The connection is reset before any work; nothing billed."""
    RESET_BILLED = "reset_billed"
    """The connection is reset after the work; the reply is billed and lost."""
    HANG = "hang"
    """The work is done and billed, the reply never comes."""
    CUT = "cut"
    """The connection ends in the middle of the body; billed."""
    BAD_JSON = "bad_json"
    """The body is complete and not JSON; billed."""
    HTML = "html"
    """A gateway's page of HTML with status 200 in place of the reply; nothing billed."""
    WRAPPED_ERROR = "wrapped_error"
    """A gateway's error object with status 200 in place of the reply; nothing billed."""
    REFUSAL = "refusal"
    """The model declines; billed."""
    TRUNCATED = "truncated"
    """The reply stops at the token limit; billed."""
    EMPTY = "empty"
    """A well-formed reply without text; billed."""
    ODD_ENDING = "odd_ending"
    """No text, and an end that our requests cannot have (a paused turn, a tool's call); billed."""
    NO_USAGE = "no_usage"
    """A whole reply whose usage is null, or lacks a number; billed."""
    TOO_LARGE = "too_large"
    """429, each time: the request is larger than a minute's limit, and the error says so; nothing billed."""
    LIMITED = "limited"
    """429, each time, with the message of any other; nothing billed."""
    INVALID = "invalid"
    """400: the request is called invalid, each time; nothing billed."""


PASSING = (
    Fault.OVERLOADED,
    Fault.SERVER_ERROR,
    Fault.RESET,
    Fault.RESET_BILLED,
    Fault.HANG,
    Fault.CUT,
    Fault.BAD_JSON,
    Fault.HTML,
    Fault.WRAPPED_ERROR,
)
LASTING = (
    Fault.INVALID,
    Fault.REFUSAL,
    Fault.TRUNCATED,
    Fault.EMPTY,
    Fault.ODD_ENDING,
    Fault.NO_USAGE,
    Fault.TOO_LARGE,
    Fault.LIMITED,
)


class CreditStop(StrEnum):
    """How the vendor says that the money is gone."""

    CREDIT_BALANCE = "credit_balance"
    """Anthropic 400 "credit balance is too low"; OpenAI 429 `insufficient_quota`."""
    SPEND_LIMIT = "spend_limit"
    """Anthropic 429 `enforced_spend_limit_reached`; OpenAI 429 `insufficient_quota`."""
    USAGE_LIMIT = "usage_limit"
    """Anthropic 400 "You have reached your specified API usage limits"; OpenAI 429 `insufficient_quota`."""
    UNFORESEEN = "unforeseen"
    """A 400 with a message that no client can know."""


class FakeVendorSettings(BaseModel):
    """Everything that can be set; as it stands the server is fast, generous and faultless."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests_per_minute: float = Field(default=6_000_000, gt=0)
    input_tokens_per_minute: float = Field(default=60_000_000_000, gt=0)
    """Anthropic's input tokens; for OpenAI prompt and reserved completion tokens together."""
    output_tokens_per_minute: float = Field(default=60_000_000_000, gt=0)
    """Anthropic only: debited with the real length when a reply is done."""
    burst_seconds: float = Field(default=1.0, gt=0)
    """How many seconds of a limit the token buckets hold."""
    limit_headers: bool = True
    """Whether replies carry the vendor's rate-limit headers (429s always carry Retry-After)."""
    odd_headers: dict[str, str] = Field(default_factory=dict)
    """Sent with every response, in place of those of the same name."""
    largest_token_limit: int | None = None
    """A request for a longer reply than this is called invalid, as above a model's maximum."""
    content_in_parts: bool = False
    """Chat Completions replies hold a list of parts in place of the text, as some servers send them."""
    echoes_keys: bool = False
    """Every key is refused, by a 401 that repeats it, as a careless gateway might."""
    latency_seconds: float = Field(default=0.0, ge=0)
    """Median of the log-normal time that a reply takes."""
    latency_sigma: float = Field(default=0.4, ge=0)
    output_tokens: int | None = None
    """Bill this many output tokens for each reply instead of its real length."""
    short_replies: int = Field(default=0, ge=0)
    """So many of the first replies are refusals of one token, whatever is asked."""
    answering_model: str | None = None
    """Name this model as the one that has answered; None for the one that was asked."""
    default_reply: str | None = None
    """Answer to a prompt that shows no comparison; None calls it invalid. Some clients open with a paid greeting."""
    seed: int = 0
    faults: dict[Fault, float] = Field(default_factory=dict)
    """Probability of each fault; lasting ones depend on the request alone, passing ones also on how often it came."""
    outages: list[tuple[float, float]] = Field(default_factory=list)
    """Windows, in seconds since the first request, in which every request is answered 529 or 503."""
    credit_usd: float | None = None
    """Money on the account; when the bills reach it, every further request is refused."""
    credit_stop: CreditStop = CreditStop.CREDIT_BALANCE
    usd_per_million_input: float = 3.0
    usd_per_million_output: float = 15.0
    lost_batch_creates: int = 0
    """How many of the first batch creations are carried out while their reply is lost."""
    refused_batch_creates: int = 0
    """How many of the first batch creations are answered 529 or 503, with nothing carried out."""
    refused_batch_looks: int = 0
    """How many of the first looks at batches, their list or their results are answered 529 or 503."""
    batch_seconds: float = Field(default=0.0, ge=0)
    """How long a batch takes."""
    batch_validation_seconds: float = Field(default=0.0, ge=0)
    """OpenAI: how long a new batch is validated before that; it reports 0 requests until then."""
    batch_queue_requests: int | None = None
    """OpenAI: a batch fails as a whole if more requests than these would wait in batches that are not done."""
    batch_failure: str | None = None
    """OpenAI: code with which every batch fails as a whole."""
    archived_batches: int = 0
    """How many of the first batches lose their results once they are done."""
    batch_errored: float = Field(default=0.0, ge=0, le=1)
    batch_expired: float = Field(default=0.0, ge=0, le=1)
    batch_missing: float = Field(default=0.0, ge=0, le=1)
    """Shares of a batch's requests that end as errored, as expired, or are quietly absent from the results."""
    batch_row_errors: dict[str, float] = Field(default_factory=dict)
    """Shares of a batch's requests that end with an error of this `error.code` (OpenAI) or `error.type` (Anthropic)."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        for group in (PASSING, LASTING):
            total = sum(self.faults.get(fault, 0.0) for fault in group)
            if not 0 <= total <= 1:
                raise ValueError(f"the faults {[str(fault) for fault in group]} add up to {total}, not within 0 to 1")
        return self

    def lasting_fault(self, key: str) -> Fault | None:
        """The fault that the request `key` meets each time it is sent."""
        return self._draw(LASTING, "lasting", key)

    def passing_fault(self, key: str, nth: int) -> Fault | None:
        """The fault that the `nth` sending of the request `key` meets."""
        return self._draw(PASSING, "passing", key, nth)

    def usd(self, input_tokens: int, output_tokens: int) -> float:
        """What a reply costs, in dollars."""
        return (input_tokens * self.usd_per_million_input + output_tokens * self.usd_per_million_output) / 1e6

    def _draw(self, group: tuple[Fault, ...], *parts: str | int) -> Fault | None:
        if not self.faults:
            return None
        left = unit_interval("oracle fault", self.seed, *parts)
        for fault in group:
            left -= self.faults.get(fault, 0.0)
            if left < 0:
                return fault
        return None
