"""Bodies of responses: read as they were meant, or refused with their beginning and without keys."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.apis.json_documents import REPLACEMENT, UnreadableBodyError, parsed

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=4), inside, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("content", "value", "damaged"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}, 0),
        ('{"a": "\N{GRINNING FACE}"}'.encode("utf-16"), {"a": "\N{GRINNING FACE}"}, 0),
        (b'{"a": NaN, "b": -Infinity, "c": 1e999}', {"a": None, "b": None, "c": None}, 0),
        (b'{"a": NaN, "b": ' + b"9" * 5000 + b"}", {"a": None, "b": None}, 0),
        (b'{"a": 1, "a": 2}', {"a": 2}, 0),
        (b'{"a": "x\ny"}', {"a": "x\ny"}, 0),
        (rb'{"a": "\ud83d\ude00 \ud83d", "b": "\ude00\\ud83d"}', {"a": "\N{GRINNING FACE} " + REPLACEMENT,
                                                                "b": REPLACEMENT + "\\ud83d"}, 2),
        (b'{"a": "\xff", "b": "\xef\xbf\xbd"}', {"a": REPLACEMENT, "b": REPLACEMENT}, 1),
        (b"[" * 900 + b"]" * 900, None, 0),
    ],
)  # fmt: skip
def test_what_is_odd_is_read_as_it_was_meant(content: bytes, value: object, damaged: int) -> None:
    document = parsed(content, str)
    assert value is None or document.value == value
    assert document.damage == (f"{damaged} damaged characters replaced" if damaged else "")


@pytest.mark.parametrize(
    "content",
    [b"", b" ", b"<html>", b'{"a": ', b"data: {}\n\ndata: [DONE]", b"\x1f\x8b\x08\x00", b"[" * 100_000, b"nul",
     b"{'a': 1}", b'{"a": 1}{"a": 2}'],
)  # fmt: skip
def test_what_is_no_json_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableBodyError, match="it begins with"):
        parsed(content, str)


def test_the_beginning_of_a_page_is_shown_without_keys() -> None:
    with pytest.raises(UnreadableBodyError, match=r"it begins with '<html>\[key\]"):
        parsed(b"<html>canary-4711 " + b"x" * 200, lambda text: text.replace("canary-4711", "[key]"))


@given(JSON, st.booleans())
def test_whatever_python_writes_is_read_and_can_be_written(value: object, as_ascii: bool) -> None:
    content = json.dumps(value, ensure_ascii=as_ascii).encode("utf-8", "surrogatepass")
    read = parsed(content, str).value
    json.dumps(read, ensure_ascii=False, allow_nan=False).encode()


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        parsed(content, str)
    except UnreadableBodyError as error:
        assert "begins" in str(error)  # noqa: PT017
