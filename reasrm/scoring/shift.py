"""Two judges on the slices that traces cover, and on those that only reinforcement and the benchmarks reach."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from reasrm.scoring.bootstrap import bootstrap_gaps
from reasrm.scoring.intervals import NO_SPREAD, percentiles
from reasrm.scoring.judge_behaviour import question_values
from reasrm.scoring.judged_items import JudgedItem
from reasrm.scoring.paired_differences import PairedDifference, difference


class Part(StrEnum):
    """A part of the benchmarks' questions."""

    COVERED = "covered"
    """Of slices whose pairs were distilled."""
    SHIFT = "shift"
    """Of all other slices."""


@dataclass(frozen=True)
class PartDifference:
    """The later judge minus the earlier one on one part."""

    earlier: float
    """Accuracy of the earlier judge."""
    later: float
    paired: PairedDifference


@dataclass(frozen=True)
class ShiftComparison:
    """What the later judge has more than the earlier one, by part and by slice."""

    parts: Mapping[Part, PartDifference]
    slices: Mapping[str, PairedDifference]
    gap: float
    """The gain on the shift minus that on what is covered."""
    gap_ci95: tuple[float, float] | None
    """By a bootstrap over questions, of which each belongs to one part; None where all gain alike."""

    def as_json(self) -> dict[str, Any]:
        """`covered` and `shift` with `earlier`, `later` and `difference`; `slices`; `gap` and its interval."""
        parts = {
            part.value: {"earlier": one.earlier, "later": one.later, "difference": one.paired.as_json()}
            for part, one in self.parts.items()
        }
        slices = {name: paired.as_json() for name, paired in self.slices.items()}
        gap_ci95 = None if self.gap_ci95 is None else list(self.gap_ci95)
        return {**parts, "slices": slices, "gap": self.gap, "gap_ci95": gap_ci95}


def compare_by_shift(
    earlier: Collection[JudgedItem],
    later: Collection[JudgedItem],
    covered: Collection[str],
    resamples: int,
    seed: int,
) -> ShiftComparison | None:
    """Compare two judges by slice; None where one of the parts has no question.

    Args:
        earlier: judgments of the earlier training stage.
        later: judgments of the later one, on the same items.
        covered: the slices whose pairs were distilled.
        resamples: bootstrap samples.
        seed: of the bootstrap.
    """
    slice_of = {one.item.group: one.item.slice for one in earlier if one.item.slice}
    before, after = question_values(earlier), question_values(later)
    shared = sorted(slice_of.keys() & before.keys() & after.keys())
    groups = {Part.COVERED: [key for key in shared if slice_of[key] in covered]}
    groups[Part.SHIFT] = [key for key in shared if slice_of[key] not in covered]
    if not all(groups.values()):
        return None

    def paired(keys: list[str]) -> PairedDifference:
        return difference({key: after[key] for key in keys}, {key: before[key] for key in keys}, resamples, seed)

    parts = {
        part: PartDifference(_mean(before, keys), _mean(after, keys), paired(keys)) for part, keys in groups.items()
    }
    names = sorted({slice_of[key] for key in shared})
    slices = {name: paired([key for key in shared if slice_of[key] == name]) for name in names}
    # A gain is within -1 and 1, and the bootstrap draws values within 0 and 1.
    gains = [{key: (after[key] - before[key] + 1) / 2 for key in groups[part]} for part in (Part.SHIFT, Part.COVERED)]
    low, high = percentiles(2 * bootstrap_gaps(gains[0], gains[1], resamples, seed))
    return ShiftComparison(
        parts=parts,
        slices=slices,
        gap=parts[Part.SHIFT].paired.value - parts[Part.COVERED].paired.value,
        gap_ci95=(low, high) if high - low > NO_SPREAD else None,
    )


def _mean(values: Mapping[str, float], keys: list[str]) -> float:
    return float(np.mean([values[key] for key in keys]))
