"""The charts of scores as figures: the ladder, the slices, RM-Bench's cells."""

from collections.abc import Iterator, Sequence
from textwrap import fill
from typing import TYPE_CHECKING

from reasrm.reporting.benchmark_figures.ladder import Ladder
from reasrm.reporting.benchmark_figures.slice_chart import SliceChart
from reasrm.reporting.charts import CHANCE, HeatMap, ModelView
from reasrm.reporting.display_text import percent
from reasrm.reporting.dot_chart import ChartDot
from reasrm.reporting.plot_files.paper_style import (
    ABOVE,
    BELOW,
    COLORS,
    GRID,
    MUTED,
    WIDE,
    PlotFile,
    figure,
    series_style,
    shown,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INTERVAL = "Bars: 95 % intervals (bootstrap over questions)."
ROW = 0.26
"""Height of a row of dots, inches."""
TITLE = 19
"""Characters in a line above a model's cells."""
SPREAD = 0.18
"""Between the dots of two models on one row, in rows."""


def ladder_plot(ladder: Ladder) -> PlotFile:
    """Accuracy of every model with its interval, and beside it the other training seeds."""
    drawn, axes = figure(WIDE, 0.7 + ROW * len(ladder.rows))
    for place, row in enumerate(ladder.rows):
        for _, accuracy in row.seeds:
            axes.plot([accuracy], [place], "|", color=MUTED, markersize=7, markeredgewidth=1)
        draw_dot(axes, row.dot, place)
        axes.annotate(percent(row.dot.value), (1.01, place), xycoords=("axes fraction", "data"), va="center",
                      fontsize=7)  # fmt: skip
    name_rows(axes, [shown(row.model.label) for row in ladder.rows])
    scale_of_accuracy(axes)
    seeds = f" Strokes: training seeds {', '.join(map(str, ladder.seeds))}." if ladder.seeds else ""
    caption = f"Accuracy of each model over all benchmarks, percent on the right. {INTERVAL}{seeds} Dotted: chance."
    return PlotFile("accuracy_by_model", caption, drawn)


def slice_plot(slices: SliceChart) -> PlotFile:
    """Accuracy of the chart's models on each slice, the parts below one another."""
    rows = [(group.title, row) for group in slices.groups for row in group.rows]
    drawn, axes = figure(WIDE, 1.0 + ROW * (len(rows) + len(slices.groups)))
    names, places, place = [], [], 0.0
    for group in slices.groups:
        if group.title:
            axes.annotate(group.title, (0.0, place), xycoords=("axes fraction", "data"), va="center", color=MUTED,
                          xytext=(3, 0), textcoords="offset points")  # fmt: skip
            place += 1
        for row in group.rows:
            for at, dot in enumerate(row.dots):
                draw_dot(axes, dot, place + SPREAD * (at - (len(row.dots) - 1) / 2))
            names.append(shown(row.name))
            places.append(place)
            place += 1
    name_rows(axes, names, places)
    scale_of_accuracy(axes)
    legend_of_models(axes, slices.models)
    return PlotFile("accuracy_by_slice", f"Accuracy on each slice of the questions. {INTERVAL}", drawn)


def heat_map_plot(maps: Sequence[HeatMap]) -> PlotFile:
    """RM-Bench's nine cells of every model, in one figure of four columns."""
    from matplotlib.figure import Figure

    columns = min(4, len(maps))
    rows = -(-len(maps) // columns)
    drawn = Figure(figsize=(WIDE * columns / 4 + 0.5, 1.8 * rows + 0.2), layout="constrained")
    grid = drawn.subplots(rows, columns, squeeze=False)
    for at, axes in enumerate(grid.flat):
        if at >= len(maps):
            axes.set_axis_off()
            continue
        _heat_map(axes, maps[at], named_rows=at % columns == 0)
    drawn.supxlabel("style of the worse answer", fontsize=8)
    drawn.supylabel("style of the better answer", fontsize=8)
    caption = "Accuracy in RM-Bench's nine cells, percent. Rows: style of the better answer; columns: of the worse one."
    return PlotFile("rm_bench_cells", caption, drawn)


def draw_dot(axes: "Axes", dot: ChartDot, place: float) -> None:
    """One figure with its interval on the row `place`."""
    style = series_style(dot.series)
    axes.plot([dot.low, dot.high], [place, place], color=style.color, linewidth=1.1)
    axes.plot([dot.value], [place], style.marker, color=style.color, markeredgecolor="white", markeredgewidth=0.5)


def name_rows(axes: "Axes", names: Sequence[str], places: Sequence[float] = ()) -> None:
    """The rows from top to bottom, with their names on the left."""
    at = list(places or map(float, range(len(names))))
    axes.set_yticks(at, list(names))
    axes.set_ylim(at[-1] + 0.6, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")


def scale_of_accuracy(axes: "Axes") -> None:
    """Name the axis, with a line at chance."""
    axes.axvline(CHANCE, color=MUTED, linewidth=0.8, linestyle=(0, (1, 1.5)))
    axes.set_xlabel("accuracy")


def legend_of_models(axes: "Axes", models: Sequence[ModelView], columns: int = 3) -> None:
    """Which colour and shape is which model, below the plot."""
    axes.figure.legend(
        handles=list(_keys(models)), loc="outside lower center", ncols=min(columns, len(models)), columnspacing=1.2
    )


def _keys(models: Sequence[ModelView]) -> Iterator["object"]:
    from matplotlib.lines import Line2D

    for model in models:
        style = series_style(model.series)
        yield Line2D([], [], color=style.color, marker=style.marker, markeredgecolor="white", markeredgewidth=0.5,
                     linewidth=1.1, label=shown(model.label))  # fmt: skip


def _heat_map(axes: "Axes", cells: HeatMap, *, named_rows: bool) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    colors = LinearSegmentedColormap.from_list("around chance", [BELOW, "#ffffff", ABOVE])
    values = [[cell.value for cell in row] for row in cells.rows]
    axes.pcolormesh(values, cmap=colors, vmin=0, vmax=1, edgecolors=GRID, linewidth=0.5)
    axes.set_ylim(len(values), 0)
    for y, row in enumerate(values):
        for x, value in enumerate(row):
            axes.annotate(percent(value), (x + 0.5, y + 0.5), ha="center", va="center", fontsize=7)
    axes.set_title(fill(shown(cells.label), TITLE), color=COLORS[cells.series % len(COLORS)], fontsize=7, weight="bold")
    places = [at + 0.5 for at in range(len(cells.styles))]
    axes.set_xticks(places, list(cells.styles), rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(places, list(cells.styles) if named_rows else [""] * len(cells.styles))
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
