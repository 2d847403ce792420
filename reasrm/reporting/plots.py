"""The report's plots of curves: over the steps of a training, and over token budgets.

All are called inside `themed_svg.plot_style`.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from markupsafe import Markup

from reasrm.records.harmless_text import harmless
from reasrm.reporting.curves import Curve, Panel
from reasrm.reporting.themed_svg import DASHES, FONT, SERIES, Ink, figure, fit_tick_labels, themed_svg

WIDTH = 290.0
"""Width of a plot in points: what a phone and the page's narrowest column show without shrinking it."""

SMOOTHING = 15
"""Points of the moving mean that is drawn over a noisy curve."""


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
    axes.set_xlabel(panel.over)
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
