"""The charts of the page with their captions: style against content, training curves, token budgets."""

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
from reasrm.reporting.model_scores import BenchmarkScore, ModelScores
from reasrm.reporting.plots import curve_plot
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

    name: str
    """What it is of, unique on the page."""
    title: str
    unit: str
    reading: str
    plot: Markup
    panel: Panel
    curves: tuple[Curve, ...]
    """What is drawn, for those who draw it otherwise."""


@dataclass(frozen=True)
class CurveGroup:
    """Plots that share a legend."""

    title: str
    legend: tuple[LegendEntry, ...]
    charts: tuple[CurveChart, ...]


BUDGETS = Panel(
    ("budgets",),
    "Accuracy within a token budget",
    "share",
    "The same replies, ended at so many tokens and made to decide there; the "
    "last point is what they say when they may write to the end. The shade is the 95 % interval.",
    over="tokens of reasoning",
)
"""Drawn where judges were asked within token budgets."""


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


def budget_chart(models: Sequence[ModelView], limit: int) -> CurveGroup | None:
    """Accuracy against the token budget, of every model that was judged within budgets; None where none was.

    Call inside `themed_svg.plot_style`.

    Args:
        models: in the order of the ladder.
        limit: tokens that a reply may have where no budget is asked for: the last point of each curve.
    """
    judged = [model for model in models if model.scores.token_budgets]
    curves = tuple(_budget_curve(model, limit) for model in judged)
    if not curves:
        return None
    plot = curve_plot("budgets", BUDGETS, curves, {model.name: model.series for model in judged})
    chart = CurveChart("token budgets", BUDGETS.title, BUDGETS.unit, BUDGETS.reading, plot, BUDGETS, curves)
    return CurveGroup(BUDGETS.title, tuple(_legend(model.label, model.series) for model in judged), (chart,))


def _budget_curve(model: ModelView, limit: int) -> Curve:
    figures = sorted({**model.scores.token_budgets, limit: model.scores.figure}.items())
    return Curve(
        run=model.name,
        metric=BUDGETS.metrics[0],
        steps=tuple(float(tokens) for tokens, _ in figures),
        values=tuple(figure.value for _, figure in figures),
        intervals=tuple(figure.ci95 or (figure.value, figure.value) for _, figure in figures),
    )


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
            reading = f"{panel.reading}{_rests_on(panel, found)}"
            yield CurveChart(f"training {key} {panel.title}", title, panel.unit, reading, plot, panel, found)


def _rests_on(panel: Panel, curves: Sequence[Curve]) -> str:
    """How many a share is out of, in words; nothing for what is no such share."""
    sizes = sorted({curve.n for curve in curves if curve.n is not None})
    if not sizes:
        return ""
    return f" n = {' or '.join(f'{n:,}' for n in sizes)} {panel.counted}; the shade is the 95 % interval (Wilson)."


def _legend(label: str, series: int) -> LegendEntry:
    return LegendEntry(label, series, " ".join(f"{2.5 * length:g}" for length in DASHES[series]))


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
