"""The page of the trainings: curves, warnings, sampled rollouts."""

from dataclasses import dataclass

from reasrm.reporting.charts import CurveGroup, curve_groups
from reasrm.reporting.curves import read_curves, read_warnings
from reasrm.reporting.replies.rollout_view import RolloutRun, rollout_runs
from reasrm.reporting.source import ReportSource
from reasrm.reporting.themed_svg import plot_style


@dataclass(frozen=True)
class TrainingPage:
    """What the page shows."""

    curve_groups: tuple[CurveGroup, ...]
    warnings: tuple[tuple[str, str], ...]
    """Run, as readers know it, and what its training warned of."""
    rollouts: tuple[RolloutRun, ...]

    @property
    def sections(self) -> tuple[tuple[str, str], ...]:
        """Anchors and names."""
        return ("training", "Curves"), ("rollouts", "Sample rollouts")


def training_page(source: ReportSource) -> TrainingPage:
    """Gather it."""
    curves, settings = source.folders.curves, source.settings
    with plot_style():
        groups = curve_groups(
            read_curves(curves), settings.models, {model.name: model.series for model in source.models}
        )
    return TrainingPage(
        curve_groups=groups,
        warnings=tuple((settings.label(run), text) for run, text in read_warnings(curves)),
        rollouts=rollout_runs(curves, settings.rollouts, settings.models, settings.example_characters),
    )
