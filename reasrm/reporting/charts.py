"""The charts of the page with their captions: ladder, families, style against content, training curves."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reasrm.reporting.curves import (
    PREFERENCE_PAIRS,
    REINFORCEMENT,
    SUPERVISED,
    Curve,
    Panel,
    is_reinforcement,
    learns_from_pairs,
    panel_curves,
)
from reasrm.reporting.model_scores import BenchmarkScore, Figure, ModelScores
from reasrm.reporting.plots import Dot, curve_plot, ladder_plot
from reasrm.reporting.themed_svg import DASHES, SERIES

STYLES = ("concise", "detailed", "markdown")
"""RM-Bench's versions of an answer, in its order."""

CHANCE = 0.5
"""Accuracy without knowledge: neutral in heat maps, coloured on both sides."""


@dataclass(frozen=True)
class ModelView:
    """One model with its name for readers and its colour."""

    name: str
    label: str
    series: int
    scores: ModelScores


@dataclass(frozen=True)
class FamilyChart:
    """One family's ladder."""

    name: str
    n: int
    plot: Markup


@dataclass(frozen=True)
class HeatCell:
    """One of RM-Bench's nine cells."""

    value: float
    level: str
    """`easy`, `normal` or `hard`."""


@dataclass(frozen=True)
class HeatMap:
    """RM-Bench's nine cells of one model, over all domains."""

    label: str
    series: int
    rows: tuple[tuple[HeatCell, ...], ...]
    hard: float
    normal: float
    easy: float
    styles: tuple[str, ...] = STYLES


@dataclass(frozen=True)
class LegendEntry:
    """One line of a legend."""

    label: str
    series: int
    dashes: str


@dataclass(frozen=True)
class CurveChart:
    """One small plot with how to read it."""

    title: str
    unit: str
    reading: str
    plot: Markup


@dataclass(frozen=True)
class CurveGroup:
    """Plots that share a legend."""

    title: str
    legend: tuple[LegendEntry, ...]
    charts: tuple[CurveChart, ...]


@dataclass(frozen=True)
class Charts:
    """All drawn charts."""

    ladder: Markup
    families: tuple[FamilyChart, ...]
    curve_groups: tuple[CurveGroup, ...]


def draw(models: Sequence[ModelView], curves: tuple[Curve, ...], labels: Mapping[str, str]) -> Charts:
    """Draw all charts; call inside `themed_svg.plot_style`.

    Args:
        models: in the order of the ladder.
        curves: of all training runs.
        labels: names of models and runs for readers.
    """
    return Charts(
        ladder=ladder_plot("ladder", "all questions", [_dot(model, model.scores.figure) for model in models]),
        families=family_charts(models),
        curve_groups=curve_groups(curves, labels, {model.name: model.series for model in models}),
    )


def family_charts(models: Sequence[ModelView]) -> tuple[FamilyChart, ...]:
    """One ladder per family, over the models that have it."""
    names = sorted({name for model in models for name in model.scores.families})
    return tuple(_family(name, models) for name in names)


def heat_maps(models: Sequence[ModelView]) -> tuple[HeatMap, ...]:
    """RM-Bench's cells of every model that was judged on it."""
    found = ((model, model.scores.benchmarks.get("rm_bench")) for model in models)
    return tuple(_heat_map(model, score) for model, score in found if score is not None and "all" in score.matrix)


def curve_groups(
    curves: tuple[Curve, ...], labels: Mapping[str, str], series: Mapping[str, int]
) -> tuple[CurveGroup, ...]:
    """Reinforcement runs overlaid metric by metric; every other run in plots of its own."""
    runs = sorted({curve.run for curve in curves}, key=lambda run: (series.get(run, len(series)), run))
    colors = {run: series.get(run, 0) % len(SERIES) for run in runs}
    rewarded = tuple(run for run in runs if is_reinforcement(curves, run))
    rest = [run for run in runs if run not in rewarded]
    overlaid = tuple(_charts("grpo", "", REINFORCEMENT, curves, rewarded, colors))
    single: list[CurveChart] = []
    for run in rest:
        panels = PREFERENCE_PAIRS if learns_from_pairs(curves, run) else SUPERVISED
        single += _charts(run, f"{labels.get(run, run)}: ", panels, curves, (run,), colors)
    legend = tuple(_legend(labels.get(run, run), colors[run]) for run in rewarded)
    groups = (
        CurveGroup("Reinforcement (GRPO)", legend, overlaid),
        CurveGroup("Supervised: text and pairs", (), tuple(single)),
    )
    return tuple(group for group in groups if group.charts)


def _charts(
    key: str,
    prefix: str,
    panels: tuple[Panel, ...],
    curves: tuple[Curve, ...],
    runs: tuple[str, ...],
    colors: dict[str, int],
) -> Iterator[CurveChart]:
    for panel in panels:
        found = panel_curves(curves, panel, runs)
        if found:
            title = prefix + (panel.title.lower() if prefix else panel.title)
            plot = curve_plot(f"{key} {panel.title}", panel, found, colors)
            yield CurveChart(title, panel.unit, f"{panel.reading}{_rests_on(panel, found)}", plot)


def _rests_on(panel: Panel, curves: Sequence[Curve]) -> str:
    """How many a share is out of, in words; nothing for what is no such share."""
    sizes = sorted({curve.n for curve in curves if curve.n is not None})
    if not sizes:
        return ""
    return f" n = {' or '.join(f'{n:,}' for n in sizes)} {panel.counted}; the shade is the 95 % interval (Wilson)."


def _legend(label: str, series: int) -> LegendEntry:
    return LegendEntry(label, series, " ".join(f"{2.5 * length:g}" for length in DASHES[series]))


def _dot(model: ModelView, figure: Figure) -> Dot:
    low, high = figure.ci95 or (figure.value, figure.value)
    return Dot(model.label, model.series, figure.value, low, high)


def _family(name: str, models: Sequence[ModelView]) -> FamilyChart:
    found = [(model, model.scores.families[name]) for model in models if name in model.scores.families]
    plot = ladder_plot(f"family {name}", f"family {name}", [_dot(model, figure) for model, figure in found])
    return FamilyChart(name, max(figure.n for _, figure in found), plot)


def _heat_map(model: ModelView, score: BenchmarkScore) -> HeatMap:
    cells = score.matrix["all"]
    size = range(len(STYLES))
    rows = tuple(tuple(_heat_cell(cells[f"{i}{j}"].value, i, j) for j in size) for i in size)
    hard, normal, easy = (score.difficulties[level].value for level in ("hard", "normal", "easy"))
    return HeatMap(model.label, model.series, rows, hard, normal, easy)


def _heat_cell(value: float, chosen: int, rejected: int) -> HeatCell:
    return HeatCell(value, "normal" if chosen == rejected else ("hard" if chosen < rejected else "easy"))


def diverging(accuracy: float) -> str:
    """The CSS variables that colour a cell: hue by the side of chance, strength by the distance from it."""
    hue = "above" if accuracy >= CHANCE else "below"
    return f"--hue: var(--{hue}); --strength: {100 * min(1.0, abs(accuracy - CHANCE) / CHANCE):.0f}%"
