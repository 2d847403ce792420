"""Gold and proxy over the distance from the start: one panel for each arm, all with the same axes.

What a judge prefers and what is right go together at first; where they part, a policy serves the judge (Gao, Schulman
and Hilton 2022, arXiv 2210.10760, whose axis is the root of the KL divergence; here it is the divergence itself).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

from reasrm.policy.measures.measures_file import CurvePoint, PolicyCurves
from reasrm.policy.measures.seeded_figures import PolicyFigure
from reasrm.records.harmless_text import harmless
from reasrm.reporting.charts import LegendEntry
from reasrm.reporting.plot_files.paper_style import COLORS, COLUMN, PlotFile, shown
from reasrm.reporting.plot_files.paper_style import figure as paper_figure
from reasrm.reporting.plots import WIDTH
from reasrm.reporting.policy_figures.policy_text import ArmView
from reasrm.reporting.themed_svg import SERIES, figure, fit_tick_labels, plot_style, themed_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GOLD, PROXY = 3, 5
"""Colours by series."""
PROXY_DASHES = (4, 1.5)
KL_LEGEND = (
    LegendEntry("gold: the verifier's mean", GOLD, ""),
    LegendEntry("proxy: share of comparisons with the start's answers that the arm's own judge lets it win", PROXY,
                " ".join(f"{2.5 * length:g}" for length in PROXY_DASHES)),
)  # fmt: skip
HEIGHT = 190.0
ROOM = 1.05
"""Beyond the largest KL, as a multiple of it."""


class KlPanel(NamedTuple):
    """One arm's panel."""

    arm: ArmView
    points: Sequence[CurvePoint]
    plot: Markup


def kl_panels(arms: Sequence[ArmView], curves: PolicyCurves) -> tuple[KlPanel, ...]:
    """The panels of the arms that have a KL divergence at more than one check."""
    drawn = {view.name: _points(curves, view) for view in arms}
    widest = _widest(drawn)
    found = []
    with plot_style():
        for view in arms:
            if len(drawn[view.name]) > 1:
                panel, axes = figure(WIDTH, HEIGHT, left=44, right=6)
                _draw(axes, drawn[view.name], (SERIES[GOLD].value, SERIES[PROXY].value), widest)
                fit_tick_labels(panel, axes)
                plot = themed_svg(panel, f"policy {view.name}", harmless(_described(view, drawn[view.name])))
                found.append(KlPanel(view, drawn[view.name], plot))
    return tuple(found)


def kl_plot_files(panels: Sequence[KlPanel]) -> Iterator[PlotFile]:
    """The same panels as files for a paper."""
    widest = _widest({panel.arm.name: panel.points for panel in panels})
    for panel in panels:
        drawn, axes = paper_figure(COLUMN, 2.3)
        _draw(axes, panel.points, (COLORS[GOLD], COLORS[PROXY]), widest)
        axes.set_title(shown(panel.arm.label))
        drawn.legend(loc="outside lower center", ncols=2)
        caption = "Gold (full line) and proxy (dashed) over the KL divergence from the start, with 95 % intervals."
        yield PlotFile(f"policy {panel.arm.name}", f"{shown(panel.arm.label)}: {caption}", drawn)


def _points(curves: PolicyCurves, view: ArmView) -> list[CurvePoint]:
    return [point for point in curves.arms.get(view.name, ()) if {"kl", "gold"} <= point.figures.keys()]


def _widest(drawn: Mapping[str, Sequence[CurvePoint]]) -> float:
    return ROOM * max((point.figures["kl"].value for points in drawn.values() for point in points), default=0.0)


def _draw(axes: "Axes", points: Sequence[CurvePoint], colors: tuple[str, str], widest: float) -> None:
    for name, color, line in zip(("gold", "proxy"), colors, ("-", (0, PROXY_DASHES)), strict=True):
        some = [point for point in points if name in point.figures]
        if not some:
            continue
        kl = [point.figures["kl"].value for point in some]
        low, high = zip(*((one.low, one.high) for one in _of(some, name)), strict=True)
        axes.fill_between(kl, low, high, color=color, alpha=0.15, linewidth=0)
        axes.plot(kl, [one.value for one in _of(some, name)], color=color, linestyle=line, marker="o", markersize=3,
                  label=name)  # fmt: skip
    axes.set_ylim(0, 1)
    axes.set_xlim(min(0.0, *(point.figures["kl"].value for point in points)), widest if widest > 0 else 1.0)
    axes.grid(axis="y")
    axes.set_xlabel("KL from the start, nats per answer")


def _of(points: Sequence[CurvePoint], name: str) -> list[PolicyFigure]:
    return [point.figures[name] for point in points]


def _described(view: ArmView, points: Sequence[CurvePoint]) -> str:
    first, last = points[0].figures, points[-1].figures
    parts = [
        f"{name} from {first[name].value:.3f} to {last[name].value:.3f}"
        for name in ("gold", "proxy")
        if name in first and name in last
    ]
    return f"{view.label}: {', '.join(parts)}, KL from {first['kl'].value:.3g} to {last['kl'].value:.3g} nats"
