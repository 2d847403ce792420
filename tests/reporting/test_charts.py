"""Heat maps diverge at chance; each kind of training has plots that say what it is."""

import pytest

from reasrm.reporting.charts import ModelView, budget_chart, curve_groups, diverging
from reasrm.reporting.curves import Curve
from reasrm.reporting.model_scores import ModelScores
from reasrm.reporting.source import model_views
from reasrm.reporting.themed_svg import plot_style
from stages.report import ReportParams


@pytest.mark.parametrize(
    ("accuracy", "colour"),
    [
        (0.5, "--hue: var(--above); --strength: 0%"),
        (0.335, "--hue: var(--below); --strength: 33%"),
        (0.0, "--hue: var(--below); --strength: 100%"),
        (0.75, "--hue: var(--above); --strength: 50%"),
        (1.0, "--hue: var(--above); --strength: 100%"),
    ],
)
def test_chance_is_neutral_and_both_sides_are_coloured(accuracy: float, colour: str) -> None:
    assert diverging(accuracy) == colour


def test_a_loss_over_pairs_is_not_called_one_over_tokens() -> None:
    curves = tuple(
        Curve(run, metric, (20.0, 40.0), (0.7, 0.5))
        for run, metric in (("sft", "loss"), ("scalar_rm", "loss"), ("scalar_rm", "margin"))
    )
    with plot_style():
        (group,) = curve_groups(curves, {"sft": "SFT", "scalar_rm": "ScalarRM"}, {"sft": 0, "scalar_rm": 1})
    units = {chart.title: chart.unit for chart in group.charts}
    assert units == {"SFT: loss": "nats per token", "ScalarRM: loss": "nats per pair", "ScalarRM: margin": "score"}


def test_dev_accuracy_says_out_of_how_many_it_is() -> None:
    figures = (("dev/accuracy", 0.8), ("dev/pairs", 100.0), ("reward", 0.5))
    curves = tuple(Curve("grpo-full", metric, (10.0, 20.0), (value, value)) for metric, value in figures)
    with plot_style():
        (group,) = curve_groups(curves, {"grpo-full": "GRPO"}, {"grpo-full": 0})
    (dev,) = (chart for chart in group.charts if chart.title == "Dev accuracy")
    assert dev.reading.endswith("n = 100 pairs; the shade is the 95 % interval (Wilson).")
    assert "to 0.8 (0.711 to 0.867) at step 20" in dev.plot


def test_accuracy_within_budgets_ends_with_what_no_budget_gives() -> None:
    card = {
        "accuracy": 0.9, "n": 10, "ci95": [0.8, 0.95], "flip_rate": None, "families": {}, "benchmarks": {},
        "average": None, "unreadable_rate": 0.0, "unreadable": {}, "picked_a": None, "better_is_a": None,
        "both_orders_right": None, "judged": 20, "longer": None, "shorter": None, "differences": {},
    }  # fmt: skip
    budgets = {"token_budgets": {"16": {"accuracy": 0.6, "n": 10, "ci95": [0.5, 0.7]}}}
    asked = ModelView("sft", "SFT", 1, ModelScores.model_validate(card | budgets))
    other = ModelView("scalar_rm", "ScalarRM", 2, ModelScores.model_validate(card))
    with plot_style():
        found = budget_chart([asked, other], limit=96)
        assert budget_chart([other], limit=96) is None
    assert found is not None
    assert [entry.label for entry in found.legend] == ["SFT"]
    assert "sft from 0.6 at step 16 to 0.9 (0.800 to 0.950) at step 96" in found.charts[0].plot
    assert "tokens of reasoning" in found.charts[0].plot


def test_a_model_without_a_name_has_a_colour_of_its_own() -> None:
    card = {
        "accuracy": 0.5, "n": 10, "ci95": [0.4, 0.6], "flip_rate": None, "families": {}, "benchmarks": {},
        "average": None, "unreadable_rate": 0.0, "unreadable": {}, "picked_a": None, "better_is_a": None,
        "both_orders_right": None, "judged": 20, "longer": None, "shorter": None, "differences": {},
    }  # fmt: skip
    scores = {name: ModelScores.model_validate(card) for name in ("a", "other", "b", "c", "d")}
    named = ReportParams.load().model_copy(update={"models": {name: name.upper() for name in "abcd"}})
    views = model_views(scores, named)
    assert [view.label for view in views] == ["A", "B", "C", "D", "other"]
    assert len({view.series for view in views}) == len(views)
