"""Everything that the page shows, gathered from the pipeline's outputs before a line of HTML is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field

from stages.reporting import charts
from stages.reporting.charts import CurveGroup, FamilyChart, HeatMap, ModelView
from stages.reporting.completeness import CompletenessRow, read_completeness
from stages.reporting.curves import read_curves
from stages.reporting.data_funnel import Funnel, read_funnel
from stages.reporting.example_view import ExampleView, contrast_label, example_view
from stages.reporting.examples import benchmark_items, choose_examples
from stages.reporting.measured_runs import MeasuredRun, other_seeds, second_ladder
from stages.reporting.model_scores import Difference, ModelScores, read_scores
from stages.reporting.paper_reference import PaperTables, paper_tables
from stages.reporting.reply_habits import ReplyHabits, count_habits, sampled_judgments
from stages.reporting.themed_svg import SERIES, plot_style

BENCHMARK_LABELS = {
    "reward_bench": "RewardBench",
    "rm_bench": "RM-Bench",
    "rmb": "RMB",
    "judge_bench": "JudgeBench",
    "reward_bench_2": "RewardBench 2",
}
"""The benchmarks' own spelling, in the paper's order."""


class Step(BaseModel):
    """One command of the section that says how to do it again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    does: str
    command: str


class Wording(BaseModel):
    """What the report is told about the run: names, words and sizes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    configuration: str
    """Name of the configuration, as a profile calls itself."""
    notes: tuple[str, ...]
    """What was run, one paragraph each; planted habits and known limits belong here."""
    models: dict[str, str]
    """Names as in `data/scores/` to names for readers, in the order of the ladder."""
    lead: str
    """The model that the pipeline is about."""
    side_by_side: tuple[str, str]
    """The two models whose replies are shown beside each other, the earlier stage first."""
    differences: tuple[tuple[str, str], ...]
    """Pairs of models whose difference (first minus second) is shown."""
    examples: int = Field(ge=0)
    """How many items are shown at most."""
    example_characters: int = Field(ge=200)
    """Longer texts are cut in the middle."""
    habit_sample: int = Field(ge=0)
    """From how many replies per model quotations and rubrics are counted at most."""
    reproduce: tuple[Step, ...]

    def label(self, model: str) -> str:
        """The model's name for readers."""
        return self.models.get(model, model)


class Folders(NamedTuple):
    """Where the report reads."""

    scores: Path
    curves: Path
    judgments: Path
    traces: Path
    pairs: Path
    benchmarks: Path


class Card(NamedTuple):
    """One figure at the top of the page."""

    label: str
    figure: str
    unit: str
    detail: str


class DifferenceView(NamedTuple):
    """A paired difference in words."""

    label: str
    value: float
    ci95: tuple[float, float]
    better: int
    worse: int
    p: str


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
    identities: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]

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
    differences = _differences(models, scores, wording)
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
        cards=_cards(scores, wording, differences, funnel),
        benchmark_names=names,
        benchmark_labels={name: BENCHMARK_LABELS.get(name, name) for name in names},
        benchmark_sections={name: _sections(name, scores) for name in names},
        benchmark_notes={name: _notes(name, scores) for name in names},
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
        identities=(),
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


def _differences(
    models: Sequence[ModelView], scores: Mapping[str, ModelScores], wording: Wording
) -> tuple[DifferenceView, ...]:
    views = []
    for first, second in wording.differences:
        one = scores[first].differences.get(second) if first in scores else None
        if one is not None:
            label = f"{wording.label(first)} − {wording.label(second)}"  # noqa: RUF001  a real minus sign
            views.append(DifferenceView(label, one.value, one.ci95, one.better, one.worse, _p(one.p)))
    return tuple(views)


def _p(value: float) -> str:
    return "< .001" if value < 0.001 else f"{value:.3f}"


def _notes(name: str, scores: Mapping[str, ModelScores]) -> str:
    """What must be known about a benchmark's score: the worth of unreadable verdicts, sections that are not there."""
    found = [one.benchmarks[name] for one in scores.values() if name in one.benchmarks]
    notes = sorted({score.unreadable_rule for score in found})
    missing = sorted({section for score in found for section in score.sections_missing})
    if missing:
        notes.append(f"not the whole benchmark, no rows of: {', '.join(missing)}")
    return "; ".join(notes)


def _cards(
    scores: Mapping[str, ModelScores], wording: Wording, differences: Sequence[DifferenceView], funnel: Funnel
) -> tuple[Card, ...]:
    if wording.lead not in scores:
        return ()
    lead, before = scores[wording.lead], scores.get(wording.side_by_side[0])
    low, high = lead.ci95
    accuracy = f"95 % interval {_percent(low)} to {_percent(high)}, n {lead.n:,}"
    cards = [Card(f"{wording.label(wording.lead)}: accuracy", _percent(lead.accuracy), "%", accuracy)]
    if differences:
        first = differences[0]
        interval = f"same items; 95 % interval {100 * first.ci95[0]:+.1f} to {100 * first.ci95[1]:+.1f}"
        cards.append(Card(first.label, f"{100 * first.value:+.1f}", "points", interval))
    if lead.flip_rate is not None:
        earlier = None if before is None or before.flip_rate is None else _percent(before.flip_rate)
        detail = "" if earlier is None else f"{wording.label(wording.side_by_side[0])}: {earlier} %"
        cards.append(Card("verdicts that flip when A and B are swapped", _percent(lead.flip_rate), "%", detail))
    kept, asked = funnel.kept.total(), funnel.pairs["distill"]
    cards.append(Card("oracle traces learnt from", f"{kept:,}", "", f"of {asked:,} pairs that were asked about"))
    return tuple(cards)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


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
