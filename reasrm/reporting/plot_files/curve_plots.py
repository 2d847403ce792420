"""The curves as figures: over the steps of a training, and over token budgets."""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING

from reasrm.reporting.charts import CurveChart, CurveGroup
from reasrm.reporting.curves import Curve
from reasrm.reporting.plot_files.paper_style import ALARM, COLUMN, PlotFile, SeriesStyle, figure, series_style, shown
from reasrm.reporting.plots import SMOOTHING, is_noisy, moving_mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEIGHT = 2.1
KEY = 0.16
"""Height of a legend's line, inches."""
AXIS_NAME = 28
"""Characters in a line of the name of an axis."""
WITH_MEAN = f"Pale: as logged; strong: moving mean over {SMOOTHING} points."
SHADE = "Shade: 95 % interval."


def curve_plots(
    groups: Sequence[CurveGroup], labels: Mapping[str, str], series: Mapping[str, int]
) -> Iterator[PlotFile]:
    """Every chart of `groups` as a figure.

    Args:
        groups: the page's curves.
        labels: names of runs for readers.
        series: places of the runs in the ladder; others take the first.
    """
    for group in groups:
        for chart in group.charts:
            yield curve_plot(chart, labels, series)


def curve_plot(chart: CurveChart, labels: Mapping[str, str], series: Mapping[str, int]) -> PlotFile:
    """One metric of one or more runs, with a legend where there are several."""
    several = len(chart.curves) > 1
    lines = -(-len(chart.curves) // 2) if several else 0
    drawn, axes = figure(COLUMN, HEIGHT + KEY * lines)
    for curve in chart.curves:
        style = series_style(series.get(curve.run, 0))
        _draw(axes, curve, style if several else style._replace(dashes="-"), shown(labels.get(curve.run, curve.run)))
    _warn(axes, chart)
    axes.grid(axis="y")
    axes.margins(x=0.02)
    axes.locator_params(axis="x", integer=True)
    axes.set_xlabel(chart.panel.over)
    unit = f" ({chart.panel.unit})" if chart.panel.unit else ""
    axes.set_ylabel(fill(f"{chart.panel.title}{unit}", AXIS_NAME))
    if several:
        drawn.legend(loc="outside lower center", ncols=2, columnspacing=1.2)
    else:
        axes.set_title(shown(labels.get(chart.curves[0].run, chart.curves[0].run)))
    return PlotFile(chart.name, _caption(chart, labels), drawn)


def _draw(axes: "Axes", curve: Curve, style: SeriesStyle, label: str) -> None:
    noisy = is_noisy(curve.values)
    if noisy:
        axes.plot(curve.steps, curve.values, color=style.color, linewidth=0.6, alpha=0.3)
    if curve.intervals:
        low, high = zip(*curve.intervals, strict=True)
        axes.fill_between(curve.steps, low, high, color=style.color, alpha=0.12, linewidth=0)
    values = moving_mean(curve.values, SMOOTHING) if noisy else curve.values
    marker = style.marker if len(values) <= SMOOTHING else ""
    axes.plot(curve.steps, values, color=style.color, linestyle=style.dashes, marker=marker, markersize=3, label=label)


def _warn(axes: "Axes", chart: CurveChart) -> None:
    limit = chart.panel.warn_above
    if limit is not None and max(value for curve in chart.curves for value in curve.values) > limit / 2:
        axes.axhline(limit, color=ALARM, linewidth=0.7, linestyle=(0, (2, 2)))
        axes.annotate(f"usual limit {limit:g}", (1, limit), xycoords=("axes fraction", "data"), ha="right",
                      xytext=(-2, 2), textcoords="offset points", color=ALARM, fontsize=7)  # fmt: skip


def _caption(chart: CurveChart, labels: Mapping[str, str]) -> str:
    runs = ", ".join(shown(labels.get(curve.run, curve.run)) for curve in chart.curves)
    said = [f"{chart.panel.title} by {chart.panel.over}: {runs}."]
    said += [WITH_MEAN] if any(is_noisy(curve.values) for curve in chart.curves) else []
    said += [SHADE] if any(curve.intervals for curve in chart.curves) else []
    return " ".join(said)
