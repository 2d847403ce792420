"""Rows of JSON files: what is broken costs the broken row, whatever else is in the file."""

import codecs
import io
import json
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reasrm.datasets.json_files import json_rows
from reasrm.datasets.row_fields import RowRefusedError
from tests.fixtures.json_values import JSON_VALUES

GOOD = b'{"n": 1}'


def _read(data: bytes, *, lines: bool = True) -> list[tuple[int, Any]]:
    """Places and rows; a refused one as its reason."""
    found = json_rows(io.BufferedReader(io.BytesIO(data)), lines=lines)  # type: ignore[arg-type]  # BytesIO is one
    return [(place, row.detail if isinstance(row, RowRefusedError) else row) for place, row in found]


def _used(data: bytes, *, lines: bool = True) -> list[Any]:
    return [row for _, row in _read(data, lines=lines) if not isinstance(row, str)]


@given(rows=st.lists(JSON_VALUES.filter(lambda value: not isinstance(value, str)), max_size=5))
def test_lists_and_lines_are_read_whatever_the_file_is_called(rows: list[Any]) -> None:
    objects = [{"row": row} for row in rows]
    lines = b"".join(json.dumps(row).encode() + b"\n" for row in objects)
    for called_lines in (True, False):
        assert _used(lines, lines=called_lines) == objects
        for written in (json.dumps(objects), json.dumps(objects, indent=2)):
            if len(objects) > 1 or "\n" not in written:
                assert _used(written.encode(), lines=called_lines) == objects


@given(data=st.binary(max_size=120) | st.text(st.sampled_from('[]{}",:\\ \n\r1nua\ufeff\u2028'), max_size=60))
@example(data=b'[{"a": 1}, {"a": 1, "a": 2}, {"b": ')
def test_any_bytes_are_rows_or_refusals_at_places_of_their_own(data: bytes | str) -> None:
    written = data if isinstance(data, bytes) else data.encode()
    for lines in (True, False):
        places = [place for place, _ in _read(written, lines=lines)]
        assert len(set(places)) == len(places)


@pytest.mark.parametrize(
    "odd",
    [
        b'{"n": 1',
        b'{"n": "\\ud83d"}',
        b'{"n": "\xff"}',
        b'{"n": 1, "n": 2}',
        b'{"n": 1,}',
        b'{"n": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"n": ' + b"9" * 5000 + b"}",
        b'{"n": "' + b"\x00" * 20 + b'"}',
        b"{'n': 1}",
        b'{"n": undefined}',
    ],
    ids=range(10),
)
def test_one_odd_row_costs_itself(odd: bytes) -> None:
    lines = _read(b"\n".join([GOOD, odd, GOOD, b""]))
    assert [place for place, _ in lines] == [1, 2, 3]
    assert [row for _, row in lines if not isinstance(row, str)] == [{"n": 1}] * 2
    if not odd.endswith(b"}"):
        return  # cut off inside a list, see below
    entries = _read(b"[" + b", ".join([GOOD, odd, GOOD]) + b"]", lines=False)
    assert [place for place, _ in entries] == [0, 1, 2]
    assert [isinstance(row, str) for _, row in entries] == [False, True, False]


def test_a_list_that_is_cut_off_gives_what_is_whole_and_one_refusal() -> None:
    whole = json.dumps([{"n": 1}, {"n": 1}, {"n": 1}]).encode()
    assert _used(whole[:-5], lines=False) == [{"n": 1}] * 2
    assert len(_read(whole[:-5], lines=False)) == 3
    assert "cut off" in _read(whole[:-1], lines=False)[-1][1]
    assert "follows" in _read(whole + b"x", lines=False)[-1][1]


@pytest.mark.parametrize("lines", [True, False])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_says_the_encoding(encoding: str, lines: bool) -> None:
    text = '{"n": "é"}\r\n\r\n{"n": "\u2028"}\r\n'
    assert _read(text.encode(encoding), lines=lines) == [(1, {"n": "é"}), (3, {"n": "\u2028"})]


def test_a_file_in_utf_16_that_is_cut_off_gives_what_is_whole() -> None:
    found = _read(codecs.BOM_UTF16_LE + '{"n": 1}\n'.encode("utf-16-le") + b"\x00")
    assert found[0] == (1, {"n": 1})
    assert "utf-16-le" in found[1][1]


def test_values_over_several_lines_are_read_from_a_json_file() -> None:
    assert _used(b'{\n "n": 1\n}\n{\n "n": 2\n}\n', lines=False) == [{"n": 1}, {"n": 2}]
    assert [place for place, _ in _read(b'{\n "n": 1\n}\n{\n "n"', lines=False)] == [0, 1]
    assert _used(b'{"broken\n{"n": 2}\n', lines=False) == [{"n": 2}]


@pytest.mark.parametrize("data", [b"", b"\n \r\n", codecs.BOM_UTF8, b"[]", b"[ ]\n", b"\n\n[\n]"])
def test_nothing_is_no_row(data: bytes) -> None:
    assert _read(data, lines=False) == [] == _read(data)


def test_a_long_line_is_a_row() -> None:
    assert len(_used(b'{"n": "' + b"x" * 5_000_000 + b'"}\n' + GOOD)) == 2


def test_a_list_of_odd_entries_takes_time_in_proportion() -> None:
    """An error of the decoder counts all lines before it: 20,000 errors in a list of 20,000 took minutes."""
    data = b"[" + b",\n".join([b"{'n': 1, 'text': '" + b"x" * 400 + b"'}"] * 20_000) + b"]"
    began = time.perf_counter()
    assert len(_read(data, lines=False)) == 20_000
    assert time.perf_counter() - began < 20
