"""The file of a model's measures, `data/probes/<model>/measures.json`, which the report reads."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from reasrm.probes.measure import Measure
from reasrm.probes.probe_run import ProbeCost, ProbeResult, cost
from reasrm.probes.query import ProbeContext
from reasrm.records.jsonl import BadRecordError, explain

MEASURES = "measures.json"
"""Its name."""


class ProbedBy(BaseModel):
    """One probe in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    question: str = ""
    """What the probe asks about a judge; empty where it does not say."""
    source: str
    definitions: dict[str, str]
    settings: dict[str, Any]
    refused: str
    """Why it was not run; empty if it was."""
    queries: int
    unknown_words: int
    """Queries with words that the judge's vocabulary lacks: they were not asked."""
    measures: list[Measure]


class ProbeMeasures(BaseModel):
    """All measures of one model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    questions: int
    """In the sample that probes ask about."""
    plain_judgments: int
    """Judgments without any perturbation, of all items, that measures start from."""
    cost: ProbeCost
    """What all queries cost, beside the plain judgments."""
    resamples: int
    seed: int
    judge: dict[str, Any]
    """The judge's identity."""
    probes: dict[str, ProbedBy]


def probe_measures(results: Sequence[ProbeResult], context: ProbeContext, judge: dict[str, Any]) -> ProbeMeasures:
    """What a run of some probes found out; `judge` is the judge's identity."""
    return ProbeMeasures(
        questions=len(context.items),
        plain_judgments=len(context.all_plain),
        cost=cost(results),
        resamples=context.resamples,
        seed=context.seed,
        judge=judge,
        probes={result.probe.name: _probed(result) for result in results},
    )


def read_measures(file: Path) -> ProbeMeasures:
    """The measures in `file`.

    Raises:
        BadRecordError: it is not such a file; says which field.
    """
    try:
        return ProbeMeasures.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise BadRecordError(f"{file}: {explain(error)}") from error


def read_all_measures(folder: Path) -> dict[str, ProbeMeasures]:
    """The measures of every model below `folder` (data/probes), by model; none where no model was probed.

    Raises:
        BadRecordError: a file is not such a file; says which field.
    """
    return {file.parent.name: read_measures(file) for file in sorted(folder.glob(f"*/{MEASURES}"))}


def _probed(result: ProbeResult) -> ProbedBy:
    return ProbedBy(
        title=result.probe.title,
        question=result.probe.question,
        source=result.probe.source,
        definitions=dict(result.probe.definitions),
        settings=result.probe.model_dump(mode="json"),
        refused=result.refused,
        queries=len(result.answers),
        unknown_words=sum(answer.unknown_words for answer in result.answers),
        measures=result.measures,
    )
