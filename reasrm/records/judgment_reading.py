"""What was read out of one judgment beside its score, `data/probes/<model>/<probe>.judgments.jsonl`.

The judgments themselves keep their bytes; a line here belongs to the one of the same benchmark, item and order.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from reasrm.records.comparison import Side


class JudgmentReading(BaseModel):
    """Names the judgment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    benchmark: str
    item_id: str
    better: Side
    """The side on which the better answer was shown."""


class ReasonsReading(JudgmentReading):
    """Which answer the reasons speak for."""

    stances: dict[str, str]
    """By what they are read from (`judging.stances.reading.StanceSource`): A, B, neither or unclear."""
    criteria: dict[str, str]
    """By the name of each criterion of the rubric: A, B, neither or unclear."""
    agree: bool | None
    """Whether the reasons agree with the verdict; None where that cannot be decided."""


class GroundingReading(JudgmentReading):
    """Whether quotations are real, and the rubric's form is kept."""

    quotes: tuple[str, ...]
    """Where each quotation is found (`judging.trace_structure.Grounding`), in order."""
    strict: bool | None
    """Weights add up to 100, each criterion is evaluated, both answers are quoted and every quotation is found; None
    for a reply without a rubric."""
    untaken: tuple[str, ...]
    """Criteria of the rubric that the evaluation never takes up."""
