"""What the eye would miss or a terminal would obey is spelled out; JSON holds nothing but JSON; the rest stays."""

import json
import math
import unicodedata
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.records.harmless_text import ascii_json, harmless, json_text, one_line

OBEYED = {
    "colour": "\x1b[31m",
    "title": "\x1b]0;owned\x07",
    "clipboard": "\x1b]52;c;cm0gLXJm\x1b\\",
    "link": "\x1b]8;;http://127.0.0.1\x1b\\text\x1b]8;;\x1b\\",
    "clear": "\x1b[2J\x1b[H",
    "device": "\x1bP$q\x1b\\",
    "one byte CSI": "\x9b31m",
    "one byte OSC": "\x9d0;owned\x9c",
    "backspace": "sure\x08\x08\x08\x08",
    "bell": "\x07",
    "carriage return": "100 %\rA",
    "form feed": "\x0c",
    "shift out": "\x0e",
    "delete": "\x7f",
    "null": "\x00",
    "next line": "\x85",
    "line separator": "\u2028",
    "override": "\u202egnp.exe",
    "isolate": "\u2066x\u2069",
    "zero width": "a\u200bb",
    "tags": "hi\U000e0041",
    "half": "\ud83d",
    "invisible music": "\U0001d173",
}


def test_direction_overrides_are_shown() -> None:
    assert harmless("abc\u202egnp.exe") == "abc⟦U+202E RIGHT-TO-LEFT OVERRIDE⟧gnp.exe"


def test_zero_width_and_controls_are_shown() -> None:
    assert harmless("a\u200bb\x00c\x1b[31m\r") == "a⟦U+200B ZERO WIDTH SPACE⟧b⟦U+0000⟧c⟦U+001B⟧[31m⟦U+000D⟧"


@pytest.mark.parametrize("text", OBEYED.values(), ids=OBEYED)
def test_nothing_of_others_is_obeyed(text: str) -> None:
    shown = harmless(text)
    printed = json_text({text: [text]})
    assert shown.isprintable()
    assert printed.isprintable()
    assert json.loads(printed) == {text: [text]}


def test_ordinary_text_is_untouched() -> None:
    text = "Grüße, 你好, مرحبا, ❤️ and\ttabs\nlines"
    assert harmless(text) == text
    assert json_text(text) == json.dumps(text, ensure_ascii=False)


def test_a_row_of_variation_selectors_is_not_hidden() -> None:
    assert harmless("x\ufe0f\ufe0f\ufe0f").count("VARIATION SELECTOR") == 2


def test_windows_line_ends_are_line_ends() -> None:
    assert harmless("a\r\nb") == "a\nb"


@given(st.text(st.characters()))
def test_nothing_invisible_is_left(text: str) -> None:
    left = {c for c in harmless(text) if unicodedata.category(c) in {"Cc", "Cs"}} - {"\n", "\t"}
    assert not left
    assert harmless(harmless(text)) == harmless(text)


def test_a_line_has_no_breaks_and_a_limit() -> None:
    assert one_line("a\n  b\tc", 10) == "a b c"
    assert one_line("x" * 11, 10) == "x" * 9 + "…"


ODD_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(ODD_JSON)
def test_what_is_called_json_is_json_and_says_the_same(value: Any) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    text = json_text(value)
    assert json.loads(text, parse_constant=refuse) == json.loads(ascii_json(text)) == finite(value)
    assert ascii_json(text).isascii()
    assert not {c for c in text if unicodedata.category(c) in {"Cc", "Cs"}}


def finite(value: Any) -> Any:
    """`value` with None for what JSON lacks."""
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def test_numbers_without_a_value_are_null() -> None:
    assert json_text({"a": math.nan, "b": (math.inf, -math.inf)}) == '{"a": null, "b": [null, null]}'
    assert orjson.loads(json_text([math.nan], indent=1)) == [None]
