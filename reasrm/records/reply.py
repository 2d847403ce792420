"""What came back from a model or an API for one prompt."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Finish(StrEnum):
    """Why a reply ended."""

    STOP = "stop"
    """The model ended it, or a stop string was reached."""
    LENGTH = "length"
    """The token limit cut it off."""
    REFUSED = "refused"
    """The provider or model declined to answer."""
    TOO_LONG = "too_long"
    """The prompt does not fit into the model's context: nothing was written."""
    UNRENDERABLE = "unrenderable"
    """The checkpoint's chat template does not render the prompt as it is: the model was not asked."""


UNASKED = frozenset({Finish.TOO_LONG, Finish.UNRENDERABLE})
"""Ends of what is no reply: nothing was written, and a sample of that kind does not count."""


class Reply(BaseModel):
    """The text of one reply and what it cost."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    finish: Finish
    prompt_tokens: int
    completion_tokens: int
    verdict_logprob: float | None = None
    """Log probability (nats) of the verdict's letter at its position; None where the engine gives none."""
