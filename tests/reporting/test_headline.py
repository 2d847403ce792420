"""What must be known with the headline: ranks that disagree, and a p that speaks of the opposite sign."""

from typing import Any

import pytest

from reasrm.reporting.headline import difference_rows, opposite_ranks
from reasrm.reporting.model_scores import ModelScores
from stages.report import ReportParams


def scores(accuracy: float, average: float | None, **differences: dict[str, Any]) -> ModelScores:
    return ModelScores.model_validate({
        "accuracy": accuracy, "n": 10, "ci95": [0, 1], "flip_rate": None, "families": {}, "benchmarks": {},
        "average": None if average is None else {"score": average}, "unreadable_rate": 0.0, "unreadable": {},
        "picked_a": None, "better_is_a": None, "both_orders_right": None, "judged": 20, "longer": None,
        "shorter": None, "differences": differences,
    })  # fmt: skip


def test_models_that_accuracy_and_average_rank_oppositely_are_named(params: ReportParams) -> None:
    found = opposite_ranks(
        {"sft": scores(0.733, 0.769), "scalar_rm": scores(0.713, 0.802), "grpo-full": scores(0.939, 0.949)}, params
    )
    assert found == ("ScalarRM against Reasoning SFT: accuracy 71.3 against 73.3, average 80.2 against 76.9.",)


@pytest.mark.parametrize("average", [None, 0.8])
def test_without_an_average_or_with_the_same_order_nothing_is_said(params: ReportParams, average: float | None) -> None:
    assert opposite_ranks({"sft": scores(0.7, average), "grpo-full": scores(0.9, 0.9)}, params) == ()


@pytest.mark.parametrize(("better", "worse", "opposed"), [(343, 356, True), (356, 343, False), (5, 5, False)])
def test_more_points_on_fewer_questions_are_marked(
    params: ReportParams, better: int, worse: int, opposed: bool
) -> None:
    gain = {"value": 0.019, "n": 1315, "ci95": [-0.011, 0.05], "better": better, "worse": worse, "p": 0.65}
    (row,) = difference_rows({"sft": scores(0.73, None, scalar_rm=gain), "scalar_rm": scores(0.71, None)}, params)
    assert (row.opposed, row.p) == (opposed, ".650")
