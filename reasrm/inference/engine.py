"""The interface of every engine: prompts in, each with its reply out as soon as there is one.

An engine generates replies: with a checkpoint in this process (`transformers_engine`, `vllm_engine`), behind an API
(`api_engine`), or without a model (`scripted_engine`, `replay_engine`). Rendering and tokenising happen above the
engines (`prompt_rendering`), reading verdicts too; cutting at the stop text is one function for all (`replies`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from reasrm.records.content_hash import content_hash
from reasrm.records.pair import Message
from reasrm.records.reply import Reply


class Sampling(BaseModel):
    """How replies are sampled; part of the key under which a reply is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_new_tokens: int = Field(gt=0)
    """A reply is cut off here. Tokens."""
    temperature: float = Field(ge=0)
    """0 is greedy decoding."""
    top_p: float = Field(gt=0, le=1)
    """Nucleus sampling: only the likeliest tokens that together have this probability; 1 takes all."""
    seed: int
    """Of the random choices where the temperature is above 0."""
    stop: str
    """A reply ends behind this text, which it keeps; empty for none."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One request: the messages, and their token ids for engines that run a checkpoint."""

    messages: tuple[Message, ...]
    token_ids: tuple[int, ...] = ()
    """Rendered with the checkpoint's own template; empty for services, which render themselves."""
    opened: str = ""
    """Text with which the template itself begins the reply (`<think>`); its ids end `token_ids`."""
    begun: str = ""
    """Text with which the reply goes on (a forced verdict); its ids end `token_ids` after `opened`."""
    unrenderable: str = ""
    """Why the checkpoint's chat template does not render it; no engine is given such a prompt. Mostly empty."""

    @property
    def head(self) -> str:
        """What the reply's text begins with, before anything is generated."""
        return self.opened + self.begun

    @property
    def length(self) -> int:
        """Tokens, or characters where there are no tokens: what prompts are sorted by."""
        return len(self.token_ids) or sum(len(message.content) for message in self.messages) + len(self.begun)

    @property
    def key(self) -> str:
        """Hash of exactly what the engine is given."""
        return content_hash(list(self.token_ids)) if self.token_ids else self.text_key

    @property
    def text_key(self) -> str:
        """Hash of the messages and what the reply begins with: the same for every model."""
        return content_hash([[(message.role, message.content) for message in self.messages], self.begun])


Answered = tuple[Prompt, Reply]
"""A prompt and the reply to it."""


class Engine(Protocol):
    """What generates replies."""

    @property
    def starts(self) -> int:
        """How often a model was loaded, an API's client opened or a ledger read, since the engine was made."""
        ...

    def identity(self) -> dict[str, Any]:
        """What the replies depend on besides prompt and sampling: engine, library versions, weights' hash, dtype."""
        ...

    def batches(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[range]:
        """The runs of consecutive `prompts` whose replies are computed together and may depend on each other.

        Leaving whole batches out must not change the others: that is what makes a resumed run equal to an
        uninterrupted one, byte for byte. Prompts come sorted by length.
        """
        ...

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[Answered]:
        """Yield each prompt with its reply, as soon as it is there; distinct prompts, in no promised order."""
        ...

    def close(self) -> None:
        """Free what the engine holds."""
        ...


def one_by_one(prompts: Sequence[Prompt]) -> list[range]:
    """The batches of an engine whose replies do not depend on other prompts."""
    return [range(index, index + 1) for index in range(len(prompts))]


def batches_by_tokens(
    lengths: Sequence[int], most_prompts: int, most_tokens: int, cache_tokens: int = 0, reply_tokens: int = 0
) -> list[range]:
    """Cut sorted prompts into batches of at most `most_prompts` prompts and `most_tokens` padded tokens.

    Short prompts share large batches, long ones small batches; a prompt beyond a limit by itself stands alone. For
    ascending `lengths` the cut is stable: without some whole batches, the others come out the same.

    Args:
        lengths: of the prompts, in tokens.
        most_prompts: of one batch.
        most_tokens: of the prompts of one batch, padding included.
        cache_tokens: of the prompts of one batch with a reply of `reply_tokens` to each; 0 for no such limit.
        reply_tokens: of the longest reply.
    """
    found: list[range] = []
    start = 0
    for index, length in enumerate(lengths):
        size = index - start + 1
        full = size > most_prompts or size * length > most_tokens
        if size > 1 and (full or 0 < cache_tokens < size * (length + reply_tokens)):
            found.append(range(start, index))
            start = index
    if lengths:
        found.append(range(start, len(lengths)))
    return found
