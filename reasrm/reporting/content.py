"""Everything that the page shows, gathered from the pipeline's outputs before a line of HTML is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from reasrm.benchmarks.registry import BENCHMARKS, display_names
from reasrm.datasets.row_files import DataSource
from reasrm.records.unasked_prompts import unasked_warnings
from reasrm.reporting.charts import CurveGroup, HeatMap, ModelView, budget_chart, curve_groups, heat_maps
from reasrm.reporting.completeness import CompletenessRow, read_completeness
from reasrm.reporting.curves import read_curves, read_warnings
from reasrm.reporting.data_funnel import Funnel, read_funnel
from reasrm.reporting.families import FamilyRow, family_rows
from reasrm.reporting.headline import (
    Card,
    DifferenceRow,
    benchmark_note,
    difference_rows,
    headline_cards,
    opposite_ranks,
    style_gains,
)
from reasrm.reporting.ladder import Ladder, build_ladder
from reasrm.reporting.model_scores import ModelScores, ReportedDifference, ReportedShift, read_scores
from reasrm.reporting.page_settings import PageSettings, with_derived_texts
from reasrm.reporting.paper_reference import PaperTables, paper_tables
from reasrm.reporting.replies.before_after import before_after_pair
from reasrm.reporting.replies.example_view import BeforeAfterView, ExamplesView, before_after_view, examples_view
from reasrm.reporting.replies.examples import asked_items, benchmark_items, choose_examples
from reasrm.reporting.replies.reply_statistics import ReplyStatistics, count_replies, sampled_judgments
from reasrm.reporting.replies.rollout_view import RolloutRun, rollout_runs
from reasrm.reporting.replies.transitions import read_transitions
from reasrm.reporting.run_settings import (
    SettingsOf,
    asks_local_oracle,
    judge_identities,
    shown_parameters,
)
from reasrm.reporting.set_by_hand import SetByHand, covered_slices, read_set_by_hand
from reasrm.reporting.slice_chart import SliceChart, slice_chart
from reasrm.reporting.stored_runs import OtherLadder, StoredRun, other_ladders, other_seeds
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
    opposite_ranks: tuple[str, ...]
    ladder: Ladder
    before_after: BeforeAfterView | None
    set_by_hand: SetByHand
    differences: tuple[DifferenceRow, ...]
    families: tuple[FamilyRow, ...]
    slices: SliceChart | None
    shift: ReportedShift | None
    heat_maps: tuple[HeatMap, ...]
    style_gains: tuple[str, ...]
    """What RM-Bench's cells gain by training as a whole, and from the earlier to the later model, as sentences."""
    paper: PaperTables
    other_ladders: tuple[OtherLadder, ...]
    """Variations of the miniature; empty where base model or pairs come from elsewhere."""
    other_seeds: tuple[StoredRun, ...]
    """Of this configuration."""
    unasked: tuple[str, ...]
    """Of models many of whose prompts were not asked, that it is so."""
    reply_statistics: tuple[tuple[ModelView, ReplyStatistics], ...]
    completeness: tuple[CompletenessRow, ...]
    curve_groups: tuple[CurveGroup, ...]
    token_budgets: CurveGroup | None
    training_warnings: tuple[tuple[str, str], ...]
    """Run, as readers know it, and what its training warned of."""
    funnel: Funnel
    rollouts: tuple[RolloutRun, ...]
    examples: ExamplesView
    identities: tuple[SettingsOf, ...]
    parameters: tuple[SettingsOf, ...]

    @property
    def has_average(self) -> bool:
        """Whether a model was judged on all benchmarks that are averaged."""
        return any(model.scores.average is not None for model in self.models)

    def difference(self, first: str, second: str) -> ReportedDifference | None:
        """The paired difference of two models, first minus second."""
        found = next((model for model in self.models if model.name == first), None)
        return found.scores.differences.get(second) if found else None


def gather(
    folders: Folders,
    scores: Mapping[str, ModelScores],
    settings: PageSettings,
    parameters: Mapping[str, Any],
    shift: ReportedShift | None,
) -> Content:
    """Read everything that the page shows.

    Args:
        folders: the pipeline's outputs.
        scores: the score files by model (`read_all_scores`).
        settings: names, texts and sizes.
        parameters: the sections of params.yaml that the outputs were made with (`PARAMETER_SECTIONS`).
        shift: the two models of `side_by_side` on what traces cover and on the rest; None where that is not told apart.
    """
    models = model_views(scores, settings)
    names = _benchmark_names(scores)
    labels = {name: name for name in names} | display_names(folders.benchmarks)
    completeness = read_completeness(folders.benchmarks, labels)
    funnel = read_funnel(folders.pairs, folders.traces)
    differences = difference_rows(scores, settings)
    by_hand = read_set_by_hand(parameters, funnel)
    curves, budgets = _drawn(models, folders, settings, parameters)
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
        opposite_ranks=opposite_ranks(scores, settings),
        ladder=build_ladder(models, settings, _seeds(settings)),
        before_after=_before_after(folders, scores, settings, labels),
        set_by_hand=by_hand,
        differences=differences,
        families=family_rows(models, folders.benchmarks, settings),
        slices=_slices(models, settings, parameters, shift),
        shift=shift,
        heat_maps=heat_maps(models),
        style_gains=style_gains(scores, settings),
        paper=paper_tables(),
        other_ladders=other_ladders() if by_hand.is_miniature else (),
        other_seeds=_seeds(settings),
        unasked=unasked_warnings(folders.judgments, [model.name for model in models]),
        reply_statistics=_reply_statistics(models, folders, names, settings.reply_sample),
        completeness=completeness,
        curve_groups=curves,
        token_budgets=budgets,
        training_warnings=tuple((settings.label(run), text) for run, text in read_warnings(folders.curves)),
        funnel=funnel,
        rollouts=rollout_runs(folders.curves, settings.rollouts, settings.models, settings.example_characters),
        examples=_examples(folders, settings, labels),
        identities=judge_identities(folders.judgments, {model.name: model.label for model in models}),
        parameters=shown_parameters(parameters),
    )


def _drawn(
    models: Sequence[ModelView], folders: Folders, settings: PageSettings, parameters: Mapping[str, Any]
) -> tuple[tuple[CurveGroup, ...], CurveGroup | None]:
    """The training curves, and accuracy within token budgets."""
    series = {model.name: model.series for model in models}
    with plot_style():
        return (
            curve_groups(read_curves(folders.curves), settings.models, series),
            budget_chart(models, parameters["judge"]["max_new_tokens"]),
        )


def _seeds(settings: PageSettings) -> tuple[StoredRun, ...]:
    """The other seeds of this configuration."""
    return tuple(run for run in other_seeds() if run.ladder == settings.configuration)


def _examples(folders: Folders, settings: PageSettings, labels: Mapping[str, str]) -> ExamplesView:
    models = settings.side_by_side
    asked = asked_items(folders.benchmarks)
    changes = read_transitions(folders.judgments, asked, models)
    chosen = choose_examples(
        folders.judgments,
        folders.benchmarks,
        models,
        settings.examples,
        asked,
        changes.examples if settings.examples else (),
    )
    names = (settings.label(models[0]), settings.label(models[1]))
    return examples_view(chosen, changes, names, settings.example_characters, labels)


def _before_after(
    folders: Folders, scores: Mapping[str, ModelScores], settings: PageSettings, labels: Mapping[str, str]
) -> BeforeAfterView | None:
    """The pair that the page opens with; None where one of its models was not scored."""
    models = settings.before_after
    if any(model not in scores for model in models):
        return None
    pair = before_after_pair(folders.judgments, folders.benchmarks, models)
    names = (settings.label(models[0]), settings.label(models[1]))
    return None if pair is None else before_after_view(pair, names, settings.example_characters, labels)


def _slices(
    models: Sequence[ModelView], settings: PageSettings, parameters: Mapping[str, Any], shift: ReportedShift | None
) -> SliceChart | None:
    """The slices as the untrained model and the two of `side_by_side` judge them."""
    by_name = {model.name: model for model in models}
    wanted = dict.fromkeys((settings.before_after[0], *settings.side_by_side))
    return slice_chart([by_name[name] for name in wanted if name in by_name], covered_slices(parameters), shift)


def read_all_scores(folder: Path) -> dict[str, ModelScores]:
    """The score files of `folder` by model, in the order of their names."""
    return {file.stem: read_scores(file) for file in sorted(folder.glob("*.json"))}


def model_views(scores: Mapping[str, ModelScores], settings: PageSettings) -> tuple[ModelView, ...]:
    """The models in the order of the ladder; those that the settings do not name come last, by name."""
    order = [name for name in settings.models if name in scores]
    order += [name for name in sorted(scores) if name not in settings.models]
    positions = {name: number for number, name in enumerate(dict.fromkeys((*settings.models, *order)))}
    return tuple(ModelView(name, settings.label(name), positions[name] % len(SERIES), scores[name]) for name in order)


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
