"""How the oracle is asked, never what: nothing here changes an answer, so none of it makes a stage stale."""

import os
from enum import StrEnum
from typing import ClassVar, Self

from pydantic import Field, ValidationError

from reasrm.records.jsonl import explain
from reasrm.runtime.params import ParamsError, StageParams

BUDGET_VARIABLE = "REASRM_BUDGET_USD"
"""Set by `reasrm run --budget-usd`, so that a budget can be given without a file being changed."""

ABANDON = (
    "--abandon-batches (in params.yaml: abandon_batches) asks its requests again, though they may have been billed"
)
"""What to do where a batch that was paid for cannot be waited for."""


class AskingMode(StrEnum):
    """Which of a vendor's two ways to take requests."""

    ONLINE = "online"
    """Answers in seconds, within the rate limits."""
    BATCH = "batch"
    """Answers within 24 hours, at half the price."""


class AskingSettings(StageParams):
    """Section `distill_traces_asking` of params.yaml; read by the stage, no dependency of it."""

    section: ClassVar[str] = "distill_traces_asking"

    mode: AskingMode
    budget_usd: float | None = Field(ge=0, allow_inf_nan=False)
    """The most that the present questions may cost in all, in every run and both passes together; null for no limit.

    A schedule can therefore not spend it anew each night. 0 sends nothing that costs anything."""
    most_in_flight: int = Field(gt=0)
    """Requests at once, however high the server's limit is."""
    attempts: int = Field(gt=0)
    """How often one request may fail for reasons that usually pass before it is given up."""
    timeout_seconds: float = Field(gt=0)
    """Longest wait for one reply."""
    outage_minutes: float = Field(gt=0)
    """Stop (resumably) when the server has been down for so long, or asks for a longer pause."""
    declared_rpm: float | None = Field(gt=0)
    """Requests per minute to keep to until the server's headers state its limit; null if they do."""
    batch_requests: int = Field(gt=0, le=50_000)
    """Most requests of one batch."""
    poll_seconds: float = Field(gt=0)
    """Longest pause between two polls of a batch."""
    abandon_batches: bool = False
    """Ask again what an open batch holds: online any batch, in batch mode one that the vendor does not know."""

    @classmethod
    def of_this_run(cls) -> Self:
        """The section, with the budget that `reasrm run --budget-usd` gave if that is the smaller one.

        Raises:
            ParamsError: the section is wrong, or the variable is not a number of dollars.
        """
        settings = cls.load()
        given = os.environ.get(BUDGET_VARIABLE)
        if given is None:
            return settings
        try:
            run = cls.model_validate(settings.model_dump() | {"budget_usd": given})
        except ValidationError as error:
            raise ParamsError(f"environment variable {BUDGET_VARIABLE}: {explain(error)}") from error
        budgets = [budget for budget in (settings.budget_usd, run.budget_usd) if budget is not None]
        return settings.model_copy(update={"budget_usd": min(budgets)})
