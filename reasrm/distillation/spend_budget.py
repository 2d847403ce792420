"""The budget of all runs, and what the next request may cost, learnt from the replies so far."""

from array import array
from bisect import insort
from math import ceil
from typing import NamedTuple, Protocol

from reasrm.apis.api_reply import Usage
from reasrm.distillation.prices import Prices

FIRST_CHARACTERS_PER_TOKEN = 3.0
"""Assumed until replies have shown the real ratio; low, so that the first estimates are high."""
MOST_TOKENS_PER_CHARACTER = 2.0
"""No script that the oracles' tokenizers are made for takes more."""
ENOUGH_REPLIES = 30
"""Replies from which on a bound is learnt from them."""
QUANTILE = 0.99
RULE_OF_THREE = 3.0


class RequestSize(Protocol):
    """What a bound needs to know of a request (`request_plan.Request`)."""

    @property
    def max_tokens(self) -> int:
        """The longest reply that it allows."""

    @property
    def prompt_characters(self) -> int:
        """Length of its prompt."""


class CostBound(NamedTuple):
    """Dollars of a request that is about to go out; zero where the price is not known, since no budget is set then."""

    usd: float
    """To be set aside while it is in flight."""
    most_usd: float
    """What has to be left of the budget as it goes out: its reply may be as long as allowed."""


class TokenEstimates:
    """Tokens of the next request, learnt from the replies so far: the mean for the pace, a bound for the budget."""

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

    def cost_bound(self, request: RequestSize, prices: Prices | None, *, batch: bool = False) -> CostBound:
        """What a request needs of the budget.

        Each reply alone has room for its full length, so that one long reply at the end exceeds no budget; those in
        flight together have room for what replies of their number come to.
        """
        if prices is None:
            return CostBound(0.0, 0.0)
        bound, most = self.bound(request), self.most(request)
        return CostBound(prices.at_most_usd(bound, batch=batch), prices.at_most_usd(most, batch=batch))

    def bound(self, request: RequestSize) -> Usage:
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

    def most(self, request: RequestSize) -> Usage:
        """The most that a request may use: a reply as long as allowed, a prompt as dense as the densest so far."""
        prompt_tokens = self.most_prompt_tokens(request.prompt_characters)
        return Usage(input_tokens=prompt_tokens, output_tokens=request.max_tokens)

    def most_prompt_tokens(self, prompt_characters: int) -> int:
        """The most tokens that so many characters may have."""
        density = MOST_TOKENS_PER_CHARACTER
        if self.replies >= ENOUGH_REPLIES:
            density = min(density, self._most_tokens_per_character * (1 + RULE_OF_THREE / self.replies))
        return ceil(density * prompt_characters)


class SpendBudget:
    """Dollars that may be spent, what has been, and what is reserved for requests in flight.

    Nothing is reserved beyond the limit, so what is spent in the end exceeds it at most by what replies cost beyond
    what was reserved for them (`TokenEstimates.cost_bound`).
    """

    def __init__(self, limit_usd: float | None, spent_usd: float) -> None:
        """Start with what was spent before; None sets no limit, 0 lets no request out that costs anything."""
        self.limit_usd = limit_usd
        self.spent_usd = spent_usd
        self.reserved_usd = 0.0

    def fits(self, usd: float) -> bool:
        """Whether a request that may cost `usd` can be sent without a risk for the limit."""
        return self.limit_usd is None or self.spent_usd + self.reserved_usd + usd <= self.limit_usd

    def reserve(self, usd: float) -> None:
        """Set `usd` aside for a request that goes out."""
        self.reserved_usd += usd

    def settle(self, reserved_usd: float, paid_usd: float) -> None:
        """A request came back: free what was set aside for it, count what it cost."""
        self.reserved_usd -= reserved_usd
        self.spent_usd += paid_usd
