"""Shares and differences as measures: with intervals over questions, their tests, and what could have been found.

All units of a question (orders, variants, quotations) depend on each other, so the question counts once, by the mean of
its units, and questions are what varies (`measuring.question_means`). What is left of contradictions between an
interval and the test beside it is settled against the effect: the interval is widened to the null that the test does
not reject, p is raised to 5 % where the interval holds the null.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from reasrm.probes.measure import Good, Measure
from reasrm.probes.measuring.question_means import (
    LEVEL,
    Spread,
    detectable,
    difference_spread,
    share_p,
    share_spread,
    sign_flip_p,
)
from reasrm.probes.query import ProbeContext
from reasrm.scoring.paired_differences import ROUNDING


class Unit(NamedTuple):
    """One thing that a figure counts."""

    question: str
    """`ProbeItem.question`."""
    value: float
    """In [0, 1]; of a difference in [-1, 1]."""


def share(
    context: ProbeContext,
    name: str,
    units: Iterable[Unit],
    *,
    variant: str = "",
    good: Good = Good.NEITHER,
    null: float | None = None,
    left_out: int = 0,
) -> Iterator[Measure]:
    """The mean of values in [0, 1] as a measure, tested if there is a `null`; nothing without a unit.

    Raises:
        ValueError: a value is none (NaN) or outside of [0, 1].
    """
    means, count = question_means(units)
    if not count:
        return
    values = np.asarray(list(means.values()))
    _require_within(name, values, 0.0, 1.0)
    about: dict[str, Any] = {"name": name, "variant": variant, "good": good, "left_out": left_out, "units": count}
    spread = share_spread(values)
    if null is None:
        yield settled_measure(values, spread, by_question=means, **about)
        return
    p = share_p(values, null, context.seed)
    found = detectable(values - null, max(null, 1 - null))
    yield settled_measure(values, spread, null=null, p=p, detectable=found, by_question=means, **about)


def difference(
    context: ProbeContext,
    name: str,
    units: Iterable[Unit],
    *,
    variant: str = "",
    good: Good = Good.NEITHER,
    left_out: int = 0,
) -> Iterator[Measure]:
    """The mean of paired differences in [-1, 1] as a measure whose null is 0; nothing without a unit.

    Raises:
        ValueError: a value is none (NaN) or outside of [-1, 1].
    """
    means, count = question_means(units)
    if not count:
        return
    about: dict[str, Any] = {"name": name, "variant": variant, "good": good, "left_out": left_out, "units": count}
    yield mean_difference(means, 1.0, context.seed, **about)


def mean_difference(by_question: Mapping[str, float], most: float, seed: int, **about: Any) -> Measure:
    """The mean of differences of at most `most`, one per question, with its interval and its test against 0."""
    values = np.asarray(list(by_question.values()))
    _require_within(about["name"], values, -most, most)
    tested: dict[str, Any] = {"null": 0.0, "p": sign_flip_p(values, seed), "detectable": detectable(values, most)}
    return settled_measure(values, difference_spread(values, most), by_question=by_question, **tested, **about)


def question_means(units: Iterable[Unit]) -> tuple[dict[str, float], int]:
    """The mean of each question, in the order in which they come, and how many units there are."""
    found: dict[str, list[float]] = defaultdict(list)
    for unit in units:
        found[unit.question].append(float(unit.value))
    means = {question: sum(values) / len(values) for question, values in found.items()}
    return means, sum(map(len, found.values()))


def settled_measure(
    values: np.ndarray, spread: Spread, *, null: float | None = None, p: float | None = None, **about: Any
) -> Measure:
    """The mean of `values`; interval and p say the same of `null`."""
    low, high, method = spread
    if null is not None and p is not None:
        if p >= LEVEL:
            low, high = min(low, null), max(high, null)
        elif low <= null <= high:
            p = LEVEL
    fixed = {"value": float(values.mean()), "low": low, "high": high, "interval": method, "questions": len(values)}
    return Measure.model_validate({**fixed, "null": null, "p": p, **about})


def _require_within(name: str, values: np.ndarray, least: float, most: float) -> None:
    """NaN is outside, too."""
    if not ((values >= least - ROUNDING) & (values <= most + ROUNDING)).all():
        odd = values[~((values >= least) & (values <= most))][0]
        raise ValueError(f"the measure {name} has the value {odd}, outside of [{least:g}, {most:g}]")
