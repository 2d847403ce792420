"""How the oracle is asked, never what: nothing here changes an answer, so none of it makes a stage stale."""

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from stages.runtime.params import StageParams


class Mode(StrEnum):
    """Which of a vendor's two doors."""

    ONLINE = "online"
    """Answers in seconds, within the rate limits."""
    BATCH = "batch"
    """Answers within 24 hours, at half the price."""


class AskingSettings(StageParams):
    """Section `distill_traces_asking` of params.yaml; read by the stage, no dependency of it."""

    section: ClassVar[str] = "distill_traces_asking"

    mode: Mode
    budget_usd: float | None = Field(gt=0)
    """The most that the replies of one pass may cost, earlier runs included; null for no limit."""
    most_in_flight: int = Field(gt=0)
    """Requests at once, however high the server's limit is."""
    attempts: int = Field(gt=0)
    """How often one request may fail for reasons that usually pass before it is given up."""
    timeout_seconds: float = Field(gt=0)
    """Longest wait for one reply."""
    outage_minutes: float = Field(gt=0)
    """Stop (resumably) when the server has been down for so long."""
    declared_rpm: float | None = Field(gt=0)
    """Requests per minute to keep to until the server's headers tell its limit; null if it tells."""
    batch_requests: int = Field(gt=0, le=50_000)
    """Most requests of one batch."""
    poll_seconds: float = Field(gt=0)
    """Longest pause between two looks at a batch."""
