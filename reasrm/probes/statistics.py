"""Shares and differences with intervals over questions, their tests, and how small an effect they could have shown.

All units of a question (orders, variants, quotations) depend on each other, so the question counts once, by the mean of
its units, and questions are what is drawn.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
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
    """In [0, 1]; of a difference in [-1, 1]; of an average anything."""


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


def average(
    context: ProbeContext,
    name: str,
    units: Iterable[Unit],
    *,
    variant: str = "",
    good: Good = Good.NEITHER,
    left_out: int = 0,
) -> Iterator[Measure]:
    """The mean of values without bounds as a measure whose null is 0; nothing with fewer than two questions.

    BCa, since such values are skewed. Where all questions are alike, it has no width: without bounds nothing says how
    far off others could be.
    """
    values, count = _by_question(units)
    if len(values) < 2:
        return
    mean = low = high = float(values.mean())
    if np.ptp(values) >= NO_SPREAD:
        from scipy.stats import bootstrap

        generator = np.random.default_rng(context.seed)
        drawn = bootstrap((values,), np.mean, n_resamples=context.resamples, method="BCa", rng=generator)
        low, high = map(float, drawn.confidence_interval)
    yield Measure(
        name=name,
        variant=variant,
        value=mean,
        low=low,
        high=high,
        interval=Interval.BCA,
        units=count,
        questions=len(values),
        good=good,
        null=0.0,
        p=sign_test(values).p,
        detectable=detectable(values),
        left_out=left_out,
    )


def of_curve(
    context: ProbeContext,
    name: str,
    sums: np.ndarray,
    counts: np.ndarray,
    figure: Callable[[np.ndarray], np.ndarray],
    *,
    left_out: int = 0,
) -> Iterator[Measure]:
    """What `figure` reads off a mean curve, with bootstrap percentiles over questions; nothing where it reads nothing.

    Args:
        context: says how often and with which seed questions are drawn.
        name: the measure's.
        sums: [Q, P] what each question adds to each place of the curve.
        counts: [Q, P] of how many units.
        figure: from curves [B, P] to a number in [0, 1] for each; NaN where there is none.
        left_out: units that could not be counted.
    """
    questions = len(sums)
    if not questions:
        return
    drawn = np.random.default_rng(context.seed).multinomial(questions, [1 / questions] * questions, context.resamples)
    weights = np.vstack([np.ones(questions), drawn])
    total = weights @ counts
    found = figure(np.divide(weights @ sums, total, out=np.full(total.shape, np.nan), where=total > 0))
    if np.isnan(found[0]):
        return
    low, high = percentiles(found[1:])
    yield Measure(
        name=name,
        value=float(found[0]),
        low=low,
        high=high,
        interval=Interval.BOOTSTRAP,
        units=int(counts.sum()),
        questions=questions,
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
