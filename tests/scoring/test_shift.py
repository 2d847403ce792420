"""Two judges on what traces cover and on the rest: gains by part, and the gap between them, by question."""

import pytest

from reasrm.records.comparison import Side
from reasrm.scoring.judged_items import ItemFacts, JudgedItem
from reasrm.scoring.shift import Part, compare_by_shift

RESAMPLES = 400


def judged(right: dict[str, int], of: int = 10) -> list[JudgedItem]:
    """A judge that is right on the first so many of `of` questions of each slice."""
    return [
        JudgedItem(
            item=ItemFacts("rmb", f"{name}-{at}", f"{name}-{at}", f"{name}-{at}", "", name, 0, {}), better=Side.A,
            sample=0, verdict=Side.A if at < count else Side.B, unreadable=None, prompt_tokens=None,
            completion_tokens=None, cut_off=False,
        )
        for name, count in right.items()
        for at in range(of)
    ]  # fmt: skip


def test_gains_are_told_apart_by_part_and_by_slice() -> None:
    found = compare_by_shift(
        judged({"short": 8, "long": 4, "other": 5}),
        judged({"short": 9, "long": 9, "other": 8}),
        {"short"},
        RESAMPLES,
        0,
    )
    assert found is not None
    covered, beyond = found.parts[Part.COVERED], found.parts[Part.SHIFT]
    assert (covered.earlier, covered.later, covered.paired.value) == pytest.approx((0.8, 0.9, 0.1))
    assert (beyond.earlier, beyond.later, beyond.paired.value) == pytest.approx((0.45, 0.85, 0.4))
    assert beyond.paired.n == 20
    assert {name: round(one.value, 6) for name, one in found.slices.items()} == {
        "long": 0.5,
        "other": 0.3,
        "short": 0.1,
    }
    assert found.gap == pytest.approx(0.3)
    assert found.gap_ci95 is not None
    low, high = found.gap_ci95
    assert low < found.gap < high
    assert -1 <= low < high <= 1
    written = found.as_json()
    assert written["shift"]["difference"]["value"] == pytest.approx(0.4)
    assert set(written) == {"covered", "shift", "slices", "gap", "gap_ci95"}


def test_the_interval_of_the_gap_is_as_wide_as_two_independent_samples_make_it() -> None:
    """Half of 400 questions gained on one side, none on the other: the standard error is sqrt(.25 / 400)."""
    earlier, later = judged({"a": 0, "b": 0}, 400), judged({"a": 0, "b": 200}, 400)
    found = compare_by_shift(earlier, later, {"a"}, 2000, 0)
    assert found is not None
    assert found.gap_ci95 == pytest.approx((0.5 - 0.049, 0.5 + 0.049), abs=0.006)


def test_losses_count_as_losses() -> None:
    found = compare_by_shift(judged({"a": 9, "b": 9}), judged({"a": 9, "b": 0}), {"a"}, RESAMPLES, 0)
    assert found is not None
    assert found.gap == pytest.approx(-0.9)
    assert found.gap_ci95 is not None
    assert found.gap_ci95[1] < 0


def test_without_both_parts_there_is_nothing_to_compare_and_without_spread_no_interval() -> None:
    one, other = judged({"a": 5, "b": 5}), judged({"a": 5, "b": 5})
    assert compare_by_shift(one, other, {"a", "b"}, RESAMPLES, 0) is None
    assert compare_by_shift(one, other, set(), RESAMPLES, 0) is None
    alike = compare_by_shift(one, other, {"a"}, RESAMPLES, 0)
    assert alike is not None
    assert (alike.gap, alike.gap_ci95) == (0.0, None)
