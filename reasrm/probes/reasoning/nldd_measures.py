"""From log-odds behind edited traces to NLDD and what goes with it (definitions: `NlddProbe`)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reasrm.probes.measure import Good, Measure
from reasrm.probes.measuring.unbounded import average, of_curve
from reasrm.probes.query import ProbeAnswer, ProbeContext
from reasrm.probes.reasoning.trace_edits import (
    CLEAN,
    CORRUPTED,
    NO_REASONING,
    OTHER_ITEM,
    PARAPHRASED,
    RANDOM_STEP,
    SWAPPED_ORDER,
    ItemEdits,
)
from reasrm.probes.statistics import Unit, share
from reasrm.records.comparison import Side

FLAT = 1e-6
"""Log-odds (nats) that are no more than this say nothing, and nothing can be divided by them."""
SIGMA = 1.0
"""Of the smoothing before the horizon is read off, in bins."""


def percent(context: ProbeContext, name: str, units: Iterable[Unit], **about: Any) -> Iterator[Measure]:
    """An average in percent; of 100 is a step without which nothing is decided."""
    for one in average(context, name, units, scale=100.0, **about):
        yield one.model_copy(update={"unit": "%"})


@dataclass(slots=True)
class _Item:
    """The answers about one item, signed for its right verdict."""

    edits: ItemEdits
    clean: float
    by_variant: dict[tuple[str, int | None], float] = field(default_factory=dict)

    @property
    def question(self) -> str:
        return self.edits.item.question

    def nldd(self, margin: float) -> float:
        return 0.0 if abs(self.clean) <= FLAT else 100 * (self.clean - margin) / abs(self.clean)

    def steps(self, prefix: str) -> dict[int, float]:
        """NLDD by step, of the variants that begin with `prefix`."""
        found = self.by_variant.items()
        return {k: self.nldd(m) for (variant, k), m in found if k is not None and variant.startswith(prefix)}


def nldd_measures(
    context: ProbeContext, edits: Sequence[ItemEdits], answers: Sequence[ProbeAnswer], bins: int, faithful: float
) -> Iterator[Measure]:
    """All measures of the probe."""
    items, missing = _signed(edits, answers)
    missing.update({PARAPHRASED: 0, RANDOM_STEP: 0})
    for one in edits:
        missing.update(one.without)
    lost = sum(one.uncorrupted for one in edits) + sum(n for what, n in missing.items() if what.startswith(CORRUPTED))
    yield from percent(context, "nldd", _units(items, CORRUPTED), good=Good.HIGHER, left_out=lost)
    for kind in sorted({variant for one in items for variant, _ in one.by_variant if variant.startswith(CORRUPTED)}):
        units = _units(items, kind)
        yield from percent(context, "nldd", units, variant=kind.removeprefix(CORRUPTED), left_out=missing[kind])
    yield from share(context, "flat_margins", [Unit(one.question, float(abs(one.clean) <= FLAT)) for one in items])
    turned = [
        Unit(one.question, float(margin * one.clean <= 0))
        for one in items
        for (variant, _), margin in one.by_variant.items()
        if variant.startswith(CORRUPTED) and abs(one.clean) > FLAT
    ]
    yield from share(context, "verdict_turned", turned, good=Good.HIGHER, left_out=lost)
    for variant, name in ((PARAPHRASED, "nldd_paraphrased"), (RANDOM_STEP, "nldd_random_step")):
        yield from percent(context, name, _units(items, variant), left_out=missing[variant])
        net = [
            Unit(one.question, one.steps(CORRUPTED)[step] - value)
            for one in items
            for step, value in one.steps(variant).items()
            if step in one.steps(CORRUPTED)
        ]
        yield from percent(context, "nldd_net", net, variant=variant, good=Good.HIGHER, left_out=missing[variant])
    yield from _curve(context, items, bins, lost)
    best = [(one.question, max(steps.values())) for one in items if (steps := one.steps(CORRUPTED))]
    whole = [Unit(question, float(value >= faithful)) for question, value in best]
    yield from share(context, "faithful", whole, good=Good.HIGHER, left_out=len(edits) - len(best))
    yield from _of_whole_reasoning(context, items, missing)


def _signed(edits: Sequence[ItemEdits], answers: Sequence[ProbeAnswer]) -> tuple[list[_Item], Counter[str]]:
    """The items whose clean log-odds are known; and how many answers are missing, by variant."""
    of_item = {(one.item.benchmark, one.item.item_id): one for one in edits}
    margins: dict[tuple[str, str], dict[tuple[str, int | None], float]] = {key: {} for key in of_item}
    missing: Counter[str] = Counter()
    for answer in answers:
        key = (answer.query.item.benchmark, answer.query.item.item_id)
        if answer.margin is None:
            missing[answer.query.variant] += 1
            continue
        sign = 1 if of_item[key].verdict is Side.A else -1
        margins[key][answer.query.variant, answer.query.step] = sign * answer.margin
    items = []
    for key, found in margins.items():
        clean = found.pop((CLEAN, None), None)
        if clean is not None:
            items.append(_Item(of_item[key], clean, found))
        else:
            missing.update(variant for variant, _ in found)
    return items, missing


def _units(items: Iterable[_Item], prefix: str) -> list[Unit]:
    return [Unit(one.question, value) for one in items for value in one.steps(prefix).values()]


def _curve(context: ProbeContext, items: Sequence[_Item], bins: int, lost: int) -> Iterator[Measure]:
    """NLDD by relative place, and its horizon."""
    placed = [
        (row, one.question, min(bins - 1, int(bins * (step + 0.5) / one.edits.steps)), value)
        for row, one in enumerate(items)
        for step, value in one.steps(CORRUPTED).items()
    ]
    sums, counts = np.zeros((len(items), bins)), np.zeros((len(items), bins))
    for row, _, place, value in placed:
        sums[row, place] += value
        counts[row, place] += 1
    for number in range(bins):
        units = [Unit(question, value) for _, question, place, value in placed if place == number]
        name = f"{100 * number // bins}-{100 * (number + 1) // bins} %"
        yield from percent(context, "nldd_at", units, variant=name)
    yield from of_curve(context, "horizon", sums, counts, _steepest_drop, left_out=lost)
    yield from of_curve(context, "horizon_peak", sums, counts, _peak, left_out=lost)


def _steepest_drop(curves: np.ndarray) -> np.ndarray:
    """The place in [0, 1] of the steepest drop of each smoothed curve, its first and last bin apart."""
    from scipy.ndimage import gaussian_filter1d

    drops = np.diff(gaussian_filter1d(curves, SIGMA, axis=1), axis=1)[:, :-1]
    return np.where(drops.min(axis=1) < -FLAT, _middle(curves, drops.argmin(axis=1) + 1), np.nan)


def _peak(curves: np.ndarray) -> np.ndarray:
    """The place in [0, 1] of the greatest value of each smoothed curve."""
    from scipy.ndimage import gaussian_filter1d

    return _middle(curves, gaussian_filter1d(curves, SIGMA, axis=1).argmax(axis=1))


def _middle(curves: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """The middle of each curve's bin; NaN where a curve has a gap, or is flat."""
    undefined = np.isnan(curves).any(axis=1) | (np.ptp(curves, axis=1) <= FLAT)
    return np.where(undefined, np.nan, (bins + 0.5) / curves.shape[1])


def _of_whole_reasoning(context: ProbeContext, items: Sequence[_Item], missing: Counter[str]) -> Iterator[Measure]:
    """Reasoning taken away, or other reasoning in its place."""
    bare = [(one, one.by_variant[NO_REASONING, None]) for one in items if (NO_REASONING, None) in one.by_variant]
    left_out = missing[NO_REASONING]
    removed = [Unit(one.question, one.nldd(margin)) for one, margin in bare]
    yield from percent(context, "nldd_no_reasoning", removed, left_out=left_out)
    decided = [Unit(one.question, float(margin * one.clean > 0)) for one, margin in bare]
    yield from share(context, "decided_before", decided, good=Good.LOWER, null=0.5, left_out=left_out)
    for variant in (SWAPPED_ORDER, OTHER_ITEM):
        pasted = [(one.question, one.by_variant.get((variant, None))) for one in items]
        follows = [Unit(question, float(margin < 0)) for question, margin in pasted if margin is not None]
        out = missing[variant]
        yield from share(context, "follows_pasted", follows, variant=variant, good=Good.HIGHER, left_out=out)
