"""How much a judge leans to A or B at one place of a reply: the log-odds of the two letters as the next token.

One forward pass over the prompt and the beginning of a reply, nothing is written. Log-odds are differences of logits:
they need no vocabulary's sum, and an engine that gives log-probabilities gives the same.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

from reasrm.inference.engine import Engine, Prompt, Sampling
from reasrm.inference.prompt_run import score_all
from reasrm.records.comparison import Side
from reasrm.records.ledger import Ledger
from reasrm.runtime.progress import ProgressLine

ONE_TOKEN = Sampling(max_new_tokens=1, temperature=0.0, top_p=1.0, seed=0, stop="")
"""What batches of margins are cut by."""


@runtime_checkable
class MarginEngine(Engine, Protocol):
    """An engine that gives the log-odds of two tokens."""

    def log_odds(self, prompts: Sequence[tuple[int, ...]], tokens: tuple[int, int]) -> Iterator[float]:
        """Yield the log-odds of the first of `tokens` over the second behind each prompt (token ids), in order.

        NaN where the engine does not give the probability of both.
        """
        ...


class MarginScorer:
    """Gives each begun prompt the log-odds of A over B."""

    def __init__(self, engine: MarginEngine, letters: tuple[int, int]) -> None:
        """`letters` are the tokens of A and B."""
        self._engine = engine
        self._letters = letters

    @property
    def starts(self) -> int:
        """As the engine counts them."""
        return self._engine.starts

    def identity(self) -> dict[str, Any]:
        """The engine's identity and the two tokens."""
        return {"log_odds": list(self._letters), **self._engine.identity()}

    def batches(self, prompts: Sequence[Prompt]) -> list[range]:
        """As the engine cuts prompts with replies of one token."""
        return self._engine.batches(prompts, ONE_TOKEN)

    def score(self, prompts: Sequence[tuple[int, ...]]) -> Iterator[float]:
        """Yield the log-odds behind each prompt, in order."""
        yield from self._engine.log_odds(prompts, self._letters)

    def close(self) -> None:
        """The engine is closed by whoever opened it."""


def letter_tokens(tokenizer: Any, begun: str) -> tuple[int, int] | None:
    """The tokens of A and B behind `begun`; None where a letter is no token of its own there."""
    before = tokenizer(begun, add_special_tokens=False)["input_ids"]
    found = [tokenizer(begun + side.value, add_special_tokens=False)["input_ids"] for side in Side]
    if any(ids[:-1] != before for ids in found):
        return None
    return found[0][-1], found[1][-1]


def margins(
    engine: MarginEngine, letters: tuple[int, int], prompts: Sequence[Prompt], ledger: Ledger | None
) -> dict[str, float]:
    """The log-odds of A over B behind each prompt, by `Prompt.key`; NaN where the engine does not give them."""
    return score_all(MarginScorer(engine, letters), prompts, ledger, ProgressLine("margins"))
