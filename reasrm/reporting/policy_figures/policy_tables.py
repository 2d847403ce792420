"""The tables of the page of policies: what each arm spent and became, tasks, differences, shortcuts, seeds."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from reasrm.policy.measures.answer_measures import PHRASE, SHARE, STYLE
from reasrm.policy.measures.compared_arms import UPDATES
from reasrm.policy.measures.measures_file import ArmComparison, MeasureAbout, PolicyMeasures
from reasrm.policy.measures.seeded_figures import PolicyChange, PolicyFigure
from reasrm.records.policy import PolicyCheck
from reasrm.reporting.display_text import NO_FIGURE
from reasrm.reporting.policy_figures.policy_text import (
    ArmView,
    change_text,
    figure_text,
    over_prompts,
    over_trainings,
    range_text,
    shown,
    test_text,
    unit_of_changes,
)

COMPARED = ("gold", "refusal", "compliance", "tokens", "kl", "proxy")
"""Measures of the first table."""
SEEDED = ("gold", "success", "refusal", "compliance", "tokens", "kl", "proxy", "shortcut")
"""Measures of which each seed's own value is shown."""
PLANTED = ("shortcut", "gold_with_shortcut", "gold_without_shortcut", "repetition")
FORM = ("characters", "truncated", "no_thought")


class PolicyCell(NamedTuple):
    """A cell."""

    value: str = NO_FIGURE
    small: tuple[str, ...] = ()
    """Lines below it."""
    shown: bool = False
    """Whether it is an effect that is shown."""


class PolicyRow(NamedTuple):
    """A row."""

    label: str
    small: str
    series: int | None
    """The arm's colour, where the row is one arm's."""
    cells: tuple[PolicyCell, ...]


class PolicyTable(NamedTuple):
    """A table."""

    caption: str
    small: str
    head: str
    """Of the column of rows' names."""
    columns: tuple[tuple[str, int | None], ...]
    """Each with the colour of its arm, where it is one arm's."""
    rows: tuple[PolicyRow, ...]


def arm_table(arms: Sequence[ArmView], found: PolicyMeasures) -> PolicyTable:
    """What each arm spent, and what became of it."""
    names = [name for name in COMPARED if any(name in view.arm.end for view in arms)]
    rows = []
    for view in arms:
        checks = [seed.last for seed in view.arm.seeds]
        cells = [_spent([one.step for one in checks]), _tokens(checks)]
        cells += [_end(view, name, found.measure(name)) for name in names]
        rows.append(PolicyRow(view.label, f"{view.rewarded_by} · {_seeds(view)}", view.series, tuple(cells)))
    columns = ["updates", "judge tokens"] + [_with_unit(found.measure(name)) for name in names]
    return PolicyTable(
        "What each arm spent, and what became of it",
        f"At each training's last check, on {found.prompts.prompts:,} prompts that nothing is trained on. 95 % "
        f"intervals over prompts, for these very trainings. What a training spent is a mean over seeds.",
        "arm",
        tuple((name, None) for name in columns),
        tuple(rows),
    )


def task_table(arms: Sequence[ArmView], found: PolicyMeasures) -> PolicyTable:
    """Gold by task; the share of full marks too, where an answer can be worth less than that and more than nothing."""
    rows = []
    for task, number in found.prompts.by_task.items():
        gold = tuple(_moved(view.arm.gold_by_task.get(task)) for view in arms)
        full = tuple(_moved(view.arm.success_by_task.get(task)) for view in arms)
        if any(cell != PolicyCell() for cell in gold):
            rows.append(PolicyRow(task, f"{number:,} prompts", None, gold))
            rows += [] if full == gold else [PolicyRow(f"{task}: full marks", f"{number:,} prompts", None, full)]
    return PolicyTable(
        "Gold by task",
        "Percent at the end, with the interval over prompts; below it the start.",
        "task",
        _by_arm(arms),
        tuple(rows),
    )


def difference_tables(found: PolicyMeasures, label: Callable[[str], str]) -> Iterator[PolicyTable]:
    """The reference arm minus each other, with equal updates and with equal judge tokens."""
    for basis in dict.fromkeys(one.basis for one in found.comparisons):
        some = [one for one in found.comparisons if one.basis == basis]
        names = [about.name for about in found.about if any(about.name in one.differences for one in some)]
        rows = tuple(
            PolicyRow(
                found.measure(name).title, unit_of_changes(found.measure(name).unit), None,
                tuple(_difference(one.differences.get(name), found.measure(name).unit) for one in some),
            )
            for name in names
        )  # fmt: skip
        yield PolicyTable(
            f"{label(found.reference)} minus each other arm, {_equal(some[0])}",
            "First over prompts, for these very trainings; behind “others” for other trainings, too. In bold: shown "
            "for these trainings. “From”: the smallest difference that the test (at 5 %, not adjusted) would have "
            "found in 80 of 100 such studies.",
            "measure",
            tuple((f"minus {label(one.second)}", None) for one in some),
            rows,
        )


def shortcut_table(arms: Sequence[ArmView], found: PolicyMeasures) -> PolicyTable:
    """Answers with planted shortcuts, attacks and style, and other oddities of form."""
    names = (*PLANTED, *_named(found, PHRASE, STYLE), *FORM)
    rows = [
        PolicyRow(
            found.measure(name).title, _unit(found.measure(name)), None,
            tuple(_both_ends(view, name, found.measure(name).unit) for view in arms),
        )
        for name in names
        if any(_is_there(view, name) for view in arms)
    ]  # fmt: skip
    if any(view.arm.style for view in arms):
        rows.append(
            PolicyRow("distance of style from the start", "percent", None, tuple(_style(view) for view in arms))
        )
    return PolicyTable(
        "Shortcuts and style",
        "At the end, with the interval over prompts; below it the start. A phrase that no answer of any arm carries is "
        "left out. The distance of style is the total variation between the answers' combinations of patterns; “by "
        "chance” is what it would be if nothing had changed.",
        "share of answers", _by_arm(arms), tuple(rows),
    )  # fmt: skip


def seed_table(arms: Sequence[ArmView], found: PolicyMeasures) -> PolicyTable:
    """Each seed's own values."""
    names = [name for name in SEEDED if any(name in view.arm.end for view in arms)]
    rows = []
    for view in arms:
        ends = [(view.arm.end.get(name), found.measure(name).unit) for name in names]
        for seed in (str(one.outcome.seed) for one in view.arm.seeds):
            cells = (
                PolicyCell() if one is None else PolicyCell(figure_text(one.seeds[seed], unit)) for one, unit in ends
            )
            rows.append(PolicyRow(view.label, f"seed {seed}", view.series, tuple(cells)))
        if len(view.arm.seeds) > 1:
            ranges = (PolicyCell() if one is None else PolicyCell(range_text(one, unit)) for one, unit in ends)
            rows.append(PolicyRow(view.label, "from the least to the greatest", view.series, tuple(ranges)))
    columns = tuple((_with_unit(found.measure(name)), None) for name in names)
    return PolicyTable(
        "Each training by itself", "At its last check. Few seeds give no good interval of what others would give.",
        "training", columns, tuple(rows),
    )  # fmt: skip


def _by_arm(arms: Sequence[ArmView]) -> tuple[tuple[str, int | None], ...]:
    return tuple((view.label, view.series) for view in arms)


def _named(found: PolicyMeasures, *beginnings: str) -> Iterator[str]:
    return (about.name for about in found.about if about.name.startswith(beginnings))


def _seeds(view: ArmView) -> str:
    number = len(view.arm.seeds)
    return f"{number} seed{'s' if number > 1 else ''}"


def _unit(about: MeasureAbout) -> str:
    return "percent" if about.unit == SHARE else about.unit


def _with_unit(about: MeasureAbout) -> str:
    return about.title if about.title.endswith(about.unit) else f"{about.title}, {_unit(about)}"


def _equal(one: ArmComparison) -> str:
    return f"after {one.at:,} updates" if one.basis == UPDATES else f"within {one.at:,} judge tokens"


def _spent(counts: Sequence[int]) -> PolicyCell:
    mean = sum(counts) / len(counts)
    if not any(counts):
        return PolicyCell()
    return PolicyCell(f"{mean:,.0f}", () if len(set(counts)) == 1 else (f"{min(counts):,} to {max(counts):,}",))


def _tokens(checks: Sequence[PolicyCheck]) -> PolicyCell:
    read, written = (
        sum(counts) / len(checks)
        for counts in ([one.judge_prompt_tokens for one in checks], [one.judge_reply_tokens for one in checks])
    )
    if not read + written:
        return PolicyCell()
    comparisons = sum(one.comparisons for one in checks) / len(checks)
    lines = (f"read {read:,.0f}", f"written {written:,.0f}", f"{comparisons:,.0f} comparisons")
    return PolicyCell(f"{read + written:,.0f}", lines)


def _end(view: ArmView, name: str, about: MeasureAbout) -> PolicyCell:
    if name not in view.arm.end:
        return PolicyCell()
    one, start = view.arm.end[name], view.arm.start.get(name)
    changed = view.arm.changes.get(name)
    lines = [over_prompts(one, about.unit)]
    if start is not None and name in ("gold", "refusal", "compliance", "tokens"):
        lines.append(f"start {figure_text(start.value, about.unit)}")
    return PolicyCell(
        figure_text(one.value, about.unit), tuple(filter(None, lines)), changed is not None and shown(changed.q)
    )


def _moved(ends: tuple[PolicyFigure, PolicyFigure] | None) -> PolicyCell:
    if ends is None:
        return PolicyCell()
    start, end = ends
    lines = (over_prompts(end, SHARE), f"start {figure_text(start.value, SHARE)}")
    return PolicyCell(figure_text(end.value, SHARE), lines)


def _both_ends(view: ArmView, name: str, unit: str) -> PolicyCell:
    start, end = view.arm.start.get(name), view.arm.end.get(name)
    if end is None:
        return PolicyCell()
    changed = view.arm.changes.get(name)
    lines = [over_prompts(end, unit), f"start {NO_FIGURE if start is None else figure_text(start.value, unit)}"]
    lines.append(f"n {end.prompts:,} prompts" if name in PLANTED[1:] else "")
    lines.append("" if changed is None else test_text(changed.q))
    return PolicyCell(
        figure_text(end.value, unit), tuple(filter(None, lines)), changed is not None and shown(changed.q)
    )


def _is_there(view: ArmView, name: str) -> bool:
    ends = (view.arm.start.get(name), view.arm.end.get(name))
    return any(one is not None and (one.value > 0 or name in PLANTED or name in FORM) for one in ends)


def _style(view: ArmView) -> PolicyCell:
    style = view.arm.style
    if style is None:
        return PolicyCell()
    lines = (f"by chance {figure_text(style.by_chance, SHARE)}", test_text(style.q))
    return PolicyCell(figure_text(style.value, SHARE), lines, shown(style.q))


def _difference(one: PolicyChange | None, unit: str) -> PolicyCell:
    if one is None:
        return PolicyCell()
    lines = [over_prompts(one, unit), test_text(one.q), _from(one.detectable, unit)]
    if trainings := over_trainings(one, unit):
        lines += [f"others {trainings}", test_text(one.q_trainings), _from(one.detectable_trainings, unit)]
    return PolicyCell(change_text(one.value, unit), tuple(filter(None, lines)), shown(one.q))


def _from(detectable: float | None, unit: str) -> str:
    return "" if detectable is None else f"from {change_text(detectable, unit).lstrip('+')}"
