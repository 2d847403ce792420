"""Shares and differences with intervals over questions, their tests, and how small an effect they could have shown.

All units of a question (orders, variants, quotations) depend on each other, so the question counts once, by the mean of
its units, and questions are what is drawn.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from reasrm.probes.measure import Good, Measure
from reasrm.probes.query import ProbeContext
from reasrm.records.wilson_interval import wilson
from reasrm.scoring.bootstrap import bootstrap_means
from reasrm.scoring.intervals import NO_SPREAD, Interval, percentiles, share_estimate
from reasrm.scoring.paired_differences import sign_test

LEVEL, POWER = 0.05, 0.8
"""Of the tests: two-sided level, and the power at which an effect counts as one that would have been found."""


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
    """The mean of values in [0, 1] as a measure; nothing without a unit.

    Wilson where every question is 0 or 1, else a bootstrap over questions. With a `null` the test is the exact sign
    test over questions.
    """
    values, count = _by_question(units)
    if not count:
        return
    found = share_estimate(
        float(values.mean()),
        units=len(values),
        groups=len(values),
        simple=bool(np.isin(values, (0.0, 1.0)).all()),
        samples=lambda: bootstrap_means(values, context.resamples, context.seed),
    )
    yield Measure(
        name=name,
        variant=variant,
        value=found.value,
        low=found.low,
        high=found.high,
        interval=found.method,
        units=count,
        questions=len(values),
        good=good,
        null=null,
        p=None if null is None else sign_test(values - null).p,
        detectable=None if null is None else detectable(values),
        left_out=left_out,
    )


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

    A bootstrap over questions. Where all questions have the same difference, which a bootstrap would give no width, it
    is as wide as Wilson's interval of as many questions that are all alike.
    """
    values, count = _by_question(units)
    if not count:
        return
    low, high = percentiles(bootstrap_means(values, context.resamples, context.seed))
    method = Interval.BOOTSTRAP
    if high - low < NO_SPREAD:
        width = 1 - wilson(len(values), len(values))[0]
        low, high = max(-1.0, values[0] - width), min(1.0, values[0] + width)
        method = Interval.WILSON_OF_GROUPS
    yield Measure(
        name=name,
        variant=variant,
        value=float(values.mean()),
        low=low,
        high=high,
        interval=method,
        units=count,
        questions=len(values),
        good=good,
        null=0.0,
        p=sign_test(values).p,
        detectable=detectable(values),
        left_out=left_out,
    )


def detectable(values: np.ndarray) -> float:
    """The minimum detectable effect of a mean over questions: (z of level + z of power) standard errors."""
    if len(values) < 2:
        return 1.0
    error = float(values.std(ddof=1)) / np.sqrt(len(values))
    return float((ndtri(1 - LEVEL / 2) + ndtri(POWER)) * error)


def _by_question(units: Iterable[Unit]) -> tuple[np.ndarray, int]:
    """The mean of each question, in the order of the questions, and how many units there are."""
    found: dict[str, list[float]] = defaultdict(list)
    for unit in units:
        found[unit.question].append(unit.value)
    means = [sum(values) / len(values) for values in found.values()]
    return np.asarray(means, dtype=float), sum(map(len, found.values()))
