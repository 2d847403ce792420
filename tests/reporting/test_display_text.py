"""What the eye would miss is spelled out; ordinary text of any script stays as it is."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from reasrm.reporting.visible_text import shortened, visible


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
