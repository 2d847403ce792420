"""What a judge decided: about one comparison, and about one item of a benchmark."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from reasrm.records.comparison import Side
from reasrm.records.reply import Reply

BUDGETS = "budgets"
"""Folder beside a model's judgments that holds those within token budgets, `budgets/<tokens>/<benchmark>.jsonl`."""


class Samples(BaseModel):
    """The verdicts of several replies to the same prompt, and their tokens together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int
    a: int
    """Replies that name A."""
    b: int
    prompt_tokens: int
    completion_tokens: int


class ComparisonJudgment(BaseModel):
    """The judgment of one comparison, with A and B as they were shown: a verdict, or why there is none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    verdict: Side | None
    unreadable: str | None = None
    """Reason (`reasrm.judging.verdict.Unreadable`) if there is no verdict."""
    scores: tuple[float, float] | None = None
    """Of A and B, for judges that give scores instead of a verdict; of several samples, the shares that name each."""
    reply: Reply | None = None
    """What the judge wrote; None for judges that only score, and for prompts that were too long to be asked."""
    samples: Samples | None = None
    """Where several replies were drawn and the verdict is the majority's; `reply` is one of them."""


class Judgment(ComparisonJudgment):
    """The judgment of one benchmark item in one order: a line of `data/judgments/<model>/<benchmark>.jsonl`."""

    version: Literal[1] = 1
    benchmark: str
    item_id: str
    better: Side
    """The side on which the better answer was shown: this is the order."""

    @property
    def correct(self) -> bool | None:
        """Whether the verdict names the better answer; None if there is no verdict."""
        return None if self.verdict is None else self.verdict is self.better
