"""Do longer replies judge better? Accuracy of a judge's longer replies minus that of its shorter ones, part by part.

Hard questions get long replies, so lengths are compared within one part of the questions only: a slice of a family, or
the family where rows name no slices. Longer are the replies above the part's median number of tokens, shorter are the
others. The parts' gaps are weighted by their judgments.
It compares, and no reply was made longer: a token budget (`token_budgets`) is what changes a reply's length.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

import numpy as np

from reasrm.scoring.bootstrap import bootstrap_means
from reasrm.scoring.intervals import percentiles
from reasrm.scoring.judged_items import JudgedItem


class LengthGap(NamedTuple):
    """How much more often longer replies are right."""

    part: str
    """A slice of a family, or the family where rows name no slices; empty for all together."""
    value: float
    low: float
    """Of the 95 % interval, a bootstrap over questions."""
    high: float
    n: int
    """Replies."""
    questions: int
    median_tokens: float | None
    """Above which a reply counts as longer; None for all parts together."""


def length_gaps(judged: Iterable[JudgedItem], resamples: int, seed: int) -> list[LengthGap]:
    """The gap of all parts together and then of each; nothing for a judge that writes no replies.

    A part whose replies are all of one length has no gap and is left out.
    """
    parts: dict[str, list[JudgedItem]] = defaultdict(list)
    for one in judged:
        if one.completion_tokens is not None:
            parts[one.item.slice or one.item.family].append(one)
    everything: list[tuple[str, float]] = []
    found: list[LengthGap] = []
    for part in sorted(parts):
        middle = median(one.completion_tokens or 0 for one in parts[part])
        units = _units(parts[part], middle)
        everything += units
        if units:
            found.append(_gap(part, units, middle, resamples, seed))
    return [_gap("", everything, None, resamples, seed), *found] if found else []


def _units(judged: Sequence[JudgedItem], middle: float) -> list[tuple[str, float]]:
    """Question and value of each reply; the mean of the values is the gap of the two means.

    A reply's rightness around the part's mean, divided by the share of replies on its side of the median.
    """
    longer = [(one.completion_tokens or 0) > middle for one in judged]
    share = sum(longer) / len(longer)
    if share in (0.0, 1.0):
        return []
    accuracy = sum(one.correct or 0 for one in judged) / len(judged)
    return [
        (one.item.group, ((one.correct or 0) - accuracy) / (share if is_longer else share - 1))
        for one, is_longer in zip(judged, longer, strict=True)
    ]


def _gap(part: str, units: Sequence[tuple[str, float]], middle: float | None, resamples: int, seed: int) -> LengthGap:
    sums: dict[str, float] = defaultdict(float)
    for question, value in units:
        sums[question] += value
    scaled = np.asarray(list(sums.values())) * len(sums) / len(units)
    low, high = percentiles(bootstrap_means(scaled, resamples, seed))
    return LengthGap(part, float(scaled.mean()), low, high, len(units), len(sums), middle)
