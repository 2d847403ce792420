"""The page of the trained policies: what each judge made of a policy, at what cost, and whether it was gamed."""

from dataclasses import dataclass
from pathlib import Path

from reasrm.policy.measures.answer_measures import PHRASE, STYLE
from reasrm.policy.measures.measures_file import (
    POLICY_MEASURES,
    MeasureAbout,
    PolicyArm,
    PolicyMeasures,
    read_policy_measures,
)
from reasrm.policy.measures.policy_runs import JUDGED
from reasrm.reporting.charts import LegendEntry
from reasrm.reporting.policy_figures.policy_plot import KL_LEGEND, KlPanel, kl_panels
from reasrm.reporting.policy_figures.policy_sentences import PolicyFinding, findings
from reasrm.reporting.policy_figures.policy_tables import (
    PolicyTable,
    arm_table,
    difference_tables,
    seed_table,
    shortcut_table,
    task_table,
)
from reasrm.reporting.policy_figures.policy_text import LEVEL, ArmView
from reasrm.reporting.source import ReportSource
from reasrm.reporting.themed_svg import SERIES
from reasrm.runtime.stage_main import StageError


@dataclass(frozen=True)
class PolicyPage:
    """What the page shows."""

    measures: PolicyMeasures
    planted: str
    """What was planted in the start; empty where nothing was."""
    findings: tuple[PolicyFinding, ...]
    arms: PolicyTable
    panels: tuple[KlPanel, ...]
    tasks: PolicyTable
    differences: tuple[PolicyTable, ...]
    shortcuts: PolicyTable
    seeds: PolicyTable
    legend: tuple[LegendEntry, ...] = KL_LEGEND
    level: float = LEVEL

    @property
    def defined(self) -> tuple[MeasureAbout, ...]:
        """The measures that need words; phrases and patterns stand with the shortcuts."""
        return tuple(one for one in self.measures.about if not one.name.startswith((PHRASE, STYLE)))

    @property
    def sections(self) -> tuple[tuple[str, str], ...]:
        """Anchors and names."""
        found = [("findings", "What is shown"), ("arms", "Arms"), ("kl", "Gold and proxy"), ("tasks", "Tasks")]
        found += [("differences", "Differences")] if self.differences else []
        return (*found, ("shortcuts", "Shortcuts and style"), ("seeds", "Seeds"), ("definitions", "Definitions"))


def policy_page(source: ReportSource) -> PolicyPage | None:
    """Gather it; None where no policy was trained.

    Raises:
        StageError: the measures are not there.
    """
    folder: Path = source.folders.policy_scores
    if not (folder / POLICY_MEASURES).is_file():
        raise StageError(f"{folder / POLICY_MEASURES}: not there; run `dvc repro policy_scores`")
    measures, curves = read_policy_measures(folder)
    if not measures.arms:
        return None
    names = source.settings.policy_arms

    def label(arm: str) -> str:
        return names.get(arm, arm)

    arms = tuple(
        ArmView(arm.name, label(arm.name), _rewarded_by(arm, source), at % len(SERIES), arm)
        for at, arm in enumerate(measures.arms)
    )
    return PolicyPage(
        measures=measures,
        planted=source.settings.policy_planted,
        findings=findings(arms, measures, label),
        arms=arm_table(arms, measures),
        panels=kl_panels(arms, curves),
        tasks=task_table(arms, measures),
        differences=tuple(difference_tables(measures, label)),
        shortcuts=shortcut_table(arms, measures),
        seeds=seed_table(arms, measures),
    )


def _rewarded_by(arm: PolicyArm, source: ReportSource) -> str:
    outcome = arm.seeds[0].outcome
    if outcome.reward != JUDGED:
        return f"{outcome.reward} reward"
    scheme = f", {outcome.scheme.replace('_', ' ')}" if outcome.scheme else ""
    return f"judge {source.settings.label(outcome.judge)}{scheme}"
