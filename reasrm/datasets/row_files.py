"""Rows of files that others wrote, with the place each row came from, and what cannot be read in its place.

The ending says how a file is read (`READERS`, in any case, with `.gz`, `.bz2` or `.zst` behind it for those of text).
What is broken costs the row that is broken; only where nobody can say where the next row begins, the rest is one
refused row. A file of which nothing can be read is refused as a file.
"""

import bz2
import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from reasrm.datasets.folder_files import FolderFile, files_below, printable_text
from reasrm.datasets.json_files import PlacedRow, json_rows
from reasrm.datasets.row_fields import Refusal, RowRefusedError
from reasrm.datasets.tables import arrow_rows, csv_rows, parquet_rows
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
    fault: RowRefusedError | None = None
    """Why there is no row at this place."""


READERS: dict[str, Callable[[BinaryIO], Iterator[PlacedRow]]] = {
    ".jsonl": partial(json_rows, lines=True),
    ".ndjson": partial(json_rows, lines=True),
    ".json": partial(json_rows, lines=False),
    ".csv": partial(csv_rows, delimiter=","),
    ".tsv": partial(csv_rows, delimiter="\t"),
}
"""Ending to what reads such a file of text."""
TABLES = {".parquet": parquet_rows, ".arrow": arrow_rows}
"""Ending to what reads such a file of columns."""
COMPRESSIONS = (".gz", ".bz2", ".zst")
ENDINGS = (*READERS, *TABLES)


def rows_below(folder: Path, layout: Sequence[str], name: str) -> Iterator[RowInFile]:
    """All rows of the benchmark `name`, whose files match `layout`, in sorted order, then the files that are not read.

    Raises:
        StageError: a file of the layout is missing.
    """
    there = files_below(folder, layout[0].split("/", 1)[0])
    left = {file.path: file for file in there}
    for pattern in layout:
        files = [left.pop(path) for path in sorted(folder.glob(pattern)) if path in left]
        if not any(not file.why_not for file in files):
            found = f"; there {'is' if len(there) == 1 else 'are'} {shown(there)}" if there else ""
            raise StageError(
                f"{folder} has no {pattern}, which {name} needs (data/raw/README.md shows the layout){found}: put it "
                f"there, or take {name} out of `benchmarks` in section `collect_benchmarks` of params.yaml"
            )
        for file in files:
            yield from rows_of_found(file)
    for file in left.values():
        why = file.why_not or "no file of the benchmark's layout"
        yield RowInFile(file.name, 0, None, RowRefusedError(Refusal.NOT_IN_LAYOUT, f"this file is not read: {why}"))


def shown(files: Sequence[FolderFile], most: int = 3) -> str:
    """The names of some files, with what is the matter with each."""
    listed = ", ".join(f"{file.name} ({file.why_not})" if file.why_not else file.name for file in files[:most])
    return f"{listed} and {len(files) - most} more" if len(files) > most else listed


def rows_of_found(file: FolderFile) -> Iterator[RowInFile]:
    """The rows of a file of a folder, or that it is not read and why."""
    ending = ending_of(file.path.name)
    why_not = file.why_not or ("" if ending else f"its ending is none of {', '.join(ENDINGS)}")
    if why_not:
        yield RowInFile(file.name, 0, None, RowRefusedError(Refusal.FILE_NOT_READ, f"this file is not read: {why_not}"))
    else:
        yield from rows_of(file.path, file.name)


def ending_of(name: str) -> str | None:
    """The ending that says how a file is read, in lower case; None if none does."""
    lower = name.lower()
    for compression in COMPRESSIONS:
        inner = lower.removesuffix(compression)
        if inner != lower:
            return next((ending for ending in READERS if inner.endswith(ending)), None)
    return next((ending for ending in ENDINGS if lower.endswith(ending)), None)


def rows_of(file: Path, name: str) -> Iterator[RowInFile]:
    """The rows of a file; `name` is how it is called from then on."""
    place, count = -1, 0
    try:
        for place, row in _placed_rows(file):
            count += 1
            fault = row if isinstance(row, RowRefusedError) else None
            yield RowInFile(name, place, None if fault else row, fault)
    except (OSError, EOFError, UnicodeError, zlib.error) as error:
        said = printable_text(" ".join(str(error).split())[:200])
        what = f"cannot be read {'from here on ' if count else ''}({said})"
        reason = Refusal.UNREADABLE if count else Refusal.FILE_NOT_READ
        yield RowInFile(name, place + 1, None, RowRefusedError(reason, what))
        return
    if not count:
        yield RowInFile(name, 0, None, RowRefusedError(Refusal.FILE_NOT_READ, "this file holds no row"))


def _placed_rows(file: Path) -> Iterator[PlacedRow]:
    ending = ending_of(file.name) or ".json"
    if ending in TABLES:
        yield from TABLES[ending](file)
        return
    with _opened(file) as stream:
        yield from READERS[ending](stream)


def _opened(file: Path) -> BinaryIO:
    match file.suffix.lower():
        case ".gz":
            return cast(BinaryIO, gzip.open(file))
        case ".bz2":
            return cast(BinaryIO, bz2.open(file))
        case ".zst":
            import pyarrow  # the standard library has it from Python 3.14 on

            return BufferedReader(pyarrow.CompressedInputStream(str(file), "zstd"))
        case _:
            return file.open("rb")
