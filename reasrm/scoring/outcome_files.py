"""Outcomes from anywhere: read from rows, and held in bounded memory however many there are.

A score needs all outcomes of a group at once, and they may stand anywhere in a file of millions. So outcomes go into
buckets by the hash of their group; a bucket holds about 25,000 of them and is the most that is ever in memory.
"""

import tempfile
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from reasrm.benchmarks.benchmark import Benchmark
from reasrm.benchmarks.outcome import BenchmarkOutcome
from reasrm.benchmarks.scoring_rule import OutcomeError
from reasrm.datasets.row_fields import Refusal, RowRefusedError

BYTES_PER_ROW = 40
"""A row is hardly shorter; only used to choose how many buckets to open."""
ROWS_PER_BUCKET = 25_000
MAX_BUCKETS = 512
"""Open files at a time; beyond 12.8 million rows the buckets grow."""
BUFFER_BYTES = 32_768
WAY_OUT = {
    Refusal.UNKNOWN_SUBSET: "correct the name or take the row out of the file",
    Refusal.NEEDS_RATINGS: "take the rows of this subset out of the file",
}


def read_outcomes(benchmark: Benchmark, rows: Iterable[tuple[int, Any]], file: str) -> Iterator[BenchmarkOutcome]:
    """The outcomes of numbered rows, in their order; `file` is what errors call the rows.

    Raises:
        OutcomeError: a row is not one of the benchmark; says file, line, value and way out.
        BadRecordError: a line is not JSON.
    """
    for line, row in rows:
        if not isinstance(row, dict):
            raise OutcomeError(f"{file} line {line}: a row must be a JSON object, it is {str(row)[:80]!r}")
        try:
            outcomes = benchmark.outcomes(row)
        except RowRefusedError as error:
            way_out = WAY_OUT.get(error.reason, "see `reasrm score --help` for the row of this benchmark")
            raise OutcomeError(f"{file} line {line}: {error.detail}; {way_out}") from error
        for outcome in outcomes:
            yield outcome._replace(line=line)


def by_group(outcomes: Iterable[BenchmarkOutcome]) -> dict[str, list[BenchmarkOutcome]]:
    """Outcomes in memory, by group."""
    groups: dict[str, list[BenchmarkOutcome]] = defaultdict(list)
    for outcome in outcomes:
        groups[outcome.group].append(outcome)
    return groups


def expected_rows(path: Path) -> int:
    """At most about how many rows `path` holds."""
    return path.stat().st_size // BYTES_PER_ROW


class OutcomeStore:
    """Outcomes by group; a context manager, since its files go when it ends."""

    def __init__(self, expected_rows: int) -> None:
        """Prepare for about `expected_rows`; more only makes the buckets larger."""
        self._count = min(MAX_BUCKETS, expected_rows // ROWS_PER_BUCKET + 1)
        self._folder = tempfile.TemporaryDirectory(prefix="reasrm-outcomes-")
        self._files = [
            (Path(self._folder.name) / str(bucket)).open("w+b", buffering=BUFFER_BYTES) for bucket in range(self._count)
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for file in self._files:
            file.close()
        self._folder.cleanup()

    def add(self, outcome: BenchmarkOutcome) -> None:
        """Keep one outcome."""
        bucket = zlib.crc32(outcome.group.encode()) % self._count
        self._files[bucket].write(orjson.dumps(tuple(outcome)) + b"\n")

    def groups(self) -> Iterator[list[BenchmarkOutcome]]:
        """The outcomes of one group after the other, each group's in the order in which they were added."""
        for file in self._files:
            file.seek(0)
            yield from by_group(BenchmarkOutcome(*orjson.loads(line)) for line in file).values()
