"""One judge's decision about one benchmark item in one order."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from stages.records.comparison import Side
from stages.records.reply import Reply


class Judgment(BaseModel):
    """A verdict, or the reason why none could be read; the reply is kept whole."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    benchmark: str
    item_id: str
    better: Side
    """The side on which the better answer was shown: this is the order."""
    verdict: Side | None
    unreadable: str | None = None
    """Reason (`stages.judging.verdict.Unreadable`) if there is no verdict."""
    scores: tuple[float, float] | None = None
    """Scores of A and B, for judges that give scores instead of a verdict."""
    reply: Reply | None = None
    """What the judge wrote; None for judges that only score, and for items that were refused before asking."""

    @property
    def correct(self) -> bool | None:
        """Whether the verdict names the better answer; None if there is no verdict."""
        return None if self.verdict is None else self.verdict is self.better
