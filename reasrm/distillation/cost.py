"""What oracle replies cost, and the guard that keeps all runs within their budget."""

from array import array
from bisect import insort
from datetime import date
from math import ceil, isclose
from typing import NamedTuple, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field

from reasrm.apis.api_reply import Usage
from reasrm.apis.request_format import ApiProtocol

BATCH_DISCOUNT = 0.5
"""Both vendors bill a batch's tokens at half the price."""
FIRST_CHARACTERS_PER_TOKEN = 3.0
"""Assumed until replies have told the real ratio; low, so that the first estimates are high."""
MOST_TOKENS_PER_CHARACTER = 2.0
"""No script that the oracles' tokenizers are made for takes more."""
ENOUGH_REPLIES = 30
"""Replies from which on a bound is learnt from them."""
QUANTILE = 0.99
RULE_OF_THREE = 3.0
CACHE_PRICES = {ApiProtocol.ANTHROPIC: (0.1, 1.25)}
"""Price of a token read from and written to the prompt cache, as a multiple of an input token's, the same for all
models of the vendor. OpenAI writes for nothing and reads at a discount that differs: taken as none, an upper bound."""


class Prices(BaseModel):
    """Dollars per million tokens of one model, and the day on which they were looked up."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cache_read: float = Field(ge=0)
    cache_write: float = Field(ge=0)
    as_of: date
    """When these prices were looked up; a reader of an old run wants to know."""

    def usd(self, usage: Usage, *, batch: bool = False) -> float:
        """The price of `usage` in dollars."""
        millionths = (
            usage.input_tokens * self.input
            + usage.output_tokens * self.output
            + usage.cache_read_tokens * self.cache_read
            + usage.cache_write_tokens * self.cache_write
        )
        return millionths / 1e6 * (BATCH_DISCOUNT if batch else 1.0)

    def at_most_usd(self, usage: Usage, *, batch: bool = False) -> float:
        """The price of `usage` if the whole prompt goes where it costs most, in dollars."""
        dearest = max(self.input, self.cache_read, self.cache_write)
        millionths = usage.prompt_tokens * dearest + usage.output_tokens * self.output
        return millionths / 1e6 * (BATCH_DISCOUNT if batch else 1.0)

    @classmethod
    def of_two(cls, vendor: ApiProtocol, input_usd: float, output_usd: float, as_of: date) -> Self:
        """The prices of a model of which only the two main ones are given."""
        read, write = CACHE_PRICES.get(vendor, (1.0, 1.0))
        cached = {"cache_read": read * input_usd, "cache_write": write * input_usd}
        return cls(input=input_usd, output=output_usd, as_of=as_of, **cached)

    def made(self, usage: Usage, usd: float) -> bool:
        """Whether `usd` is what these prices make of `usage`, in a batch or not."""
        return any(isclose(usd, self.usd(usage, batch=batch), abs_tol=1e-12) for batch in (False, True))


class Sized(Protocol):
    """What a bound needs to know of a request (`plan.Request`)."""

    @property
    def max_tokens(self) -> int:
        """The longest reply that it allows."""

    @property
    def prompt_characters(self) -> int:
        """Length of its prompt."""


class Reservation(NamedTuple):
    """Dollars of a request that is about to go out."""

    usd: float
    """To be set aside while it is in flight."""
    most_usd: float
    """What has to be left of the budget as it goes out: its reply may be as long as allowed."""


class Estimates:
    """What the next request will need, learnt from the replies so far: the mean for pace, a bound for the budget."""

    def __init__(self, max_tokens: int) -> None:
        """Before the first reply every estimate is an upper bound; `max_tokens` is the usual request's limit."""
        self._max_tokens = max_tokens
        self.replies = 0
        self._characters = 0
        self._prompt_tokens = 0
        self._output_tokens = 0
        self._lengths = array("I")
        """Output tokens of each reply, in ascending order: four bytes per reply."""
        self._most_tokens_per_character = 0.0

    def learn(self, prompt_characters: int, usage: Usage) -> None:
        """Take one reply into account."""
        self.replies += 1
        self._characters += prompt_characters
        self._prompt_tokens += usage.prompt_tokens
        self._output_tokens += usage.output_tokens
        insort(self._lengths, usage.output_tokens)
        density = usage.prompt_tokens / max(1, prompt_characters)
        self._most_tokens_per_character = max(self._most_tokens_per_character, density)

    def prompt_tokens(self, prompt_characters: int) -> float:
        """Tokens of a prompt of so many characters."""
        if self._prompt_tokens == 0:
            return prompt_characters / FIRST_CHARACTERS_PER_TOKEN
        return prompt_characters * self._prompt_tokens / self._characters

    @property
    def output_tokens(self) -> float:
        """Mean length of a reply; the token limit before the first one."""
        return self._output_tokens / self.replies if self.replies else self._max_tokens

    def reservation(self, request: Sized, prices: Prices, *, batch: bool = False) -> Reservation:
        """What a request needs of the budget.

        Each reply alone has room for its full length, so that one long reply at the end exceeds no budget; those in
        flight together have room for what replies of their number come to.
        """
        bound, most = self.bound(request), self.most(request)
        return Reservation(prices.at_most_usd(bound, batch=batch), prices.at_most_usd(most, batch=batch))

    def bound(self, request: Sized) -> Usage:
        """What has to be set aside for a request, in tokens.

        Until `ENOUGH_REPLIES` are known, all that it may use. Then the length that `QUANTILE` of the replies keep to,
        and on top the token limit times the share that longer ones may have: the rest of the quantile, and what may
        have been missed so far (rule of three: an event that did not occur in n trials has a probability below 3/n, at
        95 %). A request for which a shorter reply was cut off is always taken at its full limit.
        """
        full = self.most(request)
        if self.replies < ENOUGH_REPLIES or request.max_tokens > self._max_tokens:
            return full
        longer = 1 - QUANTILE + RULE_OF_THREE / self.replies
        usual = self._lengths[ceil(QUANTILE * self.replies) - 1]
        output = min(request.max_tokens, usual + ceil(longer * request.max_tokens))
        return Usage(input_tokens=full.input_tokens, output_tokens=output)

    def most(self, request: Sized) -> Usage:
        """The most that a request may use: a reply as long as allowed, a prompt as dense as the densest so far."""
        density = MOST_TOKENS_PER_CHARACTER
        if self.replies >= ENOUGH_REPLIES:
            density = min(density, self._most_tokens_per_character * (1 + RULE_OF_THREE / self.replies))
        return Usage(input_tokens=ceil(density * request.prompt_characters), output_tokens=request.max_tokens)


class Budget:
    """Dollars that may be spent, what has been, and what is promised to requests in flight.

    Nothing is promised beyond the limit, so what is spent in the end exceeds it at most by what replies cost beyond
    what was promised to them (`Estimates.reservation`).
    """

    def __init__(self, limit_usd: float | None, spent_usd: float) -> None:
        """Start with what was spent before; None sets no limit, 0 lets nothing out that costs anything."""
        self.limit_usd = limit_usd
        self.spent_usd = spent_usd
        self.reserved_usd = 0.0

    def fits(self, usd: float) -> bool:
        """Whether a request that may cost `usd` can be sent without a risk for the limit."""
        return self.limit_usd is None or self.spent_usd + self.reserved_usd + usd <= self.limit_usd

    def reserve(self, usd: float) -> None:
        """Promise `usd` to a request that goes out."""
        self.reserved_usd += usd

    def settle(self, reserved_usd: float, paid_usd: float) -> None:
        """A request came back: free its promise, book what it cost."""
        self.reserved_usd -= reserved_usd
        self.spent_usd += paid_usd
