"""What every page is made from: the settings, the scores and what the probes found, read once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from reasrm.benchmarks.registry import BENCHMARKS, display_names
from reasrm.datasets.row_files import DataSource
from reasrm.probes.measures_file import MEASURES, ProbeMeasures, read_measures
from reasrm.probes.measuring.question_values import QUESTION_VALUES, QuestionValues, read_question_values
from reasrm.reporting.benchmark_figures.completeness import CompletenessRow, read_completeness
from reasrm.reporting.charts import ModelView
from reasrm.reporting.data_funnel import Funnel, read_funnel
from reasrm.reporting.model_scores import ModelScores, ReportedDifference, ReportedShift, read_scores
from reasrm.reporting.page_settings import PageSettings, with_derived_texts
from reasrm.reporting.run_settings import asks_local_oracle
from reasrm.reporting.themed_svg import SERIES
from reasrm.runtime.stage_main import StageError

PROBED = "probe_variants"
"""The section of params.yaml that names the models that are probed."""


class Folders(NamedTuple):
    """Where the report reads."""

    scores: Path
    curves: Path
    judgments: Path
    traces: Path
    pairs: Path
    benchmarks: Path
    probes: Path
    policy_scores: Path


@dataclass(frozen=True)
class ReportSource:
    """What more than one page needs."""

    folders: Folders
    settings: PageSettings
    parameters: Mapping[str, Any]
    """The sections of params.yaml that the outputs were made with (`PARAMETER_SECTIONS`)."""
    scores: Mapping[str, ModelScores]
    models: tuple[ModelView, ...]
    """In the order of the ladder."""
    benchmark_names: tuple[str, ...]
    benchmark_labels: Mapping[str, str]
    completeness: tuple[CompletenessRow, ...]
    funnel: Funnel
    shift: ReportedShift | None
    """The two models of `side_by_side` on what traces cover and on the rest; None where that is not told apart."""
    measures: Mapping[str, ProbeMeasures]
    """What the probes found, by model, in the order of the ladder; empty where no model is probed."""

    @property
    def miniature(self) -> bool:
        """Whether the benchmarks are the miniature's own sets."""
        return any(row.account.source is DataSource.MINIATURE for row in self.completeness)

    @property
    def local_oracle(self) -> bool:
        """Whether the oracle was a program on this machine, so that nobody was paid."""
        return asks_local_oracle(self.parameters)

    @property
    def has_average(self) -> bool:
        """Whether a model was judged on all benchmarks that are averaged."""
        return any(model.scores.average is not None for model in self.models)

    @property
    def probed(self) -> tuple[ModelView, ...]:
        """The models that were probed, in the order of the ladder."""
        return tuple(model for model in self.models if model.name in self.measures)

    def question_values(self, model: str) -> QuestionValues:
        """What the probes found about a probed model, question by question."""
        return read_question_values(_written(self.folders.probes / model / QUESTION_VALUES))

    def difference(self, first: str, second: str) -> ReportedDifference | None:
        """The paired difference of two models, first minus second."""
        return self.scores[first].differences.get(second) if first in self.scores else None


def read_source(
    folders: Folders, settings: PageSettings, parameters: Mapping[str, Any], shift: ReportedShift | None
) -> ReportSource:
    """Read what all pages share.

    Raises:
        StageError: a model that is to be probed was not.
        BadRecordError: a file is not what its stage writes.
    """
    scores = read_all_scores(folders.scores)
    names = _benchmark_names(scores)
    labels = {name: name for name in names} | display_names(folders.benchmarks)
    funnel = read_funnel(folders.pairs, folders.traces)
    settings = with_derived_texts(settings, parameters, funnel)
    models = model_views(scores, settings)
    return ReportSource(
        folders=folders,
        settings=settings,
        parameters=parameters,
        scores=scores,
        models=models,
        benchmark_names=names,
        benchmark_labels=labels,
        completeness=read_completeness(folders.benchmarks, labels),
        funnel=funnel,
        shift=shift,
        measures=dict(_measures(folders.probes, parameters[PROBED], [model.name for model in models])),
    )


def read_all_scores(folder: Path) -> dict[str, ModelScores]:
    """The score files of `folder` by model, in the order of their names."""
    return {file.stem: read_scores(file) for file in sorted(folder.glob("*.json"))}


def model_views(scores: Mapping[str, ModelScores], settings: PageSettings) -> tuple[ModelView, ...]:
    """The models in the order of the ladder; those that the settings do not name come last, by name."""
    order = [name for name in settings.models if name in scores]
    order += [name for name in sorted(scores) if name not in settings.models]
    positions = {name: number for number, name in enumerate(dict.fromkeys((*settings.models, *order)))}
    return tuple(ModelView(name, settings.label(name), positions[name] % len(SERIES), scores[name]) for name in order)


def _measures(folder: Path, variants: Mapping[str, Any], models: list[str]) -> Iterator[tuple[str, ProbeMeasures]]:
    """What the probes found about each of `models` that params.yaml has probed; other folders are left alone."""
    for model in models:
        if model in variants:
            yield model, read_measures(_written(folder / model / MEASURES))


def _written(file: Path) -> Path:
    """The file of a probed model, which must be there."""
    if not file.is_file():
        model = file.parent.name
        raise StageError(f"{file}: not there, and `{PROBED}` names {model}; run `dvc repro probe@{model}`")
    return file


def _benchmark_names(scores: Mapping[str, ModelScores]) -> tuple[str, ...]:
    found = {name for one in scores.values() for name in one.benchmarks}
    known = [name for name in BENCHMARKS if name in found]
    return (*known, *sorted(found - set(known)))
