"""Oracle traces: what became of each pair that an oracle was asked about, by us or by those who published it."""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from reasrm.records.comparison import Comparison, Side
from reasrm.records.pair import PreferencePair


class TraceOutcome(StrEnum):
    """How asking about one pair ended; every pair ends as exactly one of these."""

    OK = "ok"
    TRUNCATED = "truncated"
    REFUSED = "refused"
    EMPTY = "empty"
    REJECTED = "rejected"
    """The API called the request itself invalid; it is not sent again."""
    GAVE_UP = "gave_up"
    """All attempts failed for reasons that usually pass."""


class TracePass(StrEnum):
    """Which of the two passes asked: without, or with the right verdict as a hint."""

    FIRST = "first"
    SECOND = "second"


class OracleTrace(BaseModel):
    """The oracle's judgment of one pair in one order, or the reason why there is none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    pair: PreferencePair
    better: Side
    """The side on which the better answer was shown."""
    oracle_pass: TracePass
    model: str
    """The dated model id that was asked for."""
    outcome: TraceOutcome
    text: str = ""
    """The reply; empty unless the outcome is ok or truncated."""
    detail: str = ""
    """What the API said about a rejected or given-up request, or what was odd about a reply; at most 300 characters."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    origin: str = Field(default="", exclude_if=lambda origin: not origin)
    """Where a trace is published that no oracle of ours wrote: a data set and its revision, or a file. Such a trace may
    have been written with the right verdict as a hint, whatever `oracle_pass` says. Empty for an oracle's."""


class KeptTrace(BaseModel):
    """A trace to learn from: readable, right, and of the structure that its type demands."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    comparison: Comparison
    text: str
    """The trace, ending with `<answer>[[A]]</answer>` or B."""
    source: str
    oracle_pass: TracePass


class RejectedTrace(BaseModel):
    """A trace that is not learnt from, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    trace: OracleTrace
    reason: str = Field(min_length=1)
    """One word of a closed list (`reasrm.data_quality.trace_rules.TraceFault`)."""
