"""Accuracy slice by slice: what traces cover, and what only reinforcement and the benchmarks reach."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from operator import mul

from reasrm.reporting.benchmark_figures.ladder import chart_dot
from reasrm.reporting.charts import ModelView
from reasrm.reporting.display_text import interval, points
from reasrm.reporting.dot_chart import ChartDot, Scale, scale_for
from reasrm.reporting.model_scores import Figure, ReportedDifference, ReportedShift


@dataclass(frozen=True)
class SliceRow:
    """One slice, as every shown model judges it."""

    name: str
    figures: tuple[Figure, ...]
    """In the order of the chart's models."""
    dots: tuple[ChartDot, ...]
    gain: ReportedDifference | None
    """The later model minus the earlier one; None where they were not compared."""


@dataclass(frozen=True)
class SliceGroup:
    """The slices of one part."""

    title: str
    rows: tuple[SliceRow, ...]
    gain: ReportedDifference | None
    """Of all slices of the part together; None where the parts were not compared."""

    @property
    def accuracies(self) -> tuple[float, ...]:
        """Of each model over all questions of the part, which are of one slice each."""
        sizes = [row.figures[0].n for row in self.rows]
        columns = zip(*([figure.value for figure in row.figures] for row in self.rows), strict=True)
        return tuple(sum(map(mul, column, sizes)) / sum(sizes) for column in columns)


@dataclass(frozen=True)
class SliceChart:
    """All slices."""

    models: tuple[ModelView, ...]
    groups: tuple[SliceGroup, ...]
    scale: Scale
    verdict: str
    """What the later model gains on the one part and on the other, as a sentence; empty where not compared."""


def slice_chart(
    models: Sequence[ModelView], covered: Collection[str], shift: ReportedShift | None
) -> SliceChart | None:
    """The chart of `models`; None where the rows name no slices.

    Args:
        models: in the order of their dots, the earlier stage and then the later one last.
        covered: the slices whose pairs were distilled; empty where that is not told apart.
        shift: the comparison of the last two models by part.
    """
    names = sorted({name for model in models for name in model.scores.slices})
    if not names:
        return None
    parts = (
        ("Covered by traces", [name for name in names if name in covered], shift.covered.difference if shift else None),
        ("Reached only by reinforcement and the benchmarks", [name for name in names if name not in covered],
         shift.shift.difference if shift else None),
    )  # fmt: skip
    groups = tuple(
        SliceGroup(title if covered else "", tuple(_row(name, models, shift) for name in some), gain)
        for title, some, gain in parts
        if some
    )
    return SliceChart(
        models=tuple(models),
        groups=groups,
        scale=scale_for(dot for group in groups for row in group.rows for dot in row.dots),
        verdict="" if shift is None else _verdict(shift, models[-1].label, models[-2].label),
    )


def _row(name: str, models: Sequence[ModelView], shift: ReportedShift | None) -> SliceRow:
    found = [(model.series, model.scores.slices[name]) for model in models if name in model.scores.slices]
    return SliceRow(
        name=name,
        figures=tuple(figure for _, figure in found),
        dots=tuple(chart_dot(series, figure) for series, figure in found),
        gain=None if shift is None else shift.slices.get(name),
    )


def _verdict(shift: ReportedShift, later: str, earlier: str) -> str:
    covered, beyond = shift.covered.difference, shift.shift.difference
    said = (
        f"{later} over {earlier}: {points(beyond.value)} points {interval(beyond.ci95)} on what no trace covers, "
        f"{points(covered.value)} {interval(covered.ci95)} on what traces cover"
    )
    if shift.gap_ci95 is None:
        return f"{said}."
    shown = "" if shift.gap_ci95[0] > 0 or shift.gap_ci95[1] < 0 else ", so a difference is not shown"
    return f"{said}; {points(shift.gap)} points {interval(shift.gap_ci95)} between the two{shown}."
