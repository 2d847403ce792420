"""Rows of benchmarks from a folder of files in their published layout, with the place each row came from."""

import json
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from reasrm.records.jsonl import BadRecordError, read_rows
from reasrm.runtime.stage_main import StageError


class DataSource(StrEnum):
    """Where a stage takes rows from."""

    MINIATURE = "miniature"
    """The miniature's own world: benchmarks and pairs in the published schemas, but not the published ones."""
    FILES = "files"
    """A folder of files in their published layout (`data/raw/README.md`)."""
    HUB = "hub"
    """Downloaded from where they are published."""


class RowInFile(NamedTuple):
    """A row as it was found."""

    file: str
    """Relative to the folder."""
    place: int
    """Line of a JSONL file from 1, index in a JSON list or a table from 0."""
    row: Any


def rows_below(folder: Path, layout: Sequence[str], name: str) -> Iterator[RowInFile]:
    """All rows of the benchmark `name`, whose files match `layout`, in sorted order of files.

    Raises:
        StageError: a file of the layout is missing.
        BadRecordError: a file is not what its name says.
    """
    for pattern in layout:
        files = sorted(file for file in folder.glob(pattern) if file.is_file())
        if not files:
            raise StageError(
                f"{folder} has no {pattern}, which {name} needs (data/raw/README.md shows the layout): put it "
                f"there, or take {name} out of `benchmarks` in section `collect_benchmarks` of params.yaml"
            )
        for file in files:
            yield from rows_of(file, file.relative_to(folder).as_posix())


def files_beside(folder: Path, layout: Sequence[str]) -> list[str]:
    """Files in the benchmark's folder that are not part of its layout and so are not read."""
    read = {file for pattern in layout for file in folder.glob(pattern)}
    top = folder / layout[0].split("/", 1)[0]
    return sorted(file.relative_to(folder).as_posix() for file in top.rglob("*") if file.is_file() and file not in read)


def rows_of(file: Path, name: str) -> Iterator[RowInFile]:
    """The rows of a `.jsonl`, `.json` (a list) or `.parquet` file; `name` is how it is called from then on."""
    if file.suffix == ".jsonl":
        rows: Iterable[tuple[int, Any]] = read_rows(file)
    elif file.suffix == ".parquet":
        rows = enumerate(_table(file))
    else:
        rows = enumerate(_list(file))
    for place, row in rows:
        yield RowInFile(name, place, row)


def _list(file: Path) -> list[Any]:
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadRecordError(f"{file}: not valid JSON ({error}); copy the file again") from error
    if not isinstance(rows, list):
        raise BadRecordError(f"{file}: must hold a list of rows, it holds a {type(rows).__name__}")
    return rows


def _table(file: Path) -> list[Any]:
    import pyarrow.parquet

    rows: list[Any] = pyarrow.parquet.read_table(file).to_pylist()
    return rows
