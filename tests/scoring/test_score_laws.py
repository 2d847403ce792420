"""Laws of intervals and of comparisons that hold whatever the outcomes are, on every benchmark."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reasrm.benchmarks.cell_table import CellTable
from reasrm.benchmarks.registry import BENCHMARKS, benchmark
from reasrm.benchmarks.scoring_rule import ScoreSettings
from reasrm.records.judge_kind import JudgeKind
from reasrm.scoring.comparing import compare, compared_figures
from reasrm.scoring.matching import ComparedJudge, Sides
from reasrm.scoring.outcome_files import by_group
from reasrm.scoring.scorecard import applied_rule
from reasrm.scoring.tally import tally
from tests.scoring.outcome_sets import AS_PUBLISHED, OFFICIAL, ROWS, Row, card, outcomes

NAMES = sorted(ROWS)
FEW = replace(OFFICIAL, resamples=25)
FEW_PUBLISHED = replace(AS_PUBLISHED, resamples=25)
OUTCOMES = st.sampled_from([0, 1, None])


def _rows(name: str, data: st.DataObject) -> list[Row]:
    """Outcomes in both orders: of any kind, or in few different ways so that whole sections are alike."""
    plain = [row | {"order": order} for row in ROWS[name]() for order in ("first", "second")]
    kinds = data.draw(st.lists(st.tuples(OUTCOMES, OUTCOMES), min_size=1, max_size=4))
    period = data.draw(st.integers(1, 5))
    return [row | {"correct": kinds[(n // 2 // period) % len(kinds)][n % 2]} for n, row in enumerate(plain)]


def _side(name: str, rows: list[Row], file: str = "rows") -> ComparedJudge:
    return ComparedJudge(file, file, JudgeKind.GENERATIVE, outcomes(name, rows))


def _compared(name: str, first: list[Row], second: list[Row], rules: ScoreSettings) -> dict[str, Any]:
    return compare(benchmark(name), Sides(_side(name, first), _side(name, second)), rules)


def _entries(report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from dict(compared_figures(report)).values()


def _with_intervals(card: Any) -> Iterator[dict[str, Any]]:
    """Every object of a card that has an interval."""
    if isinstance(card, dict):
        if "ci95" in card:
            yield card
        for value in card.values():
            yield from _with_intervals(value)


def test_every_benchmark_is_held_to_these_laws() -> None:
    assert set(ROWS) == set(BENCHMARKS), "tests/scoring/outcome_sets.py: ROWS has a small complete set of each"


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=5, deadline=None)
def test_no_interval_of_a_score_is_without_width_and_each_holds_its_figure(name: str, data: st.DataObject) -> None:
    for entry in _with_intervals(card(name, _rows(name, data), FEW)):
        low, high = entry["ci95"]
        assert 0 <= low < high <= 1
        if entry["interval"] != "bootstrap":
            assert low <= entry["score"] <= high


@pytest.mark.parametrize("name", NAMES)
def test_a_judge_that_always_flips_is_not_known_exactly(name: str) -> None:
    """Right in the first order and wrong in the second on every unit: a bootstrap has no spread."""
    rows = [row | {"order": order, "correct": n} for row in ROWS[name]() for n, order in enumerate(("second", "first"))]
    seen = card(name, rows)
    low, high = seen["ci95"]
    assert seen["interval"] == ("wilson" if name == "judge_bench" else "wilson_of_groups")
    assert high - low > 0.05


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=3, deadline=None)
def test_a_judge_does_not_differ_from_itself(name: str, data: st.DataObject) -> None:
    rows = _rows(name, data)
    report = _compared(name, rows, rows, FEW)
    for entry in _entries(report):
        assert (entry["a_minus_b"], entry["ci95"], entry["p"]) == (0.0, [0.0, 0.0], 1.0)
        assert entry["a_better"] == entry["b_better"] == 0
    assert report["changed"] == []


@pytest.mark.parametrize(
    ("name", "rules"), [*((name, FEW) for name in NAMES), ("rm_bench", FEW_PUBLISHED), ("reward_bench", FEW_PUBLISHED)]
)
@given(data=st.data())
@settings(max_examples=6, deadline=None)
def test_a_group_counts_for_the_judge_whose_official_score_it_raises(
    name: str, rules: ScoreSettings, data: st.DataObject
) -> None:
    """Replace one group after the other by the second judge's: the scores' changes sum up to the difference."""
    first, second = _rows(name, data), _rows(name, data)
    if name == "rmb":  # pairs and best-of-N of one conversation, which weigh differently
        first, second = ([row | {"group": row["category"]} for row in rows] for rows in (first, second))
    report = _compared(name, first, second, rules)["score"]
    one, other = (_sums_by_group(name, rows, rules) for rows in (first, second))
    exchanged = one.sums.sum(axis=0) - one.sums + other.sums
    sizes = np.tile(one.counts.sum(axis=0), (len(exchanged), 1))
    scores = benchmark(name).score(CellTable(one.cells, exchanged, sizes), rules.mode)["score",].values
    gains = report["a"] - scores
    assert gains.sum() == pytest.approx(report["a_minus_b"], abs=1e-9)
    assert report["a_better"] == (gains > 1e-9).sum()
    assert report["b_better"] == (gains < -1e-9).sum()


def _sums_by_group(name: str, rows: list[Row], how: ScoreSettings) -> CellTable:
    """Each group tallied alone, one row each."""
    rules, groups = benchmark(name), by_group(outcomes(name, rows))
    whole, counted = tally(rules, groups.values(), "rows")
    credit = applied_rule(rules, how, counted).unreadable_credit
    cells = whole[credit].cells()
    sums, counts = np.zeros((len(groups), len(cells))), np.zeros((len(groups), len(cells)))
    for row, group in enumerate(sorted(groups)):
        table = tally(rules, [groups[group]], "rows")[0][credit].table()
        columns = [cells.index(cell) for cell in table.cells]
        sums[row, columns], counts[row, columns] = table.sums[0], table.counts[0]
    return CellTable(cells, sums, counts)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=3, deadline=None)
def test_exchanging_the_judges_turns_everything_round(name: str, data: st.DataObject) -> None:
    first, second = _rows(name, data), _rows(name, data)
    there, back = _compared(name, first, second, FEW), _compared(name, second, first, FEW)
    for one, other in zip(_entries(there), _entries(back), strict=True):
        assert one["a_minus_b"] == -other["a_minus_b"]
        assert (one["a_better"], one["p"]) == (other["b_better"], other["p"])


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=5, deadline=None)
def test_a_judge_that_is_never_less_right_is_never_worse(name: str, data: st.DataObject) -> None:
    rows = _rows(name, data)
    better = [row | {"correct": 1} if n % 3 == 0 else row for n, row in enumerate(rows)]
    for entry in _entries(_compared(name, better, rows, FEW)):
        assert entry["b_better"] == 0
        assert (entry["a_minus_b"] > 1e-12) == (entry["a_better"] > 0)
        low, high = entry["ci95"]
        assert (low < high) == (entry["a_better"] > 0)
