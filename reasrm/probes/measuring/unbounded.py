"""Figures that are no share and no difference of shares: averages without bounds, and places read off a curve.

Interval and test are about the mean over questions, as those of `statistics`; the interval is a bootstrap's, since such
values are skewed and no formula knows how.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from reasrm.probes.measure import Good, Measure
from reasrm.probes.measuring.question_means import Spread, detectable, sign_flip_p
from reasrm.probes.query import ProbeContext
from reasrm.probes.statistics import Unit, question_means, settled_measure
from reasrm.scoring.intervals import NO_SPREAD, Interval, percentiles


def average(
    context: ProbeContext,
    name: str,
    units: Iterable[Unit],
    *,
    scale: float,
    variant: str = "",
    good: Good = Good.NEITHER,
    left_out: int = 0,
) -> Iterator[Measure]:
    """The mean of values without bounds as a measure whose null is 0; nothing with fewer than two questions.

    The interval is BCa (Efron 1987). Where all questions are alike it has no width, as in the papers: without bounds
    nothing says how far off others could be.

    Args:
        context: says how often and with which seed questions are drawn.
        name: the measure's.
        units: what it counts.
        scale: an effect that would be large; says what could have been found where nothing moved.
        variant: the measure's.
        good: which direction speaks for a judge.
        left_out: units that could not be counted.
    """
    means, count = question_means(units)
    if len(means) < 2:
        return
    values = np.asarray(list(means.values()))
    about: dict[str, Any] = {"name": name, "variant": variant, "good": good, "left_out": left_out, "units": count}
    most = max(scale, float(np.abs(values).max()))
    tested: dict[str, Any] = {"p": sign_flip_p(values, context.seed), "detectable": detectable(values, most)}
    yield settled_measure(values, _bca(values, context), null=0.0, by_question=means, **tested, **about)


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
    low, high = percentiles(found)
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


def _bca(values: np.ndarray, context: ProbeContext) -> Spread:
    if np.ptp(values) < NO_SPREAD:
        return Spread(float(values[0]), float(values[0]), Interval.BCA)
    generator = np.random.default_rng(context.seed)
    from scipy.stats import bootstrap

    found = bootstrap((values,), np.mean, n_resamples=context.resamples, method="BCa", rng=generator)
    return Spread(float(found.confidence_interval.low), float(found.confidence_interval.high), Interval.BCA)
