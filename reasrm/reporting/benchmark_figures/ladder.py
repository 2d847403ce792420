"""The ladder of recipes: each model's accuracy beside the paper's figure for the same recipe and beside other seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from reasrm.reporting.charts import ModelView
from reasrm.reporting.display_text import interval, points
from reasrm.reporting.dot_chart import ChartDot, Scale, scale_for
from reasrm.reporting.model_scores import Figure, ReportedDifference
from reasrm.reporting.page_settings import PageSettings, PaperCell
from reasrm.reporting.paper_reference import paper_tables
from reasrm.reporting.stored_runs import StoredRun

ABLATION = 2
"""The paper's table whose rows are steps of one recipe."""
OUTCOMES = ("reversed, with an interval below zero", "not shown")
"""Of a step that does not go up here: an interval below zero, and one that holds zero or was not made."""


@dataclass(frozen=True)
class LadderRow:
    """One model."""

    model: ModelView
    dot: ChartDot
    seeds: tuple[tuple[int, float], ...]
    """Other training seeds and their accuracies."""
    paper: PaperCell | None
    """Where the paper prints a figure for the same recipe."""
    paper_figure: str
    """As printed; empty without one."""
    is_first_baseline: bool
    """Whether it is the first of the models after the lead: none of the steps to it."""


@dataclass(frozen=True)
class Ladder:
    """All models, the steps of the recipe first."""

    rows: tuple[LadderRow, ...]
    scale: Scale
    seeds: tuple[int, ...]
    """The other training seeds that are shown."""
    steps: str
    """What the steps of the paper's table are here, in words; empty where no two neighbours of its rows are here."""

    @property
    def has_paper(self) -> bool:
        """Whether a row has a figure of the paper."""
        return any(row.paper for row in self.rows)

    @property
    def has_other_table(self) -> bool:
        """Whether one of these figures is from another table than the ablation's."""
        return any(row.paper and row.paper.table != ABLATION for row in self.rows)


def chart_dot(series: int, figure: Figure) -> ChartDot:
    """A figure as a dot."""
    low, high = figure.ci95 or (figure.value, figure.value)
    return ChartDot(series, figure.value, low, high)


def build_ladder(models: Sequence[ModelView], settings: PageSettings, seeds: Sequence[StoredRun]) -> Ladder:
    """The ladder of `models`, in their order.

    Args:
        models: in the order of the ladder.
        settings: which rows of the paper they stand beside, and which model leads.
        seeds: the same models from other training seeds; empty where they are not of this configuration.
    """
    names = [model.name for model in models]
    after_lead = names.index(settings.lead) + 1 if settings.lead in names else len(names)
    shown = [run for run in seeds if run.model in names]
    rows = tuple(_row(model, settings, shown, at == after_lead) for at, model in enumerate(models))
    return Ladder(
        rows=rows,
        scale=scale_for([row.dot for row in rows], [run.accuracy for run in shown]),
        seeds=tuple(sorted({run.seed for run in shown})),
        steps=_steps(rows),
    )


def _row(model: ModelView, settings: PageSettings, seeds: Sequence[StoredRun], is_first_baseline: bool) -> LadderRow:
    cell = settings.paper_rows.get(model.name)
    return LadderRow(
        model=model,
        dot=chart_dot(model.series, model.scores.figure),
        seeds=tuple((run.seed, run.accuracy) for run in seeds if run.model == model.name),
        paper=cell,
        paper_figure="" if cell is None else paper_tables().table(cell.table).shown(cell.value),
        is_first_baseline=is_first_baseline,
    )


def _steps(rows: Sequence[LadderRow]) -> str:
    """How the steps of the paper's ablation come out here: each as its paired difference.

    A step leads from one row of the paper's table to the next. Two rows that are not neighbours there are no step, so
    that a page without the rows between them claims nothing about the order.
    """
    models = {row.paper.row: row.model for row in rows if row.paper and row.paper.table == ABLATION}
    printed = [row.model for row in paper_tables().table(ABLATION).rows]
    steps = [(models[one], models[next_one]) for one, next_one in pairwise(printed) if {one, next_one} <= models.keys()]
    if not steps:
        return ""
    others: dict[str, list[str]] = {}
    for lower, upper in steps:
        difference = upper.scores.differences.get(lower.name)
        if difference is None or difference.ci95[0] <= 0:
            gain = "not compared" if difference is None else _gain(difference)
            others.setdefault(_outcome(difference), []).append(f"{upper.label} over {lower.label} ({gain})")
    up = len(steps) - sum(map(len, others.values()))
    if not others and len(steps) > 1:
        said = f"Each of the {len(steps)} steps of the paper's table {ABLATION} goes up here too, with an interval "
        said += "above zero: the same order in kind"
    else:
        said = f"Of the {len(steps)} steps of the paper's table {ABLATION}, {up} go up here with an interval above zero"
    said += "".join(f"; {outcome}: {'; '.join(others[outcome])}" for outcome in OUTCOMES if outcome in others)
    return f"{said}.{_other_signs(steps, rows)} The levels are not comparable."


def _other_signs(steps: Sequence[tuple[ModelView, ModelView]], rows: Sequence[LadderRow]) -> str:
    """Which steps go the other way from another training seed, as a sentence; empty without a seed of all steps."""
    stored = {row.model.name: dict(row.seeds) for row in rows}
    seeds = sorted(set.intersection(*(set(stored[model.name]) for step in steps for model in step)))
    differing = []
    for lower, upper in steps:
        here = upper.scores.accuracy - lower.scores.accuracy
        for seed in seeds:
            there = stored[upper.name][seed] - stored[lower.name][seed]
            if here * there <= 0:
                differing.append(f"{upper.label} over {lower.label} {points(there)} points (seed {seed})")
    if differing:
        return f" The other way from another training seed: {'; '.join(differing)}."
    return f" Each step has the same sign from training seed {' and '.join(map(str, seeds))}." if seeds else ""


def _gain(difference: ReportedDifference) -> str:
    """In points, with its interval."""
    return f"{points(difference.value)} points, {interval(difference.ci95)}"


def _outcome(difference: ReportedDifference | None) -> str:
    """What a step that does not go up does: one of `OUTCOMES`."""
    return OUTCOMES[0] if difference is not None and difference.ci95[1] < 0 else OUTCOMES[1]
