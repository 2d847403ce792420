"""What must be known with the headline: ranks that disagree, and a p that speaks of the opposite sign."""

from typing import Any

import pytest

from reasrm.reporting.benchmark_figures.headline import difference_rows, opposite_ranks, style_gains
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
    assert found == ("SFT on traces against ScalarRM: accuracy 73.3 against 71.3, average 76.9 against 80.2.",)


@pytest.mark.parametrize("average", [None, 0.8])
def test_without_an_average_or_with_the_same_order_nothing_is_said(params: ReportParams, average: float | None) -> None:
    assert opposite_ranks({"sft": scores(0.7, average), "grpo-full": scores(0.9, 0.9)}, params) == ()


@pytest.mark.parametrize(("better", "worse", "opposed"), [(343, 356, True), (356, 343, False), (5, 5, False)])
def test_more_points_on_fewer_questions_are_marked(
    params: ReportParams, better: int, worse: int, opposed: bool
) -> None:
    gain = {"value": 0.019, "n": 1315, "ci95": [-0.011, 0.05], "better": better, "worse": worse, "p": 0.65}
    named = params.model_copy(update={"differences": (("sft", "scalar_rm"),)})
    (row,) = difference_rows({"sft": scores(0.73, None, scalar_rm=gain), "scalar_rm": scores(0.71, None)}, named)
    assert (row.opposed, row.p) == (opposed, ".650")


def test_the_cells_of_rm_bench_are_compared_level_by_level(params: ReportParams) -> None:
    def judged(hard: float, easy: float) -> ModelScores:
        cells = {"hard": {"value": hard}, "easy": {"value": easy}}
        card = {"score": 0.5, "n": 9, "ci95": [0, 1], "unreadable_rule": "", "difficulties": cells}
        return ModelScores.model_validate(scores(0.5, None).model_dump() | {"benchmarks": {"rm_bench": card}})

    both = {"sft": judged(0.5, 0.9), "grpo-full": judged(0.8, 0.875)}
    said = "From SFT on traces to SFT + GRPO, in points: hard +30.0, easy -2.5."
    assert style_gains(both, params) == (said,)
    assert style_gains({"sft": judged(0.5, 0.9)}, params) == ()
