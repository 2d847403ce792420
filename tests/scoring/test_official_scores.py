"""What must hold for the official score of every benchmark."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reasrm.benchmarks.registry import BENCHMARKS, benchmark
from reasrm.benchmarks.scoring_rule import ScoreSettings
from tests.scoring.outcome_sets import AS_PUBLISHED, OFFICIAL, ROWS, Row, card, judged

NAMES = sorted(ROWS)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rules", [OFFICIAL, AS_PUBLISHED])
def test_a_perfect_judge_scores_one_and_a_perfectly_wrong_one_zero(name: str, rules: ScoreSettings) -> None:
    assert card(name, judged(name, lambda _: 1), rules)["score"] == 1.0
    assert card(name, judged(name, lambda _: 0), rules)["score"] == 0.0


@pytest.mark.parametrize("name", NAMES)
def test_every_section_is_there_and_nothing_is_missing(name: str) -> None:
    whole = card(name, judged(name, lambda _: 1))
    assert (*whole["sections"], *whole["sections_missing"]) == BENCHMARKS[name].sections
    # Scored from ratings of single answers, which no outcome row holds.
    assert whole["sections_missing"] == (["Ties"] if name == "reward_bench_2" else [])


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_rows_does_not_matter(name: str) -> None:
    rows = judged(name, lambda number: int(number % 3 > 0))
    shuffled = list(rows)
    random.Random(1).shuffle(shuffled)
    assert card(name, shuffled) == card(name, rows)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=5, deadline=None)
def test_swapping_order_and_verdict_changes_nothing(name: str, data: st.DataObject) -> None:
    """A judge that is right in the first order where it was right in the second, and the other way round."""
    plain = list(ROWS[name]())
    first = data.draw(st.lists(st.sampled_from([0, 1, None]), min_size=len(plain), max_size=len(plain)))
    second = data.draw(st.lists(st.sampled_from([0, 1, None]), min_size=len(plain), max_size=len(plain)))

    def both(one: list[int | None], other: list[int | None]) -> list[Row]:
        return [
            row | {"order": order, "correct": value}
            for row, a, b in zip(plain, one, other, strict=True)
            for order, value in (("first", a), ("second", b))
        ]

    before, after = card(name, both(first, second)), card(name, both(second, first))
    assert math.isclose(before["score"], after["score"], abs_tol=1e-12)
    assert before["flip_rate"] == after["flip_rate"]


@pytest.mark.parametrize("name", NAMES)
def test_one_verdict_moves_only_its_own_section(name: str) -> None:
    rows = judged(name, lambda _: 1)
    before = card(name, rows)
    for number in range(0, len(rows), max(1, len(rows) // 6)):
        changed = [dict(row) for row in rows]
        changed[number]["correct"] = 0
        after = card(name, changed)
        moved = {part for part in before["sections"] if before["sections"][part] != after["sections"][part]}
        assert len(moved) == 1
        assert after["score"] < before["score"]


@pytest.mark.parametrize("name", NAMES)
def test_two_equal_orders_score_as_one(name: str) -> None:
    rows = judged(name, lambda number: int(number % 4 > 0))
    doubled = [row | {"order": order} for row in rows for order in ("first", "second")]
    assert card(name, doubled)["score"] == pytest.approx(card(name, rows)["score"], abs=1e-12)
    assert card(name, doubled)["flip_rate"] == 0.0


@pytest.mark.parametrize("name", NAMES)
def test_unreadable_is_worth_what_the_rule_says(name: str) -> None:
    rows = judged(name, lambda _: None)
    seen = card(name, rows)
    assert seen["unreadable_rate"] == 1.0
    assert seen["score_if_unreadable_is"]["0"] == 0.0
    half = {"judge_bench": 0.0, "rmb": (0.5 + 0.25) / 2, "reward_bench_2": 0.125}.get(name, 0.5)
    assert seen["score_if_unreadable_is"]["0.5"] == pytest.approx(half)
    expected = {"reward_bench": 0.5}.get(name, 0.0)
    assert seen["score"] == pytest.approx(expected)


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_lies_in_its_interval(name: str) -> None:
    seen = card(name, judged(name, lambda number: int(number % 5 > 1)))
    for entry in [seen, *seen["sections"].values()]:
        low, high = entry["ci95"]
        assert 0 <= low <= entry["score"] + 1e-9
        assert entry["score"] - 1e-9 <= high <= 1


def test_unknown_benchmark_is_an_error() -> None:
    with pytest.raises(ValueError, match="mt_bench"):
        benchmark("mt_bench")
