"""Figures are read as they stand: every digit before the point, and never a power of ten."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.reporting.probe_figures.measure_text import number_text, with_unit
from tests.reporting.made_up_measures import measure

PERCENT = measure("nldd", 3.0, 1.0, unit="%")


@pytest.mark.parametrize(
    ("number", "text"),
    [(3667.9485, "3,668"), (-416.52, "-417"), (36.68, "36.7"), (3.25, "3.25"), (0.01234, "0.0123"), (0, "0"),
     (-1e-12, "0"), (1e6, "1,000,000"), (99.96, "100")],
)  # fmt: skip
def test_figures_in_another_unit(number: float, text: str) -> None:
    assert number_text(PERCENT, number) == text


@given(st.floats(-1e9, 1e9))
def test_what_is_shown_is_the_figure_to_three_digits(number: float) -> None:
    text = number_text(PERCENT, number)
    assert "e" not in text
    assert float(text.replace(",", "")) == pytest.approx(number, rel=0.006, abs=1e-6)


def test_the_unit_stands_behind_the_figure() -> None:
    assert with_unit(measure("share", 0.25, 0.1)) == "25.0 %"
    assert with_unit(measure("gap", -0.25, 0.1, null=0.0, p=0.1)) == "-25.0 points"
    assert with_unit(PERCENT) == "3 %"
