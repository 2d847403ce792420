"""A measure of a probe: a figure with its interval, what it rests on, and how small an effect it could have shown."""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from reasrm.scoring.intervals import Interval


class Good(StrEnum):
    """Which direction of a measure speaks for a judge."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"
    """A description, or good at some value in between."""


class Measure(BaseModel):
    """One figure of one probe about one judge: a share in [0, 1], a difference in [-1, 1], or another in its `unit`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """A key of the probe's `definitions`."""
    variant: str = ""
    """The perturbation that it is about; empty for the probe as a whole."""
    value: float
    low: float
    """Of the 95 % interval."""
    high: float
    interval: Interval
    units: int
    """Judgments, pairs of judgments or quotations: what the figure counts."""
    questions: int
    """Different questions among them, over which the interval is drawn."""
    good: Good = Good.NEITHER
    null: float | None = None
    """The value that means that there is no effect; None for a share that has no such value."""
    p: float | None = None
    """Two-sided, of the null; not adjusted. The page adjusts all of its tests as one family (Benjamini-Hochberg)."""
    detectable: float | None = None
    """The smallest distance from `null` that the test would have found at 5 % in 80 % of such samples. None without a
    `null`, or where the questions are so few that no effect at all would have been found."""
    unit: str = ""
    """Of what is neither a share nor a difference of shares, as readers see it: `%`, `steps`; empty for those two."""
    left_out: int = 0
    """Units that could not be counted: unreadable, or of words that the judge does not know."""
    by_question: Mapping[str, float] = Field(default={}, exclude=True, repr=False)
    """The mean of each question's units: what two judges are compared by. Kept in a file of its own
    (`question_values`); empty for a figure that is no mean over questions."""
