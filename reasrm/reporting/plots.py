"""The report's plots: the ladder of models as dots with intervals, and the training curves.

All are called inside `themed_svg.plot_style`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from reasrm.records.harmless_text import harmless, one_line
from reasrm.reporting.curves import Curve, Panel
from reasrm.reporting.themed_svg import (
    ABOVE_WITH_TEXT,
    DASHES,
    FONT,
    MARKERS,
    SERIES,
    Ink,
    cut_to_width,
    figure,
    fit_tick_labels,
    text_width,
    themed_svg,
)

WIDTH = 290.0
"""Width of a plot in points: what a phone and the page's narrowest column show without shrinking it."""

ROW = 22.0
"""Height of one model's row in points."""

LABEL_WIDTH = 130.0
"""Wider names of models are cut in plots, points."""

LABEL_CHARACTERS = 40
"""Longer names are cut before they are measured."""

VALUE_WIDTH = 50.0
"""Room for the figure beside each row, points."""

SMOOTHING = 15
"""Points of the moving mean that is drawn over a noisy curve."""

CHANCE = 0.5
"""Accuracy without knowledge."""


@dataclass(frozen=True)
class Dot:
    """One model's accuracy with its interval, as a share."""

    label: str
    series: int
    """Which model: its colour and marker."""
    value: float
    low: float
    high: float


def ladder_plot(name: str, title: str, dots: Sequence[Dot]) -> Markup:
    """Accuracies of several models, one row each, the first on top, with 95 % intervals and the line of chance."""
    labels = [cut_to_width(one_line(harmless(dot.label), LABEL_CHARACTERS), LABEL_WIDTH) for dot in dots]
    left = 10 + max(text_width(label) for label in labels)
    drawn, axes = figure(WIDTH, ROW * len(dots) + 58, left=left, right=VALUE_WIDTH, above=ABOVE_WITH_TEXT)
    axes.axvline(100 * CHANCE, color=Ink.MUTED.value, linewidth=0.9, linestyle=(0, (2, 2)))
    axes.annotate("chance", (100 * CHANCE, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 3),
                  textcoords="offset points", ha="center", color=Ink.MUTED.value, fontsize=FONT)  # fmt: skip
    for row, dot in enumerate(dots):
        color = SERIES[dot.series % len(SERIES)].value
        axes.plot([100 * dot.low, 100 * dot.high], [row, row], color=color, linewidth=2.6, solid_capstyle="butt")
        axes.plot([100 * dot.value], [row], MARKERS[dot.series % len(MARKERS)], color=color, markersize=6.5)
        axes.annotate(f"{100 * dot.value:.1f}", (1.0, row), xycoords=("axes fraction", "data"), xytext=(6, 0),
                      textcoords="offset points", va="center", fontsize=FONT)  # fmt: skip
    axes.set_yticks(range(len(dots)), labels)
    axes.tick_params(axis="y", length=0, labelcolor=Ink.TEXT.value)
    axes.set_ylim(len(dots) - 0.4, -0.6)
    axes.set_xlim(100 * max(0.0, min([CHANCE - 0.1, *(dot.low for dot in dots)]) - 0.03), 101.5)
    axes.grid(axis="x")
    axes.set_xlabel("accuracy, percent")
    said = "; ".join(f"{d.label} {100 * d.value:.1f} ({100 * d.low:.1f} to {100 * d.high:.1f})" for d in dots)
    return themed_svg(drawn, name, harmless(f"Accuracy in percent, {title}: {said}"))


def curve_plot(name: str, panel: Panel, curves: Sequence[Curve], series: Mapping[str, int]) -> Markup:
    """One metric of one or more runs over the steps; a noisy one also as a moving mean."""
    drawn, axes = figure(WIDTH, 165, left=44, right=6)
    for curve in curves:
        color = SERIES[series[curve.run] % len(SERIES)].value
        dashes = DASHES[series[curve.run] % len(DASHES)] if len(curves) > 1 else ()
        noisy = is_noisy(curve.values)
        if noisy:
            axes.plot(curve.steps, curve.values, color=color, linewidth=0.8, alpha=0.35)
        smooth = moving_mean(curve.values, SMOOTHING) if noisy else curve.values
        if curve.intervals:
            low, high = zip(*curve.intervals, strict=True)
            axes.fill_between(curve.steps, low, high, color=color, alpha=0.15, linewidth=0)
        lonely = "o" if len(smooth) == 1 else ""
        axes.plot(curve.steps, smooth, color=color, linestyle=(0, dashes) if dashes else "-", marker=lonely)
    highest = max(value for curve in curves for value in curve.values)
    if panel.warn_above is not None and highest > panel.warn_above / 2:
        axes.axhline(panel.warn_above, color=Ink.ALARM.value, linewidth=0.9, linestyle=(0, (2, 2)))
        axes.margins(y=0.2)
        axes.annotate(f"usual limit {panel.warn_above:g}", (1.0, panel.warn_above),
                      xycoords=("axes fraction", "data"), xytext=(-2, 3), textcoords="offset points", ha="right",
                      color=Ink.ALARM.value, fontsize=FONT)  # fmt: skip
    axes.grid(axis="y")
    axes.set_xlabel("step")
    axes.margins(x=0.01)
    fit_tick_labels(drawn, axes)
    return themed_svg(drawn, name, harmless(f"{panel.title}: {'; '.join(_described(curve) for curve in curves)}"))


def is_noisy(values: Sequence[float]) -> bool:
    """Whether a curve is long and goes up and down so much that its moving mean says more than its points."""
    way = sum(abs(later - earlier) for earlier, later in pairwise(values))
    return len(values) >= 2 * SMOOTHING and way > 2 * (max(values) - min(values))


def moving_mean(values: Sequence[float], window: int) -> list[float]:
    """The mean of the `window` values around each point, of fewer at both ends."""
    sums = [0.0]
    for value in values:
        sums.append(sums[-1] + value)
    half, last = window // 2, len(values)
    ends = ((max(0, at - half), min(last, at + half + 1)) for at in range(last))
    return [(sums[end] - sums[start]) / (end - start) for start, end in ends]


def _described(curve: Curve) -> str:
    first, last = curve.values[0], curve.values[-1]
    interval = " ({:.3f} to {:.3f})".format(*curve.intervals[-1]) if curve.intervals else ""
    return (
        f"{curve.run} from {first:.4g} at step {curve.steps[0]:g} to {last:.4g}{interval} at step {curve.steps[-1]:g}"
    )
