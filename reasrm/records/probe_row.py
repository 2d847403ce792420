"""One answer of a judge to a probe's query, as it is kept in `data/probes/<model>/<probe>.jsonl`."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from reasrm.records.comparison import Side
from reasrm.records.judgment import ComparisonJudgment
from reasrm.records.pair import Message


class ShownTexts(BaseModel):
    """The texts that a perturbation changed; None where the item's own were shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: tuple[Message, ...] | None = None
    response_a: str | None = None
    response_b: str | None = None


class ProbeRow(BaseModel):
    """A query and what the judge made of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    probe: str
    variant: str
    benchmark: str
    item_id: str
    better: Side
    """The side on which the item's better answer was shown."""
    step: int | None = None
    shown: ShownTexts
    begun: str = ""
    """Text with which the judge's reply was made to begin."""
    defused: bool = True
    """Whether imitated delimiters and tags in the texts were made harmless."""
    draw: int | None = None
    """Seed of a drawn reply."""
    judgment: ComparisonJudgment | None = None
    margin: float | None = None
    """Log-odds of A over B (nats) as the next token behind `begun`, where that was asked."""
    unknown_words: bool = False
    """The judge's vocabulary lacks words of it, so it was not asked."""
