"""Slices stand in two parts, and the sentence on the shift says no more than its interval."""

from typing import Any

import pytest

from reasrm.reporting.benchmark_figures.slice_chart import slice_chart
from reasrm.reporting.charts import ModelView
from reasrm.reporting.model_scores import ModelScores, ReportedShift


def model(name: str, **slices: float) -> ModelView:
    figures = {key: {"accuracy": value, "n": 9, "ci95": [value - 0.1, value + 0.1]} for key, value in slices.items()}
    card = {
        "accuracy": 0.5, "n": 10, "ci95": [0.4, 0.6], "flip_rate": None, "families": {}, "slices": figures,
        "benchmarks": {}, "average": None, "unreadable_rate": 0.0, "unreadable": {}, "picked_a": None,
        "better_is_a": None, "both_orders_right": None, "judged": 20, "longer": None, "shorter": None,
        "differences": {},
    }  # fmt: skip
    return ModelView(name, name.upper(), 0, ModelScores.model_validate(card))


def shift(gap: tuple[float, float] | None) -> ReportedShift:
    def gained(value: float) -> dict[str, Any]:
        return {"value": value, "n": 9, "ci95": [value - 0.02, value + 0.02], "better": 3, "worse": 1, "p": 0.1}

    return ReportedShift.model_validate({
        "covered": {"earlier": 0.8, "later": 0.81, "difference": gained(0.01)},
        "shift": {"earlier": 0.7, "later": 0.8, "difference": gained(0.1)},
        "slices": {"short": gained(0.01), "long": gained(0.1)}, "gap": 0.09, "gap_ci95": gap,
    })  # fmt: skip


MODELS = (model("base", short=0.6, long=0.3), model("sft", short=0.8, long=0.7), model("grpo", short=0.81, long=0.8))


def test_covered_slices_come_first_with_their_gains() -> None:
    found = slice_chart(MODELS, {"short"}, shift((0.05, 0.13)))
    assert found is not None
    covered, beyond = found.groups
    assert [row.name for row in covered.rows] == ["short"]
    assert [row.name for row in beyond.rows] == ["long"]
    assert [figure.value for figure in beyond.rows[0].figures] == [0.3, 0.7, 0.8]
    assert beyond.rows[0].gain is not None
    assert (covered.gain, beyond.gain) == (shift(None).covered.difference, shift(None).shift.difference)
    assert beyond.accuracies == pytest.approx((0.3, 0.7, 0.8))
    assert found.verdict == (
        "GRPO over SFT: +10.0 points [+8.0, +12.0] on what no trace covers, +1.0 [-1.0, +3.0] on what traces cover; "
        "+9.0 points [+5.0, +13.0] between the two."
    )


@pytest.mark.parametrize(
    ("gap", "end"), [((-0.01, 0.2), "between the two, so a difference is not shown."), (None, "what traces cover.")]
)
def test_a_difference_that_may_be_none_is_not_claimed(gap: tuple[float, float] | None, end: str) -> None:
    found = slice_chart(MODELS, {"short"}, shift(gap))
    assert found is not None
    assert found.verdict.endswith(end)


def test_without_parts_there_is_one_group_and_without_slices_none() -> None:
    found = slice_chart(MODELS, (), None)
    assert found is not None
    assert [(group.title, len(group.rows), group.gain) for group in found.groups] == [("", 2, None)]
    assert slice_chart((model("base"),), {"short"}, None) is None
