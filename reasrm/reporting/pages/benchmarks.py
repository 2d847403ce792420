"""The page of the benchmarks: scores, what is set by hand, families, slices, changed verdicts, published figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reasrm.records.unasked_prompts import unasked_warnings
from reasrm.reporting.benchmark_figures.families import FamilyRow, family_rows
from reasrm.reporting.benchmark_figures.headline import (
    DifferenceRow,
    benchmark_note,
    difference_rows,
    opposite_ranks,
    style_gains,
)
from reasrm.reporting.benchmark_figures.set_by_hand import SetByHand, covered_slices, read_set_by_hand
from reasrm.reporting.benchmark_figures.slice_chart import SliceChart, slice_chart
from reasrm.reporting.charts import CurveGroup, HeatMap, ModelView, budget_chart, heat_maps
from reasrm.reporting.model_scores import ModelScores
from reasrm.reporting.paper_reference import PaperTables, paper_tables
from reasrm.reporting.replies.example_view import ExamplesView, examples_view
from reasrm.reporting.replies.examples import asked_items, benchmark_items, choose_examples
from reasrm.reporting.replies.reply_statistics import ReplyStatistics, count_replies, sampled_judgments
from reasrm.reporting.replies.transitions import read_transitions
from reasrm.reporting.run_settings import settings_hash
from reasrm.reporting.source import ReportSource
from reasrm.reporting.stored_runs import OtherLadder, StoredRun, other_ladders, other_seeds
from reasrm.reporting.themed_svg import plot_style

SECTIONS = (
    ("scores", "Scores"),
    ("by-hand", "What is set by hand"),
    ("families", "Families of questions"),
    ("slices", "Slices and the shift"),
    ("transitions", "Changed verdicts"),
    ("budgets", "Token budgets"),
    ("styles", "Style against content"),
    ("paper", "Published and stored figures"),
    ("reliability", "Reliability"),
    ("examples", "Examples"),
)
"""Anchors and names."""


@dataclass(frozen=True)
class BenchmarksPage:
    """What the page shows."""

    benchmark_sections: Mapping[str, tuple[str, ...]]
    benchmark_notes: Mapping[str, str]
    opposite_ranks: tuple[str, ...]
    set_by_hand: SetByHand
    differences: tuple[DifferenceRow, ...]
    families: tuple[FamilyRow, ...]
    slices: SliceChart | None
    heat_maps: tuple[HeatMap, ...]
    style_gains: tuple[str, ...]
    """What RM-Bench's cells gain by training as a whole, and from the earlier to the later model, as sentences."""
    paper: PaperTables
    other_ladders: tuple[OtherLadder, ...]
    """Variations of the miniature; empty where base model or pairs come from elsewhere."""
    other_seeds: tuple[StoredRun, ...]
    """Of this configuration and its settings."""
    has_seeds_of_other_settings: bool
    """Whether there are other seeds of a configuration of this name that had other settings."""
    unasked: tuple[str, ...]
    """Of models many of whose prompts were not asked, that it is so."""
    reply_statistics: tuple[tuple[ModelView, ReplyStatistics], ...]
    token_budgets: CurveGroup | None
    examples: ExamplesView

    @property
    def sections(self) -> tuple[tuple[str, str], ...]:
        """Anchors and names of the sections that this page has."""
        absent = {
            "by-hand": not self.set_by_hand,
            "families": not self.families,
            "slices": self.slices is None,
            "transitions": not self.examples.transitions,
            "budgets": self.token_budgets is None,
            "styles": not self.heat_maps,
        }
        return tuple((anchor, name) for anchor, name in SECTIONS if not absent.get(anchor))


def benchmarks_page(source: ReportSource) -> BenchmarksPage:
    """Gather it."""
    scores, settings, models = source.scores, source.settings, source.models
    by_hand = read_set_by_hand(source.parameters, source.funnel)
    with plot_style():
        budgets = budget_chart(models, source.parameters["judge"]["max_new_tokens"])
    return BenchmarksPage(
        benchmark_sections={name: _sections(name, scores) for name in source.benchmark_names},
        benchmark_notes={name: benchmark_note(name, scores) for name in source.benchmark_names},
        opposite_ranks=opposite_ranks(scores, settings),
        set_by_hand=by_hand,
        differences=difference_rows(scores, settings),
        families=family_rows(models, source.folders.benchmarks, settings),
        slices=_slices(source),
        heat_maps=heat_maps(models),
        style_gains=style_gains(scores, settings),
        paper=paper_tables(),
        other_ladders=other_ladders() if by_hand.is_miniature else (),
        other_seeds=(seeds := seeds_of(settings.configuration, source.parameters)),
        has_seeds_of_other_settings=not seeds and any(run.ladder == settings.configuration for run in other_seeds()),
        unasked=unasked_warnings(source.folders.judgments, [model.name for model in models]),
        reply_statistics=_reply_statistics(source),
        token_budgets=budgets,
        examples=_examples(source),
    )


def seeds_of(configuration: str, parameters: Mapping[str, Any]) -> tuple[StoredRun, ...]:
    """The other training seeds that are stored for a configuration, if its settings are those of `parameters`."""
    settings = settings_hash(parameters)
    return tuple(run for run in other_seeds() if run.ladder == configuration and run.settings == settings)


def _examples(source: ReportSource) -> ExamplesView:
    folders, settings = source.folders, source.settings
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
    return examples_view(chosen, changes, names, settings.example_characters, source.benchmark_labels)


def _slices(source: ReportSource) -> SliceChart | None:
    """The slices as the untrained model and the two of `side_by_side` judge them."""
    by_name = {model.name: model for model in source.models}
    wanted = dict.fromkeys((source.settings.before_after[0], *source.settings.side_by_side))
    shown = [by_name[name] for name in wanted if name in by_name]
    return slice_chart(shown, covered_slices(source.parameters), source.shift)


def _sections(name: str, scores: Mapping[str, ModelScores]) -> tuple[str, ...]:
    """The sections of a benchmark in the order in which the score files list them."""
    found: dict[str, None] = {}
    for one in scores.values():
        if name in one.benchmarks:
            found |= dict.fromkeys(one.benchmarks[name].sections)
    return tuple(found)


def _reply_statistics(source: ReportSource) -> tuple[tuple[ModelView, ReplyStatistics], ...]:
    sample = source.settings.reply_sample
    samples = {model.name: sampled_judgments(source.folders.judgments / model.name, sample) for model in source.models}
    wanted = {(judgment.benchmark, judgment.item_id) for judgments in samples.values() for judgment in judgments}
    items = {
        (item.benchmark, item.item_id): item
        for item in benchmark_items(source.folders.benchmarks, source.benchmark_names)
        if (item.benchmark, item.item_id) in wanted
    }
    counted: Sequence[tuple[ModelView, ReplyStatistics]] = [
        (model, count_replies(samples[model.name], items)) for model in source.models
    ]
    return tuple((model, statistics) for model, statistics in counted if statistics.replies)
