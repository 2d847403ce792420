"""The judgments that a table of an ablation is made of: each row's, once per training seed, all on the same items."""

from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from reasrm.benchmarks.registry import BenchmarkName
from reasrm.benchmarks.scoring_rule import OutcomeError, ScoreSettings, UnreadableRule
from reasrm.scoring.judged_items import JudgedItem, read_items, read_judged_items
from reasrm.scoring.shift import Part


class AblationRowFiles(BaseModel):
    """Where the judgments of one row lie, one folder per training seed, in the seeds' order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    judgments: tuple[Path, ...] = Field(min_length=1)
    benchmarks: tuple[Path, ...] = Field(min_length=1)
    """The items that they are about."""


class AblationRequest(BaseModel):
    """What is to be measured."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: tuple[AblationRowFiles, ...] = Field(min_length=1)
    steps: tuple[tuple[str, str], ...]
    """Pairs of rows: the first minus the second."""
    headline: tuple[BenchmarkName, ...] = Field(min_length=1)
    """The benchmarks whose official scores are averaged; judgments of others are left out."""
    unreadable: UnreadableRule
    resamples: int = Field(ge=100)
    seed: int = Field(ge=0)
    covered: tuple[str, ...] | None
    """The slices that the traces cover; None where they cover all, or where nobody knows."""

    def settings(self) -> ScoreSettings:
        """How scores are computed."""
        return ScoreSettings(unreadable=self.unreadable, resamples=self.resamples, seed=self.seed)


Judged = dict[str, list[list[JudgedItem]]]
"""Each row's judged items, by seed."""


def read_judged(request: AblationRequest) -> Judged:
    """The judgments of every row and seed on the headline's benchmarks.

    Raises:
        OutcomeError: judgments are missing, of a row that was judged on other items than the first, or a benchmark of
            the headline was not judged.
        BadRecordError: a line is no record.
    """
    first: dict[tuple[str, str], tuple[str, str]] = {}
    read: Judged = {}
    for row in request.rows:
        read[row.name] = []
        for judgments, benchmarks in zip(row.judgments, row.benchmarks, strict=True):
            items = read_items(benchmarks)
            about = {key: (item.group, item.pair_id) for key, item in items.items() if key[0] in request.headline}
            if about != (first := first or about):
                raise OutcomeError(
                    f"{benchmarks} holds other items than {request.rows[0].benchmarks[0]}: a paired difference needs "
                    f"the same questions; is `collect_benchmarks` the same in all?"
                )
            judged = [one for one in read_judged_items(judgments, items) if one.item.benchmark in request.headline]
            if missing := sorted(set(request.headline) - {one.item.benchmark for one in judged}):
                raise OutcomeError(f"{judgments} holds no judgments of {', '.join(missing)}, which `headline` names")
            read[row.name].append(judged)
    return read


def subsets(request: AblationRequest, judged: Judged) -> dict[str, Callable[[JudgedItem], bool]]:
    """What tells items whose slice the traces cover from those of the shift; nothing where there is but one kind."""
    slices = {one.item.slice for one in next(iter(judged.values()))[0]} - {""}
    covered = slices & set(request.covered or ())
    shift = slices - covered
    if not covered or not shift:
        return {}
    return {
        Part.COVERED.value: lambda one: one.item.slice in covered,
        Part.SHIFT.value: lambda one: one.item.slice in shift,
    }
