"""Outcome files from anywhere: one JSON row per judgment, in the benchmark's own row schema."""

from collections.abc import Iterator
from pathlib import Path

from reasrm.benchmarks.benchmark import Benchmark, OutcomeError
from reasrm.datasets.refused_rows import Refusal, RowRefusedError
from reasrm.records.jsonl import read_rows
from reasrm.scoring.outcome_store import Located

BYTES_PER_ROW = 40
"""A row is hardly shorter; only used to choose how many buckets to open."""

WAY_OUT = {
    Refusal.UNKNOWN_SUBSET: "correct the name or take the row out of the file",
    Refusal.NEEDS_RATINGS: "take the rows of this subset out of the file",
}


def expected_rows(path: Path) -> int:
    """At most about how many rows `path` holds."""
    return path.stat().st_size // BYTES_PER_ROW


def read_outcomes(benchmark: Benchmark, path: Path) -> Iterator[Located]:
    """The outcomes of a file, in its order.

    Raises:
        OutcomeError: a row is not one of the benchmark; says file, line, value and way out.
        BadRecordError: a line is not JSON.
    """
    for line, row in read_rows(path):
        if not isinstance(row, dict):
            raise OutcomeError(f"{path} line {line}: a row must be a JSON object, it is {str(row)[:80]!r}")
        try:
            outcomes = benchmark.outcomes(row)
        except RowRefusedError as error:
            way_out = WAY_OUT.get(error.reason, "see `reasrm score --help` for the row of this benchmark")
            raise OutcomeError(f"{path} line {line}: {error.detail}; {way_out}") from error
        for outcome in outcomes:
            yield Located(line, outcome)
