"""Figures of policies as text: shares in percent, changes of shares in points, anything else in its own unit."""

from collections.abc import Callable
from typing import NamedTuple

from reasrm.policy.measures.answer_measures import SHARE
from reasrm.policy.measures.measures_file import PolicyArm
from reasrm.policy.measures.seeded_figures import PolicyChange, PolicyFigure
from reasrm.reporting.display_text import p_value, percent, points

LEVEL = 0.05
"""Of adjusted p, below which an effect counts as shown."""


class ArmView(NamedTuple):
    """One arm with its names for readers and its colour."""

    name: str
    label: str
    rewarded_by: str
    """What its rewards come from, in a few words."""
    series: int
    arm: PolicyArm


def figure_text(value: float, unit: str) -> str:
    """A figure, without the unit's name."""
    return percent(value) if unit == SHARE else _number(value)


def change_text(value: float, unit: str) -> str:
    """A difference with its sign, without the unit's name."""
    return points(value) if unit == SHARE else f"{'+' if value > 0 else ''}{_number(value)}"


def unit_of_changes(unit: str) -> str:
    """The unit of a difference, as readers see it."""
    return "points" if unit == SHARE else unit


def over_prompts(one: PolicyFigure, unit: str) -> str:
    """The interval over other prompts, for these trainings."""
    return _interval(one, one.low, one.high, unit)


def over_trainings(one: PolicyFigure, unit: str) -> str:
    """The interval over other prompts and other trainings; empty of one seed."""
    if one.low_trainings is None or one.high_trainings is None:
        return ""
    return _interval(one, one.low_trainings, one.high_trainings, unit)


def range_text(one: PolicyFigure, unit: str) -> str:
    """The least and the greatest of the seeds' own values."""
    return f"{figure_text(min(one.seeds.values()), unit)} to {figure_text(max(one.seeds.values()), unit)}"


def shown(q: float | None) -> bool:
    """Whether an adjusted p says that there is an effect."""
    return q is not None and q < LEVEL


def test_text(q: float | None) -> str:
    """An adjusted p in words."""
    return "" if q is None else f"adjusted p {p_value(q)}"


def _interval(one: PolicyFigure, low: float, high: float, unit: str) -> str:
    return f"[{_text(one)(low, unit)}, {_text(one)(high, unit)}]"


def _text(one: PolicyFigure) -> Callable[[float, str], str]:
    return change_text if isinstance(one, PolicyChange) else figure_text


def _number(value: float) -> str:
    """Two digits behind the point below ten, one below a hundred, none above."""
    decimals = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return f"{round(value, decimals) + 0.0:,.{decimals}f}"
