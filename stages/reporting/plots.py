"""The report's plots: the ladder of models as dots with intervals, and the training curves."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from stages.reporting.curves import Curve, Panel
from stages.reporting.themed_svg import LINES, MARKERS, SERIES, Ink, figure, themed_svg
from stages.reporting.visible_text import visible

WIDTH = 350.0
"""Width of a plot in points: about what a phone shows without shrinking it."""

ROW = 21.0
"""Height of one model's row in points."""

SMOOTHING = 15
"""Steps of the moving mean that is drawn over a noisy curve."""

CHANCE = 0.5


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
    with figure(WIDTH, ROW * len(dots) + 42) as drawn:
        axes = drawn.add_subplot()
        axes.axvline(CHANCE, color=Ink.MUTED.value, linewidth=0.9, linestyle=(0, (2, 2)))
        for row, dot in enumerate(dots):
            color = SERIES[dot.series % len(SERIES)].value
            axes.plot([dot.low, dot.high], [row, row], color=color, linewidth=2.6, solid_capstyle="butt")
            axes.plot([dot.value], [row], MARKERS[dot.series % len(MARKERS)], color=color, markersize=6.5)
            axes.annotate(f"{dot.value:.3f}", (1.0, row), xycoords=("axes fraction", "data"), xytext=(6, 0),
                          textcoords="offset points", va="center", fontsize=8.5)  # fmt: skip
        axes.set_yticks(range(len(dots)), [visible(dot.label) for dot in dots])
        axes.tick_params(axis="y", length=0, labelcolor=Ink.TEXT.value)
        axes.set_ylim(len(dots) - 0.4, -0.6)
        low = min([CHANCE - 0.1, *(dot.low for dot in dots)])
        axes.set_xlim(max(0.0, low - 0.03), 1.015)
        axes.grid(axis="x")
        axes.set_xlabel("accuracy; the dashed line is chance")
        said = "; ".join(f"{dot.label} {dot.value:.3f} ({dot.low:.3f} to {dot.high:.3f})" for dot in dots)
        return themed_svg(drawn, name, visible(f"Accuracy, {title}: {said}"))


def curve_plot(name: str, panel: Panel, curves: Sequence[Curve], series: dict[str, int]) -> Markup:
    """One metric of one or more runs over the steps; a noisy one also as a moving mean."""
    with figure(WIDTH, 165) as drawn:
        axes = drawn.add_subplot()
        for curve in curves:
            number = series[curve.run]
            color, style = SERIES[number % len(SERIES)].value, LINES[number % len(LINES)]
            noisy = len(curve.values) >= 2 * SMOOTHING
            if noisy:
                axes.plot(curve.steps, curve.values, color=color, linewidth=0.8, alpha=0.35)
            smooth = moving_mean(curve.values, SMOOTHING) if noisy else curve.values
            axes.plot(curve.steps, smooth, color=color, linestyle=style, marker="o" if len(smooth) == 1 else "")
        highest = max((value for curve in curves for value in curve.values), default=0.0)
        if panel.warn_above is not None and highest > panel.warn_above / 2:
            axes.axhline(panel.warn_above, color=Ink.ALARM.value, linewidth=0.9, linestyle=(0, (2, 2)))
        axes.grid(axis="y")
        axes.set_xlabel("step")
        axes.margins(x=0.01)
        return themed_svg(drawn, name, visible(f"{panel.title}: {'; '.join(_told(curve) for curve in curves)}"))


def moving_mean(values: Sequence[float], window: int) -> list[float]:
    """The mean of the last `window` values at each point, of fewer at the beginning."""
    sums = [0.0]
    for value in values:
        sums.append(sums[-1] + value)
    starts = [max(0, end - window) for end in range(1, len(sums))]
    return [(sums[end] - sums[start]) / (end - start) for end, start in enumerate(starts, start=1)]


def _told(curve: Curve) -> str:
    first, last = curve.values[0], curve.values[-1]
    return f"{curve.run} from {first:.4g} at step {curve.steps[0]:g} to {last:.4g} at step {curve.steps[-1]:g}"
