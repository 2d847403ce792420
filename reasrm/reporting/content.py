"""Everything that the page shows, gathered from the pipeline's outputs before a line of HTML is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from reasrm.reporting import charts
from reasrm.reporting.charts import CurveGroup, FamilyChart, HeatMap, ModelView
from reasrm.reporting.completeness import CompletenessRow, read_completeness
from reasrm.reporting.curves import read_curves
from reasrm.reporting.data_funnel import Funnel, read_funnel
from reasrm.reporting.example_view import ExampleView, contrast_label, example_view
from reasrm.reporting.examples import benchmark_items, choose_examples
from reasrm.reporting.headline import (
    Card,
    DifferenceView,
    benchmark_note,
    differences_in_words,
    headline_cards,
)
from reasrm.reporting.identities import Identity, read_identities
from reasrm.reporting.measured_runs import MeasuredRun, other_seeds, second_ladder
from reasrm.reporting.model_scores import Difference, ModelScores, read_scores
from reasrm.reporting.paper_reference import PaperTables, paper_tables
from reasrm.reporting.reply_habits import ReplyHabits, count_habits, sampled_judgments
from reasrm.reporting.themed_svg import SERIES, plot_style
from reasrm.reporting.wording import Step, Wording

BENCHMARK_LABELS = {
    "reward_bench": "RewardBench",
    "rm_bench": "RM-Bench",
    "rmb": "RMB",
    "judge_bench": "JudgeBench",
    "reward_bench_2": "RewardBench 2",
}
"""The benchmarks' own spelling, in the paper's order."""


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

    title: str
    configuration: str
    notes: tuple[str, ...]
    reproduce: tuple[Step, ...]
    lead: str
    labels: Mapping[str, str]
    models: tuple[ModelView, ...]
    cards: tuple[Card, ...]
    benchmark_names: tuple[str, ...]
    benchmark_labels: Mapping[str, str]
    benchmark_sections: Mapping[str, tuple[str, ...]]
    benchmark_notes: Mapping[str, str]
    has_average: bool
    ladder: Markup
    differences: tuple[DifferenceView, ...]
    families: tuple[FamilyChart, ...]
    heat_maps: tuple[HeatMap, ...]
    paper: PaperTables
    second_ladder: tuple[MeasuredRun, ...]
    other_seeds: tuple[MeasuredRun, ...]
    reply_habits: tuple[tuple[ModelView, ReplyHabits], ...]
    habit_sample: int
    completeness: tuple[CompletenessRow, ...]
    curve_groups: tuple[CurveGroup, ...]
    funnel: Funnel
    side_by_side: tuple[str, str]
    examples: tuple[ExampleView, ...]
    example_counts: tuple[tuple[str, int], ...]
    identities: tuple[Identity, ...]

    def difference(self, first: str, second: str) -> Difference | None:
        """The paired difference of two models, first minus second."""
        found = next((model for model in self.models if model.name == first), None)
        return found.scores.differences.get(second) if found else None


def gather(folders: Folders, scores: Mapping[str, ModelScores], wording: Wording) -> Content:
    """Read everything that the page shows.

    Args:
        folders: the pipeline's outputs.
        scores: the score files by model (`read_all_scores`).
        wording: names, words and sizes.
    """
    models = model_views(scores, wording)
    names = _benchmark_names(scores)
    funnel = read_funnel(folders.pairs, folders.traces)
    differences = differences_in_words(scores, wording)
    labels = (wording.label(wording.side_by_side[0]), wording.label(wording.side_by_side[1]))
    chosen = choose_examples(folders.judgments, folders.benchmarks, wording.side_by_side, wording.examples)
    with plot_style():
        drawn = charts.draw(models, read_curves(folders.curves), wording.models)
    return Content(
        title=wording.title,
        configuration=wording.configuration,
        notes=wording.notes,
        reproduce=wording.reproduce,
        lead=wording.lead,
        labels=wording.models,
        models=models,
        cards=headline_cards(scores, wording, differences, funnel),
        benchmark_names=names,
        benchmark_labels={name: BENCHMARK_LABELS.get(name, name) for name in names},
        benchmark_sections={name: _sections(name, scores) for name in names},
        benchmark_notes={name: benchmark_note(name, scores) for name in names},
        has_average=any(model.scores.average is not None for model in models),
        ladder=drawn.ladder,
        differences=differences,
        families=drawn.families,
        heat_maps=charts.heat_maps(models),
        paper=paper_tables(),
        second_ladder=second_ladder(),
        other_seeds=other_seeds(),
        reply_habits=_reply_habits(models, folders, names, wording.habit_sample),
        habit_sample=wording.habit_sample,
        completeness=read_completeness(folders.benchmarks, BENCHMARK_LABELS),
        curve_groups=drawn.curve_groups,
        funnel=funnel,
        side_by_side=labels,
        examples=tuple(example_view(example, labels, wording.example_characters) for example in chosen.shown),
        example_counts=tuple((contrast_label(kind, labels), count) for kind, count in chosen.counts.items()),
        identities=read_identities(folders.judgments, {model.name: model.label for model in models}),
    )


def read_all_scores(folder: Path) -> dict[str, ModelScores]:
    """The score files of `folder` by model, in the order of their names."""
    return {file.stem: read_scores(file) for file in sorted(folder.glob("*.json"))}


def model_views(scores: Mapping[str, ModelScores], wording: Wording) -> tuple[ModelView, ...]:
    """The models in the order of the ladder; those that the wording does not name come last, by name."""
    order = [name for name in wording.models if name in scores]
    order += [name for name in sorted(scores) if name not in wording.models]
    positions = {name: number for number, name in enumerate(wording.models)}
    return tuple(
        ModelView(name, wording.label(name), positions.get(name, len(positions) + number) % len(SERIES), scores[name])
        for number, name in enumerate(order)
    )


def _benchmark_names(scores: Mapping[str, ModelScores]) -> tuple[str, ...]:
    found = {name for one in scores.values() for name in one.benchmarks}
    known = [name for name in BENCHMARK_LABELS if name in found]
    return (*known, *sorted(found - set(known)))


def _sections(name: str, scores: Mapping[str, ModelScores]) -> tuple[str, ...]:
    """The sections of a benchmark in the order in which the score files list them."""
    found: dict[str, None] = {}
    for one in scores.values():
        if name in one.benchmarks:
            found |= dict.fromkeys(one.benchmarks[name].sections)
    return tuple(found)


def _reply_habits(
    models: Sequence[ModelView], folders: Folders, benchmarks: Sequence[str], sample: int
) -> tuple[tuple[ModelView, ReplyHabits], ...]:
    samples = {model.name: sampled_judgments(folders.judgments / model.name, sample) for model in models}
    wanted = {(judgment.benchmark, judgment.item_id) for judgments in samples.values() for judgment in judgments}
    items = {
        (item.benchmark, item.item_id): item
        for item in benchmark_items(folders.benchmarks, benchmarks)
        if (item.benchmark, item.item_id) in wanted
    }
    counted = ((model, count_habits(samples[model.name], items)) for model in models)
    return tuple((model, habits) for model, habits in counted if habits.quotes or habits.rubrics)
