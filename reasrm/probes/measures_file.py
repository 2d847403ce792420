"""What is kept of a probed judge, `data/probes/<model>`.

`measures.json` is what the report reads; beside it stand what each question came to, and every query with its answer.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from reasrm.probes.measure import Measure
from reasrm.probes.measuring.question_values import QUESTION_VALUES, question_values
from reasrm.probes.probe_run import ProbeCost, ProbeResult, cost, row_of
from reasrm.probes.query import ProbeContext
from reasrm.records.harmless_text import json_text
from reasrm.records.jsonl import BadRecordError, explain, write_records
from reasrm.runtime.outputs import new_folder, write_json, write_text

MEASURES = "measures.json"
READINGS = ".judgments.jsonl"
"""Ends the name of a probe's file of what it read out of each plain judgment; its queries end with `.jsonl` alone."""


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
    """Different ones in the sample that probes ask about; of recorded replies in all that was judged."""
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
        questions=len({item.question for item in context.items}),
        plain_judgments=len(context.all_plain),
        cost=cost(results),
        resamples=context.resamples,
        seed=context.seed,
        judge=judge,
        probes={result.probe.name: _probed(result) for result in results},
    )


def write_probe_folder(
    folder: Path,
    found: ProbeMeasures,
    results: Sequence[ProbeResult],
    more: Iterable[tuple[str, Iterable[BaseModel]]] = (),
) -> None:
    """Write `folder` anew, or leave it as it was.

    Args:
        folder: `data/probes/<model>`, or what `--out` names.
        found: `measures.json`.
        results: what `<probe>.jsonl`, `<probe>.judgments.jsonl` and `question_values.json` are made of.
        more: further files of records, by name.
    """
    with new_folder(folder) as partial:
        for result in results:
            write_records(partial / f"{result.probe.name}.jsonl", (row_of(result.probe, one) for one in result.answers))
            if result.readings:
                write_records(partial / f"{result.probe.name}{READINGS}", result.readings)
        for name, records in more:
            write_records(partial / name, records)
        values = question_values(results).model_dump(mode="json")
        write_text(partial / QUESTION_VALUES, json_text(values) + "\n")  # not a line for each of thousands of numbers
        write_json(partial / MEASURES, found.model_dump(mode="json"))


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
