"""Rows of tables: CSV and TSV, Parquet, Arrow. A row that cannot be read is refused; what a table lacks is not made up.

Cells of CSV stay the texts that they are: whoever infers types reads `007` as 7 and the answer `None` as nothing.
"""

import csv
import sys
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO

from reasrm.datasets.folder_files import printable_text
from reasrm.datasets.json_files import PlacedRow, byte_order_encoding
from reasrm.datasets.row_fields import Refusal, RowRefusedError, names
from reasrm.records.json_parsing import not_unicode

ROWS_AT_ONCE = 1024


def csv_rows(file: BinaryIO, delimiter: str) -> Iterator[PlacedRow]:
    """The rows of a table in text, whose first row names the fields; their place counts from 0.

    Raises:
        UnicodeError: it is no text from here on.
    """
    csv.field_size_limit(sys.maxsize)
    encoding = byte_order_encoding(file)
    errors = "surrogateescape" if encoding.startswith("utf-8") else "strict"
    table = csv.reader(TextIOWrapper(file, encoding, errors, newline=""), delimiter=delimiter, strict=True)
    fields: list[str] | None = None
    place = 0
    while True:
        try:
            cells = next(table)
        except StopIteration:
            return
        except csv.Error as error:
            yield place, RowRefusedError(Refusal.UNREADABLE, f"line {table.line_num}: {error}")
            place += 1
            continue
        if not cells:
            continue
        if fields is None:
            fields = cells
            continue
        yield place, _row(fields, cells)
        place += 1


def _row(fields: list[str], cells: list[str]) -> Any:
    if len(set(fields)) != len(fields):
        return RowRefusedError(Refusal.UNREADABLE, f"a field occurs twice in the table's head: {names(fields)}")
    if len(cells) != len(fields):
        return RowRefusedError(Refusal.UNREADABLE, f"{len(cells)} cells for the {len(fields)} fields of the table")
    row = dict(zip(fields, cells, strict=True))
    place = not_unicode(row)
    return row if place is None else RowRefusedError(Refusal.UNREADABLE, f"{place} is not valid UTF-8")


def parquet_rows(file: Path) -> Iterator[PlacedRow]:
    """The rows of a Parquet file; their place counts from 0.

    Raises:
        OSError: it is broken from here on.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(file) as table:
            yield from _batches(table.iter_batches(ROWS_AT_ONCE))
    except pyarrow.ArrowException as error:
        raise OSError(str(error)) from error


def arrow_rows(file: Path) -> Iterator[PlacedRow]:
    """The rows of an Arrow file (`datasets.save_to_disk` writes streams of them); their place counts from 0.

    Raises:
        OSError: it is broken from here on.
    """
    import pyarrow
    import pyarrow.ipc

    try:
        with file.open("rb") as head:
            is_stream = head.read(6) != b"ARROW1"
        with pyarrow.memory_map(str(file)) as source:
            table = pyarrow.ipc.open_stream(source) if is_stream else pyarrow.ipc.open_file(source)
            batches = table if is_stream else (table.get_batch(at) for at in range(table.num_record_batches))
            yield from _batches(batches)
    except pyarrow.ArrowException as error:
        raise OSError(str(error)) from error


def _batches(batches: Any) -> Iterator[PlacedRow]:
    place = 0
    for batch in batches:
        for at in range(0, batch.num_rows, ROWS_AT_ONCE):
            for row in _rows(batch.slice(at, ROWS_AT_ONCE)):
                yield place, row
                place += 1


def _rows(batch: Any) -> list[Any]:
    """The rows of a batch; where one cannot be read, each by itself.

    Batches are validated first: pyarrow follows whatever offsets a damaged file gives it.
    """
    try:
        batch.validate(full=True)
        return list(batch.to_pylist())
    except (ValueError, OSError, OverflowError) as error:  # bytes that are no UTF-8, bad offsets, dates beyond Python's
        if batch.num_rows == 1:
            return [RowRefusedError(Refusal.UNREADABLE, f"a value cannot be read ({printable_text(str(error))})")]
        return [row for at in range(batch.num_rows) for row in _rows(batch.slice(at, 1))]
