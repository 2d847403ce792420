"""Rows of benchmarks from a folder of files in their published layout, with the place each row came from."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from stages.benchmarks.benchmark import BenchmarkName
from stages.records.jsonl import BadRecordError, read_rows
from stages.runtime.stage_main import StageError

LAYOUT: dict[BenchmarkName, tuple[str, ...]] = {
    BenchmarkName.REWARD_BENCH: ("reward_bench/filtered.jsonl",),
    BenchmarkName.RM_BENCH: ("rm_bench/total_dataset.json",),
    BenchmarkName.RMB: ("rmb/RMB_dataset/Pairwise_set/**/*.json", "rmb/RMB_dataset/BoN_set/**/*.json"),
    BenchmarkName.JUDGE_BENCH: ("judge_bench/gpt.jsonl", "judge_bench/claude.jsonl"),
    BenchmarkName.REWARD_BENCH_2: ("reward_bench_2/test.jsonl",),
}
"""Where each benchmark's rows stand below the folder (`data/raw/README.md`); patterns match many files."""


class SourceRow(NamedTuple):
    """A row as it was found."""

    file: str
    """Relative to the folder."""
    place: int
    """Line of a JSONL file from 1, index in a JSON list or a table from 0."""
    row: Any


def rows_below(folder: Path, name: BenchmarkName) -> Iterator[SourceRow]:
    """All rows of a benchmark, files in sorted order.

    Raises:
        StageError: a file of the layout is missing.
        BadRecordError: a file is not what its name says.
    """
    for pattern in LAYOUT[name]:
        files = sorted(file for file in folder.glob(pattern) if file.is_file())
        if not files:
            raise StageError(
                f"{folder} has no {pattern}, which {name.value} needs (data/raw/README.md shows the layout): put it "
                f"there, or take {name.value} out of `benchmarks` in section `collect_benchmarks` of params.yaml"
            )
        for file in files:
            yield from rows_of(file, file.relative_to(folder).as_posix())


def files_beside(folder: Path, name: BenchmarkName) -> list[str]:
    """Files in the benchmark's folder that are not part of its layout and so are not read."""
    read = {file for pattern in LAYOUT[name] for file in folder.glob(pattern)}
    top = folder / LAYOUT[name][0].split("/", 1)[0]
    return sorted(file.relative_to(folder).as_posix() for file in top.rglob("*") if file.is_file() and file not in read)


def rows_of(file: Path, name: str) -> Iterator[SourceRow]:
    """The rows of a `.jsonl`, `.json` (a list) or `.parquet` file; `name` is how it is called from then on."""
    if file.suffix == ".jsonl":
        rows: Iterable[tuple[int, Any]] = read_rows(file)
    elif file.suffix == ".parquet":
        rows = enumerate(_table(file))
    else:
        rows = enumerate(_list(file))
    for place, row in rows:
        yield SourceRow(name, place, row)


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
