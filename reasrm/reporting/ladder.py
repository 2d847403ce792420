"""The ladder of recipes: each model's accuracy beside the paper's figure for the same recipe and beside other seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from reasrm.reporting.charts import ModelView
from reasrm.reporting.display_text import interval, points
from reasrm.reporting.dot_chart import ChartDot, Scale, scale_for
from reasrm.reporting.model_scores import Figure
from reasrm.reporting.page_settings import PageSettings, PaperCell
from reasrm.reporting.paper_reference import paper_tables
from reasrm.reporting.stored_runs import StoredRun

ABLATION = 2
"""The paper's table whose rows are steps of one recipe."""


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
    """What the steps of the paper's table are here, in words; empty where fewer than two of its rows are here."""

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
        steps=_steps({row.model.name: row for row in rows if row.paper is not None}),
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


def _steps(rows: Mapping[str, LadderRow]) -> str:
    """How the steps between the rows of the paper's ablation come out here: each as its paired difference."""
    inside = [(row.paper.value, row.model) for row in rows.values() if row.paper and row.paper.table == ABLATION]
    inside.sort(key=lambda one: one[0])
    reversed_: list[str] = []
    not_shown: list[str] = []
    for (_, lower), (_, upper) in pairwise(inside):
        found = upper.scores.differences.get(lower.name)
        if found is not None and found.ci95[0] > 0:
            continue
        gain = "not compared" if found is None else f"{points(found.value)} points, {interval(found.ci95)}"
        kind = reversed_ if found is not None and found.ci95[1] < 0 else not_shown
        kind.append(f"{upper.label} over {lower.label} ({gain})")
    steps = len(inside) - 1
    if steps < 1:
        return ""
    if not reversed_ and not not_shown:
        return (
            f"Each of the {steps} steps of the paper's table {ABLATION} goes up here too, with an interval above zero: "
            f"the same order in kind. The levels are not comparable."
        )
    up = steps - len(reversed_) - len(not_shown)
    said = f"Of the {steps} steps of the paper's table {ABLATION}, {up} go up here with an interval above zero"
    if reversed_:
        said += f"; reversed, with an interval below zero: {', '.join(reversed_)}"
    if not_shown:
        said += f"; not shown: {', '.join(not_shown)}"
    return f"{said}. The levels are not comparable."
