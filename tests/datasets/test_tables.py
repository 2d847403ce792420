"""Rows of tables: cells as they are, broken rows refused, broken files as far as they go."""

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.ipc
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.datasets.row_fields import NOT_ROWS
from reasrm.datasets.row_files import rows_of

ROWS = [
    {"prompt": "007", "chosen": "None", "rejected": 'NA, \n"b"'},
    {"prompt": "null", "chosen": "", "rejected": "1.0"},
]


def _read(file: Path) -> list[Any]:
    return [row.fault.detail if row.fault else row.row for row in rows_of(file, file.name)]


@pytest.mark.parametrize("name", ["a.csv", "a.CSV", "a.tsv"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_cells_stay_the_texts_that_they_are(name: str, encoding: str, tmp_path: Path) -> None:
    mark = "," if "csv" in name.lower() else "\t"
    cells = [
        ["prompt", "chosen", "rejected"],
        *(['"' + cell.replace('"', '""') + '"' for cell in row.values()] for row in ROWS),
    ]
    file = tmp_path / name
    file.write_bytes("\r\n".join(mark.join(row) for row in cells).encode(encoding))
    assert _read(file) == ROWS


def test_a_broken_row_of_a_table_costs_itself(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b'a,b\n1,2\n1\n1,2,3\n"x"y,2\n\xff,2\n3,4\n"never closed,5\n6,7\n')
    found = _read(file)
    assert [row for row in found if isinstance(row, dict)] == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]
    assert len(found) == 7
    file.write_bytes(b"a,a\n1,2\n")
    assert "twice" in _read(file)[0]


def test_parquet_and_arrow_and_compressed_files_are_read(tmp_path: Path) -> None:
    table = pyarrow.Table.from_pylist(ROWS)
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    with pyarrow.OSFile(str(tmp_path / "a.arrow"), "wb") as file, pyarrow.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    with pyarrow.OSFile(str(tmp_path / "b.arrow"), "wb") as file, pyarrow.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    for compression, ending in (("gzip", "gz"), ("bz2", "bz2"), ("zstd", "zst")):
        with pyarrow.CompressedOutputStream(str(tmp_path / f"a.csv.{ending}"), compression) as file:
            file.write(b'prompt,chosen,rejected\n007,None,"NA, \n""b"""\nnull,,1.0\n')
    for file in sorted(tmp_path.iterdir()):
        assert _read(file) == ROWS, file


def test_a_value_that_is_no_text_costs_its_row(tmp_path: Path) -> None:
    odd = pyarrow.array([b"a", b"\xff", b"c"]).cast(pyarrow.binary()).view(pyarrow.string())
    pyarrow.parquet.write_table(pyarrow.table({"n": odd}), tmp_path / "a.parquet")
    found = _read(tmp_path / "a.parquet")
    assert [found[0], found[2]] == [{"n": "a"}, {"n": "c"}]
    assert "UTF8" in found[1]


@pytest.mark.parametrize(("ending", "compress"), [("gz", gzip.compress), ("bz2", bz2.compress)])
def test_a_compressed_file_of_several_parts_is_one(
    ending: str, compress: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    parts = [compress(b'{"n": %d}\n' % n) for n in range(3)]
    (tmp_path / f"a.jsonl.{ending}").write_bytes(b"".join(parts))
    assert _read(tmp_path / f"a.jsonl.{ending}") == [{"n": 0}, {"n": 1}, {"n": 2}]
    (tmp_path / f"b.jsonl.{ending}").write_bytes(b"".join(parts)[:-9])
    assert _read(tmp_path / f"b.jsonl.{ending}")[:2] == [{"n": 0}, {"n": 1}]


def test_a_compressed_file_that_is_cut_off_gives_what_is_whole(tmp_path: Path) -> None:
    lines = b"".join(b'{"n": %d, "x": "%d"}\n' % (n, n**9) for n in range(20_000))
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines)[:-20_000])
    found = _read(tmp_path / "a.jsonl.gz")
    assert found[0] == {"n": 0, "x": "0"}
    assert sum(isinstance(row, str) for row in found) == 1


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.csv", "a.tsv", "a.csv.gz", "a.jsonl.zst", "a.json.bz2"])
@given(data=st.binary(min_size=1, max_size=60))
def test_any_bytes_are_rows_or_refused(name: str, data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("any") / name
    file.write_bytes(data)
    found = list(rows_of(file, name))
    assert found
    for row in found:
        if row.fault is not None:
            row.fault.detail.encode()
            assert "\n" not in row.fault.detail
            assert len(found) == 1 or row.fault.reason not in NOT_ROWS
