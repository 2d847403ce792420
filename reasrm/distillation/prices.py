"""What a model's tokens cost: our own prices where they are given, else those of the library genai-prices."""

from datetime import date
from importlib.metadata import version
from math import isclose
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from reasrm.apis.api_reply import Usage
from reasrm.apis.request_format import ApiProtocol

BATCH_DISCOUNT = 0.5
"""Both vendors bill a batch's tokens at half the price."""
CACHE_PRICES = {ApiProtocol.ANTHROPIC: (0.1, 1.25)}
"""Price of a token read from and written to the prompt cache, as a multiple of an input token's, the same for all
models of the vendor. OpenAI writes for nothing and reads at a discount that differs: taken as none, an upper bound."""
LIBRARY = "genai-prices"
PROVIDERS = {ApiProtocol.ANTHROPIC: "anthropic", ApiProtocol.OPENAI: "openai", ApiProtocol.OPENAI_RESPONSES: "openai"}
"""The library's names of the vendors."""
SAMPLE_TOKENS = 1000
"""Tokens of which the library is asked the price: few, since some models cost more per token in long prompts."""


class Prices(BaseModel):
    """Dollars per million tokens of one model, and where they are from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cache_read: float = Field(ge=0)
    cache_write: float = Field(ge=0)
    as_of: Annotated[str, BeforeValidator(lambda given: given.isoformat() if isinstance(given, date) else given)]
    """The day on which they were looked up, or the library that ships them and its version."""

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
        highest = max(self.input, self.cache_read, self.cache_write)
        millionths = usage.prompt_tokens * highest + usage.output_tokens * self.output
        return millionths / 1e6 * (BATCH_DISCOUNT if batch else 1.0)

    def is_price_of(self, usage: Usage, usd: float) -> bool:
        """Whether `usd` is what `usage` costs at these prices, in a batch or not."""
        return any(isclose(usd, self.usd(usage, batch=batch), abs_tol=1e-12) for batch in (False, True))

    @classmethod
    def from_input_and_output(cls, vendor: ApiProtocol, input_usd: float, output_usd: float, as_of: date) -> Self:
        """The prices of a model of which only the two main ones are given."""
        read, write = CACHE_PRICES.get(vendor, (1.0, 1.0))
        cached = {"cache_read": read * input_usd, "cache_write": write * input_usd}
        return cls(input=input_usd, output=output_usd, as_of=as_of.isoformat(), **cached)


def library_prices(vendor: ApiProtocol, model: str) -> Prices | None:
    """The prices that the installed genai-prices ships for `model` today; None if it does not know the model.

    Nothing is fetched: the library updates its prices over the network only where `UpdatePrices` is started. Prices of
    very long prompts, which some models bill higher, are not looked at.
    """
    import genai_prices

    def per_million(**tokens: int) -> float:
        usage = genai_prices.Usage(**tokens)
        price = genai_prices.calc_price(usage, model, provider_id=PROVIDERS[vendor])
        return float(price.total_price) * 1e6 / SAMPLE_TOKENS

    try:
        return Prices(
            input=per_million(input_tokens=SAMPLE_TOKENS),
            output=per_million(output_tokens=SAMPLE_TOKENS),
            cache_read=per_million(input_tokens=SAMPLE_TOKENS, cache_read_tokens=SAMPLE_TOKENS),
            cache_write=per_million(input_tokens=SAMPLE_TOKENS, cache_write_tokens=SAMPLE_TOKENS),
            as_of=f"{LIBRARY} {version(LIBRARY)}",
        )
    except LookupError:
        return None
