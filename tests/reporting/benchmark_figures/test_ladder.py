"""The ladder stands beside the paper's figures and other seeds, and says of its steps what the intervals say."""

from typing import Any

import pytest

from reasrm.reporting.benchmark_figures.ladder import Ladder, build_ladder
from reasrm.reporting.charts import ModelView
from reasrm.reporting.model_scores import ModelScores
from reasrm.reporting.stored_runs import StoredRun
from stages.report import ReportParams

ORDER = ("base", "grpo-cold_start", "grpo-cold_start_rubrics", "grpo-cold_start_rubrics_qc", "sft", "grpo-full")
BASELINE = "scalar_rm"


def model(name: str, accuracy: float, differences: dict[str, Any]) -> ModelView:
    card = {
        "accuracy": accuracy, "n": 10, "ci95": [accuracy - 0.05, accuracy + 0.05], "flip_rate": None, "families": {},
        "benchmarks": {}, "average": None, "unreadable_rate": 0.0, "unreadable": {}, "picked_a": None,
        "better_is_a": None, "both_orders_right": None, "judged": 20, "longer": None, "shorter": None,
        "differences": differences,
    }  # fmt: skip
    return ModelView(name, name, 0, ModelScores.model_validate(card))


def gain(points: float) -> dict[str, Any]:
    bounds = [points - 0.02, points + 0.02]
    return {"value": points, "n": 10, "ci95": bounds, "better": 2, "worse": 1, "p": 0.5}


def ladder(params: ReportParams, gains: list[float], seeds: list[StoredRun] | None = None) -> Ladder:
    """The ladder whose step from each of the paper's rows to the next is one of `gains`."""
    steps = [name for name in ORDER if name != "sft"]
    lower = dict(zip(steps[1:], steps, strict=False))
    rises = dict(zip(steps[1:], gains, strict=True))
    models = [
        model(name, 0.5 + 0.05 * at, {lower[name]: gain(rises[name])} if name in lower else {})
        for at, name in enumerate(ORDER)
    ]
    return build_ladder([*models, model(BASELINE, 0.6, {})], params, seeds or [])


def test_the_papers_figures_stand_beside_ours(params: ReportParams) -> None:
    found = ladder(params, [0.1] * 4)
    assert {row.model.name: row.paper_figure for row in found.rows} == {
        "base": "85.8", "grpo-cold_start": "89.5", "grpo-cold_start_rubrics": "90.1",
        "grpo-cold_start_rubrics_qc": "90.8", "sft": "89.0", "grpo-full": "91.4", BASELINE: "",
    }  # fmt: skip
    assert [row.model.name for row in found.rows if row.is_first_baseline] == [BASELINE]
    assert (found.has_paper, found.has_other_table) == (True, True)


def test_the_same_order_is_claimed_only_where_every_interval_is_above_zero(params: ReportParams) -> None:
    assert ladder(params, [0.1, 0.05, 0.03, 0.04]).steps.startswith(
        "Each of the 4 steps of the paper's table 2 goes up"
    )
    assert ladder(params, [0.1, 0.01, -0.04, 0.04]).steps == (
        "Of the 4 steps of the paper's table 2, 2 go up here with an interval above zero; "
        "reversed, with an interval below zero: "
        "grpo-cold_start_rubrics_qc over grpo-cold_start_rubrics (-4.0 points, [-6.0, -2.0]); "
        "not shown: grpo-cold_start_rubrics over grpo-cold_start (+1.0 points, [-1.0, +3.0]). "
        "The levels are not comparable."
    )
    assert "reversed" not in ladder(params, [0.1, 0.01, -0.01, 0.04]).steps


def test_rows_that_are_no_neighbours_in_the_paper_are_no_step(params: ReportParams) -> None:
    ends = [model("base", 0.0, {}), model("grpo-full", 0.4, {"base": gain(0.4)})]
    assert build_ladder(ends, params, []).steps == ""
    cold = model("grpo-cold_start", 0.3, {"base": gain(0.3)})
    one_step = build_ladder([ends[0], cold, ends[1]], params, []).steps
    assert one_step == (
        "Of the 1 steps of the paper's table 2, 1 go up here with an interval above zero. "
        "The levels are not comparable."
    )


def test_without_the_papers_rows_nothing_is_said(params: ReportParams) -> None:
    found = build_ladder([model(BASELINE, 0.6, {}), model("base", 0.5, {})], params, [])
    assert found.steps == ""


def test_every_seed_is_a_ring_inside_the_scale(params: ReportParams) -> None:
    stored = {"ladder": "miniature", "n": 9, "ci95": (0, 1), "command": "c", "measured_on": "today"}
    runs = [StoredRun(**stored, seed=seed, model="base", accuracy=0.3 + seed / 100) for seed in (1, 2)]
    other = StoredRun(**stored, seed=3, model="not on this page", accuracy=0.1)
    found = ladder(params, [0.1] * 4, [*runs, other])
    assert found.seeds == (1, 2)
    assert found.rows[0].seeds == ((1, pytest.approx(0.31)), (2, pytest.approx(0.32)))
    assert all(0 <= found.scale.place(value) <= 100 for _, value in found.rows[0].seeds)


def test_a_step_that_another_seed_takes_the_other_way_is_named(params: ReportParams) -> None:
    stored = {"ladder": "miniature", "n": 9, "ci95": (0, 1), "command": "c", "measured_on": "today"}

    def of_seed(seed: int, cold_start: float) -> list[StoredRun]:
        rising = {name: cold_start + 0.05 * at for at, name in enumerate(ORDER[1:])}
        accuracies = {"base": 0.5, **rising}
        return [StoredRun(**stored, seed=seed, model=name, accuracy=value) for name, value in accuracies.items()]

    same = ladder(params, [0.1] * 4, [*of_seed(1, 0.6), *of_seed(2, 0.7)]).steps
    assert "Each step has the same sign from training seed 1 and 2." in same
    other = ladder(params, [0.1] * 4, [*of_seed(1, 0.6), *of_seed(2, 0.48)]).steps
    assert "The other way from another training seed: grpo-cold_start over base -2.0 points (seed 2)." in other
    assert "training seed" not in ladder(params, [0.1] * 4).steps
    assert "training seed" not in ladder(params, [0.1] * 4, of_seed(1, 0.6)[:2]).steps, "not of all steps"
