"""Final results of solutions in free text."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.policy.reference_result import final_result, marked_result, same_result


@pytest.mark.parametrize(
    ("text", "marked", "final"),
    [
        (r"\boxed{1}, no: \boxed{\frac{1}{2}}.", r"\frac{1}{2}", r"\frac{1}{2}"),
        (r"It is \fbox{3} or $\fboxed{x^{2}}$; 7 remain.", "x^{2}", "x^{2}"),
        ("2 + 2 = 4\n#### 1,234", "1,234", "1,234"),
        ("#### $1,234 ", "1,234", "1,234"),
        ("#### 3. Combine the parts\nSo we have 7.", None, "7"),
        ("The answer is: **$-5$**, not 6.", "-5", "-5"),
        ("The answer is yes: 6.", None, "6"),
        ("we get 5-3 = 2.", None, "2"),
        ("from 8 it falls to \u22123", None, "-3"),
        (r"half of it, $\dfrac{3}{4}$.", None, "3/4"),
        ("about 12.50 dollars", None, "12.50"),
        (r"\boxed{7", None, "7"),
        (r"\boxed{} so 7", None, "7"),
        ("version v1.5.2", None, None),
        ("I do not know.", None, None),
    ],
)
def test_a_solution_marks_its_result_or_ends_with_it(text: str, marked: str | None, final: str | None) -> None:
    assert marked_result(text) == marked
    assert final_result(text) == final


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("0.50", r"\frac{1}{2}", True),
        ("-1/2", r"-\frac12", False),
        ("50\\%", "50", True),
        ("$1,000", "1000.0", True),
        ("x + 1", "x+1", True),
        (r"\left( 1,\, 2 \right)", "(1,2)", True),
        (r"\text{Paris}.", "Paris", True),
        (r"90^\circ", "90", True),
        ("1/3", "0.33", False),
        ("3,5", "35", False),
        ("x", "y", False),
        ("7", "seven", False),
    ],
)
def test_results_are_the_same_by_value_or_by_text(one: str, other: str, same: bool) -> None:
    assert same_result(one, other) is same
    assert same_result(other, one) is same


@given(st.integers(-(10**7), 10**7), st.integers(1, 99), st.integers(0, 4))
def test_a_number_is_the_same_however_it_is_written(above: int, below: int, zeros: int) -> None:
    for written in (f"{above:,}", f"{above}.{'0' * (zeros + 1)}", rf"\frac{{{above}}}{{1}}", f"${above}$"):
        assert same_result(written, str(above))
        assert not same_result(written, str(above + 1))
        assert marked_result(rf"So \boxed{{{written}}}.") == written
    assert same_result(f"{above}/{below}", rf"\frac{{{above}}}{{{below}}}")
    assert same_result(f"{above}/{below}", str(above)) is (Fraction(above, below) == above)
