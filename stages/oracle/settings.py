"""How the oracle is asked, never what: nothing here changes an answer, so none of it makes a stage stale."""

import os
from enum import StrEnum
from typing import ClassVar, Self

from pydantic import Field

from stages.runtime.params import StageParams

BUDGET_VARIABLE = "REASRM_BUDGET_USD"
"""Set by `reasrm run --budget-usd`: a limit of one run stands in no file."""

ABANDON = (
    "--abandon-batches (in params.yaml: abandon_batches) asks its requests again, though they may have been billed"
)
"""The way out where a batch that was paid for cannot be waited for."""


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
    abandon_batches: bool = False
    """Ask again what an open batch holds: online any batch, in batch mode one that the vendor does not know."""

    @classmethod
    def of_this_run(cls) -> Self:
        """The section, with the budget of this run (`reasrm run --budget-usd`) if that is the smaller one.

        Raises:
            ParamsError: the section is wrong.
            ValidationError: the variable is not a positive number of dollars.
        """
        settings = cls.load()
        run_budget = os.environ.get(BUDGET_VARIABLE)
        if run_budget is None or (settings.budget_usd is not None and settings.budget_usd <= float(run_budget)):
            return settings
        return cls.model_validate(settings.model_dump() | {"budget_usd": run_budget})
