"""Everything that the page shows, gathered from the pipeline's outputs before a line of HTML is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from reasrm.benchmarks.registry import BENCHMARKS, display_names
from reasrm.datasets.row_files import DataSource
from reasrm.records.unasked_prompts import unasked_warnings
from reasrm.reporting import charts
from reasrm.reporting.charts import CurveGroup, FamilyChart, HeatMap, ModelView
from reasrm.reporting.completeness import CompletenessRow, read_completeness
from reasrm.reporting.curves import read_curves, read_warnings
from reasrm.reporting.data_funnel import Funnel, read_funnel
from reasrm.reporting.example_view import ExamplesView, examples_view
from reasrm.reporting.examples import benchmark_items, choose_examples
from reasrm.reporting.headline import (
    Card,
    DifferenceRow,
    benchmark_note,
    difference_rows,
    headline_cards,
    opposite_ranks,
)
from reasrm.reporting.model_scores import ModelScores, ReportedDifference, read_scores
from reasrm.reporting.page_settings import PageSettings, with_derived_texts
from reasrm.reporting.paper_reference import PaperTables, paper_tables
from reasrm.reporting.reply_statistics import ReplyStatistics, count_replies, sampled_judgments
from reasrm.reporting.rollout_view import RolloutRun, rollout_runs
from reasrm.reporting.run_settings import (
    SettingsOf,
    asks_local_oracle,
    judge_identities,
    shown_parameters,
)
from reasrm.reporting.stored_runs import StoredRun, other_seeds, second_ladder, stored_gain
from reasrm.reporting.themed_svg import SERIES, plot_style


class Folders(NamedTuple):
    """Where the report reads."""

    scores: Path
    curves: Path
    judgments: Path
    traces: Path
    pairs: Path
    benchmarks: Path


@dataclass(frozen=True)
class Content:
    """What the templates see."""

    settings: PageSettings
    miniature: bool
    """Whether the benchmarks are the miniature's own sets."""
    local_oracle: bool
    """Whether the oracle was a program on this machine, so that nobody was paid."""
    models: tuple[ModelView, ...]
    cards: tuple[Card, ...]
    benchmark_names: tuple[str, ...]
    benchmark_labels: Mapping[str, str]
    benchmark_sections: Mapping[str, tuple[str, ...]]
    benchmark_notes: Mapping[str, str]
    has_average: bool
    opposite_ranks: tuple[str, ...]
    ladder: Markup
    differences: tuple[DifferenceRow, ...]
    families: tuple[FamilyChart, ...]
    heat_maps: tuple[HeatMap, ...]
    paper: PaperTables
    second_ladder: tuple[StoredRun, ...]
    second_ladder_gain: str
    """What GRPO gains or loses there, as a sentence."""
    other_seeds: tuple[StoredRun, ...]
    unasked: tuple[str, ...]
    """Of models many of whose prompts were not asked, that it is so."""
    reply_statistics: tuple[tuple[ModelView, ReplyStatistics], ...]
    completeness: tuple[CompletenessRow, ...]
    curve_groups: tuple[CurveGroup, ...]
    training_warnings: tuple[tuple[str, str], ...]
    """Run, as readers know it, and what its training warned of."""
    funnel: Funnel
    rollouts: tuple[RolloutRun, ...]
    examples: ExamplesView
    identities: tuple[SettingsOf, ...]
    parameters: tuple[SettingsOf, ...]

    def difference(self, first: str, second: str) -> ReportedDifference | None:
        """The paired difference of two models, first minus second."""
        found = next((model for model in self.models if model.name == first), None)
        return found.scores.differences.get(second) if found else None


def gather(
    folders: Folders, scores: Mapping[str, ModelScores], settings: PageSettings, parameters: Mapping[str, Any]
) -> Content:
    """Read everything that the page shows.

    Args:
        folders: the pipeline's outputs.
        scores: the score files by model (`read_all_scores`).
        settings: names, texts and sizes.
        parameters: the sections of params.yaml that the outputs were made with (`PARAMETER_SECTIONS`).
    """
    models = model_views(scores, settings)
    names = _benchmark_names(scores)
    labels = {name: name for name in names} | display_names(folders.benchmarks)
    completeness = read_completeness(folders.benchmarks, labels)
    funnel = read_funnel(folders.pairs, folders.traces)
    differences = difference_rows(scores, settings)
    side_by_side = (settings.label(settings.side_by_side[0]), settings.label(settings.side_by_side[1]))
    chosen = choose_examples(folders.judgments, folders.benchmarks, settings.side_by_side, settings.examples)
    with plot_style():
        drawn = charts.draw(models, read_curves(folders.curves), settings.models)
    return Content(
        settings=with_derived_texts(settings, parameters, funnel),
        miniature=any(row.account.source is DataSource.MINIATURE for row in completeness),
        local_oracle=asks_local_oracle(parameters),
        models=models,
        cards=headline_cards(scores, settings, differences, funnel),
        benchmark_names=names,
        benchmark_labels=labels,
        benchmark_sections={name: _sections(name, scores) for name in names},
        benchmark_notes={name: benchmark_note(name, scores) for name in names},
        has_average=any(model.scores.average is not None for model in models),
        opposite_ranks=opposite_ranks(scores, settings),
        ladder=drawn.ladder,
        differences=differences,
        families=drawn.families,
        heat_maps=charts.heat_maps(models),
        paper=paper_tables(),
        second_ladder=second_ladder(),
        second_ladder_gain=stored_gain(
            second_ladder(), settings.side_by_side[0], settings.lead, settings.label(settings.lead)
        ),
        other_seeds=other_seeds(),
        unasked=unasked_warnings(folders.judgments, [model.name for model in models]),
        reply_statistics=_reply_statistics(models, folders, names, settings.reply_sample),
        completeness=completeness,
        curve_groups=drawn.curve_groups,
        training_warnings=tuple((settings.label(run), text) for run, text in read_warnings(folders.curves)),
        funnel=funnel,
        rollouts=rollout_runs(folders.curves, settings.rollouts, settings.models, settings.example_characters),
        examples=examples_view(chosen, side_by_side, settings.example_characters, labels),
        identities=judge_identities(folders.judgments, {model.name: model.label for model in models}),
        parameters=shown_parameters(parameters),
    )


def read_all_scores(folder: Path) -> dict[str, ModelScores]:
    """The score files of `folder` by model, in the order of their names."""
    return {file.stem: read_scores(file) for file in sorted(folder.glob("*.json"))}


def model_views(scores: Mapping[str, ModelScores], settings: PageSettings) -> tuple[ModelView, ...]:
    """The models in the order of the ladder; those that the settings do not name come last, by name."""
    order = [name for name in settings.models if name in scores]
    order += [name for name in sorted(scores) if name not in settings.models]
    positions = {name: number for number, name in enumerate(settings.models)}
    return tuple(
        ModelView(name, settings.label(name), positions.get(name, len(positions) + number) % len(SERIES), scores[name])
        for number, name in enumerate(order)
    )


def _benchmark_names(scores: Mapping[str, ModelScores]) -> tuple[str, ...]:
    found = {name for one in scores.values() for name in one.benchmarks}
    known = [name for name in BENCHMARKS if name in found]
    return (*known, *sorted(found - set(known)))


def _sections(name: str, scores: Mapping[str, ModelScores]) -> tuple[str, ...]:
    """The sections of a benchmark in the order in which the score files list them."""
    found: dict[str, None] = {}
    for one in scores.values():
        if name in one.benchmarks:
            found |= dict.fromkeys(one.benchmarks[name].sections)
    return tuple(found)


def _reply_statistics(
    models: Sequence[ModelView], folders: Folders, benchmarks: Sequence[str], sample: int
) -> tuple[tuple[ModelView, ReplyStatistics], ...]:
    samples = {model.name: sampled_judgments(folders.judgments / model.name, sample) for model in models}
    wanted = {(judgment.benchmark, judgment.item_id) for judgments in samples.values() for judgment in judgments}
    items = {
        (item.benchmark, item.item_id): item
        for item in benchmark_items(folders.benchmarks, benchmarks)
        if (item.benchmark, item.item_id) in wanted
    }
    counted = ((model, count_replies(samples[model.name], items)) for model in models)
    return tuple((model, statistics) for model, statistics in counted if statistics.replies)
