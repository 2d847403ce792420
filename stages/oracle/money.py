"""What oracle replies cost, and the guard that keeps a run within its budget."""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from stages.oracle.attempt import Usage, Vendor

BATCH_DISCOUNT = 0.5
"""Both vendors bill a batch's tokens at half the price."""
FIRST_CHARACTERS_PER_TOKEN = 3.0
"""Assumed until replies have told the real ratio; low, so that the first estimates are high."""


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


class Estimates:
    """What the next request will need, learnt from the replies so far."""

    def __init__(self, vendor: Vendor, max_tokens: int) -> None:
        """Before the first reply every estimate is an upper bound."""
        self._vendor = vendor
        self._max_tokens = max_tokens
        self.replies = 0
        self._characters = 0
        self._prompt_tokens = 0
        self._output_tokens = 0
        self.longest_output = 0

    def learn(self, prompt_characters: int, usage: Usage) -> None:
        """Take one reply into account."""
        self.replies += 1
        self._characters += prompt_characters
        self._prompt_tokens += usage.prompt_tokens
        self._output_tokens += usage.output_tokens
        self.longest_output = max(self.longest_output, usage.output_tokens)

    def prompt_tokens(self, prompt_characters: int) -> float:
        """Tokens of a prompt of so many characters."""
        if self._prompt_tokens == 0:
            return prompt_characters / FIRST_CHARACTERS_PER_TOKEN
        return prompt_characters * self._prompt_tokens / self._characters

    @property
    def output_tokens(self) -> float:
        """Mean length of a reply; the token limit before the first one."""
        return self._output_tokens / self.replies if self.replies else self._max_tokens

    @property
    def output_bound(self) -> int:
        """Length that no reply has exceeded so far; the token limit before the first one."""
        return self.longest_output if self.replies else self._max_tokens


class Budget:
    """Dollars that may be spent, what has been, and what is promised to requests in flight."""

    def __init__(self, limit_usd: float | None, spent_usd: float) -> None:
        """Start with what earlier runs spent on the same questions; None sets no limit."""
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
