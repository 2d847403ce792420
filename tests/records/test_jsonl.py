"""Files of records: what is written is what is read, bad lines are named, killed writers leave nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.records.jsonl import BadRecordError, read_records, read_rows, write_records
from reasrm.records.pair import Message, PreferencePair, Role

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
PAIRS = st.builds(
    lambda question, chosen, rejected: PreferencePair(
        prompt=(Message(role=Role.USER, content=question),), chosen=chosen, rejected=rejected, source="test"
    ),
    TEXT,
    TEXT,
    TEXT,
)


@given(pairs=st.lists(PAIRS, max_size=5))
def test_writing_then_reading_is_nothing(pairs: list[PreferencePair], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("records") / "pairs.jsonl"
    assert write_records(path, pairs) == len(pairs)
    assert list(read_records(path, PreferencePair)) == pairs


def test_a_line_that_is_not_json_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n\n{"a": \n')
    with pytest.raises(BadRecordError, match=r"rows\.jsonl line 3: not valid JSON"):
        list(read_rows(path))


def test_a_wrong_field_is_named_with_its_value(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"prompt": [{"role": "user", "content": "q"}], "chosen": 7, "rejected": "b", "source": "s"}\n')
    with pytest.raises(BadRecordError, match=r"line 1: not a PreferencePair: chosen: .*got '7'"):
        list(read_records(path, PreferencePair))


def test_a_writer_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_records(path, [{"a": 1}])
    before = path.read_bytes()

    def rows() -> Iterator[dict[str, int]]:
        yield {"a": 2}
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_records(path, rows())
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["rows.jsonl"]


def test_the_bytes_do_not_depend_on_the_order_of_keys(tmp_path: Path) -> None:
    write_records(tmp_path / "one", [{"a": 1, "b": 2}])
    write_records(tmp_path / "two", [{"b": 2, "a": 1}])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_byte_order_mark_is_no_part_of_the_first_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_records(path, [_PAIR])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert list(read_records(path, PreferencePair)) == [_PAIR]
    assert [number for number, _ in read_rows(path)] == [1]


def test_utf_16_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes('{"a": 1}\n'.encode("utf-16"))
    with pytest.raises(BadRecordError, match="UTF-16"):
        list(read_rows(path))


def test_numbers_of_a_row_are_exact_and_nan_is_one(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": 340282366920938463463374607431768211456, "unused": NaN}\n')
    ((_, row),) = read_rows(path)
    assert row["id"] == 2**128


_PAIR = PreferencePair(prompt=(Message(role=Role.USER, content="q"),), chosen="a", rejected="b", source="test")
