"""Outcomes of any number in bounded memory: spread over files by group, then read back one file at a time.

A score needs all outcomes of a group at once, and they may stand anywhere in a file of millions. So outcomes go into
buckets by the hash of their group; a bucket holds about 25,000 of them and is the most that is ever in memory.
"""

import tempfile
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import orjson

from reasrm.benchmarks.benchmark import Outcome

ROWS_PER_BUCKET = 25_000
MAX_BUCKETS = 512
"""Open files at a time; beyond 12.8 million rows the buckets grow."""
BUFFER_BYTES = 32_768


class Located(NamedTuple):
    """An outcome and the line it came from."""

    line: int
    outcome: Outcome


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

    def add(self, line: int, outcome: Outcome) -> None:
        """Keep one outcome."""
        bucket = zlib.crc32(outcome.group.encode()) % self._count
        self._files[bucket].write(orjson.dumps((line, *outcome)) + b"\n")

    def groups(self) -> Iterator[list[Located]]:
        """The outcomes of one group after the other, each group's in the order in which they were added."""
        for file in self._files:
            file.seek(0)
            yield from by_group(_read(file)).values()


def by_group(located: Iterable[Located]) -> dict[str, list[Located]]:
    """Outcomes in memory, by group."""
    groups: dict[str, list[Located]] = defaultdict(list)
    for entry in located:
        groups[entry.outcome.group].append(entry)
    return groups


def _read(lines: Iterable[bytes]) -> Iterator[Located]:
    for line in lines:
        number, *fields = orjson.loads(line)
        yield Located(number, Outcome(*fields))
