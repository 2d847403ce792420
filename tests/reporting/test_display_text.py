"""Long texts keep both ends, figures have one form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.reporting.display_text import p_value, points, shortened


@given(st.text(), st.integers(min_value=2, max_value=50))
def test_short_texts_stay_whole_and_long_ones_keep_both_ends(text: str, limit: int) -> None:
    cut = shortened(text, limit)
    assert cut == text if len(text) <= limit else (cut.startswith(text[: limit // 2]) and "left out" in cut)


@pytest.mark.parametrize(("share", "shown"), [(0.1, "+10.0"), (-0.0001, "+0.0"), (-0.05, "-5.0"), (0, "+0.0")])
def test_differences_have_a_sign_and_no_negative_zero(share: float, shown: str) -> None:
    assert points(share) == shown


@pytest.mark.parametrize(("p", "shown"), [(1.7e-74, "< .001"), (0.001, ".001"), (0.65, ".650"), (1.0, "1.000")])
def test_p_values_have_three_digits(p: float, shown: str) -> None:
    assert p_value(p) == shown
