"""JSON that others wrote: what is taken as it is, and what is refused with its reason."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.records.json_parsing import DEEPEST, NotJsonError, parse_json
from tests.fixtures.json_values import JSON_VALUES


@given(value=JSON_VALUES)
def test_what_python_writes_is_read(value: Any) -> None:
    assert parse_json(json.dumps(value)) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


@given(data=st.binary(max_size=200) | st.text(max_size=60))
def test_any_text_is_a_value_or_refused(data: bytes | str) -> None:
    reason = ""
    try:
        parse_json(data)
    except NotJsonError as error:
        reason = str(error)
    assert "\n" not in reason
    reason.encode()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"\xef\xbb\xbf7", 7),
        ('"\\u2028"', "\u2028"),
        ('"a\u2028b"', "a\u2028b"),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        ('"\\u0000"', "\x00"),
        ("340282366920938463463374607431768211456", 2**128),
        ("1e999", math.inf),
        ("[-Infinity]", [-math.inf]),
        ("[" * DEEPEST + "]" * DEEPEST, None),
    ],
)
def test_odd_but_clear(text: bytes | str, value: Any) -> None:
    found = parse_json(text)
    assert value is None or found == value


def test_nan_is_taken() -> None:
    assert math.isnan(parse_json('{"unused": NaN}')["unused"])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('"\\ud83d"', "lone surrogate"),
        ('{"a\\nb": "\\ud83d"}', r"`'a\\nb'` holds half"),
        ('{"\\udc00": 1}', "a key holds half"),
        ('{"a": [1, {"b": "x\\ud83d"}]}', r"`a\[1\]\.b` holds half of a character \(a lone surrogate\)"),
        (b'"\xff"', "not valid UTF-8"),
        ('{"a": 1, "a": 2}', "twice"),
        ('[{"b": {"a": 1, "a": 2}}]', "twice"),
        ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "nested"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "nested"),
        ("[" * 1_000_000, "nested"),
        ("9" * 5000, "digits"),
        ("{'a': 1}", "not valid JSON"),
        ('{"a": 1,}', "not valid JSON"),
        ('"a\tb"', "not valid JSON"),
        ('{"a": 1} {"a": 2}', "not valid JSON"),
        ("\x00", "not valid JSON"),
        ("", "not valid JSON"),
        ("nan", "not valid JSON"),
    ],
)
def test_unclear_or_unusable(text: bytes | str, why: str) -> None:
    with pytest.raises(NotJsonError, match=why):
        parse_json(text)
