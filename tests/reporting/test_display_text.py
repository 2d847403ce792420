"""What the eye would miss is spelled out, ordinary text of any script stays as it is, figures have one form."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.reporting.display_text import one_line, p_value, points, shortened, visible


def test_direction_overrides_are_shown() -> None:
    assert visible("abc\u202egnp.exe") == "abc⟦U+202E RIGHT-TO-LEFT OVERRIDE⟧gnp.exe"


def test_zero_width_and_controls_are_shown() -> None:
    assert visible("a\u200bb\x00c\x1b[31m\r") == "a⟦U+200B ZERO WIDTH SPACE⟧b⟦U+0000⟧c⟦U+001B⟧[31m⟦U+000D⟧"


def test_hidden_tag_characters_are_shown() -> None:
    assert "\U000e0041" not in visible("hi\U000e0041")


def test_ordinary_text_is_untouched() -> None:
    text = "Grüße, 你好, مرحبا, ❤️ and\ttabs\nlines"
    assert visible(text) == text


def test_a_row_of_variation_selectors_is_not_hidden() -> None:
    assert visible("x\ufe0f\ufe0f\ufe0f").count("VARIATION SELECTOR") == 2


def test_windows_line_ends_are_line_ends() -> None:
    assert visible("a\r\nb") == "a\nb"


@given(st.text())
def test_nothing_invisible_is_left(text: str) -> None:
    left = {c for c in visible(text) if unicodedata.category(c) in {"Cc", "Cs"}} - {"\n", "\t"}
    assert not left
    assert visible(visible(text)) == visible(text)


@given(st.text(), st.integers(min_value=2, max_value=50))
def test_short_texts_stay_whole_and_long_ones_keep_both_ends(text: str, limit: int) -> None:
    cut = shortened(text, limit)
    assert cut == text if len(text) <= limit else (cut.startswith(text[: limit // 2]) and "left out" in cut)


def test_a_line_has_no_breaks_and_a_limit() -> None:
    assert one_line("a\n  b\tc", 10) == "a b c"
    assert one_line("x" * 11, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(("share", "shown"), [(0.1, "+10.0"), (-0.0001, "+0.0"), (-0.05, "-5.0"), (0, "+0.0")])
def test_differences_have_a_sign_and_no_negative_zero(share: float, shown: str) -> None:
    assert points(share) == shown


@pytest.mark.parametrize(("p", "shown"), [(1.7e-74, "< .001"), (0.001, ".001"), (0.65, ".650"), (1.0, "1.000")])
def test_p_values_have_three_digits(p: float, shown: str) -> None:
    assert p_value(p) == shown
