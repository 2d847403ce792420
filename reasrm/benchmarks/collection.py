"""Rows to items, with an account: every row becomes items or is refused with a reason; what is missing is counted.

`data/benchmarks` holds what is collected: a file of items per benchmark, the refused rows, and the account, which also
says where the rows came from.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from reasrm.benchmarks.benchmark import Benchmark
from reasrm.datasets.origins import DataOrigin, as_written
from reasrm.datasets.refused_rows import forget_refused, keep_refused
from reasrm.datasets.row_fields import NOT_ROWS, Refusal, RowRefusedError, normalised
from reasrm.datasets.row_files import DataSource, RowInFile
from reasrm.records.benchmark_folder import ACCOUNT, REFUSED
from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.content_hash import unit_interval
from reasrm.records.jsonl import explain, write_records
from reasrm.records.pair import Message, Role
from reasrm.runtime.outputs import new_folder, write_json
from reasrm.runtime.stage_main import StageError

STAGE = "collect_benchmarks"


@dataclass(frozen=True)
class RowSelection:
    """Which usable rows are left out on purpose."""

    seed: int
    training_share: float = 0.0
    """Share of the questions whose rows are left to training."""
    limit: int | None = None
    """At most so many rows, spread evenly over the subsets; None takes all."""


@dataclass
class CollectedBenchmark:
    """One benchmark's items and the account of its rows."""

    benchmark: Benchmark
    rows_in: int = 0
    items: list[BenchmarkItem] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    """`{benchmark, file, place, reason, detail}` of each row that is not used."""

    def refuse(self, row: RowInFile, reason: Refusal, detail: str) -> None:
        """Account for a row that is not used."""
        self.refused.append(
            {
                "benchmark": self.benchmark.name,
                "file": row.file,
                "place": row.place,
                "reason": reason.value,
                "detail": detail,
            }
        )

    @property
    def files_not_read(self) -> list[str]:
        """The names of the files that nothing was read from."""
        return [entry["file"] for entry in self.refused if Refusal(entry["reason"]) in NOT_ROWS]

    def account(self) -> dict[str, Any]:
        """Rows in, used and refused, and each subset against its official count."""
        rows = {self.benchmark.row_id(item): self.benchmark.subset(item) for item in self.items}
        found = Counter(rows.values())
        reasons = Counter(entry["reason"] for entry in self.refused)
        files_not_read = sum(reasons.pop(reason.value, 0) for reason in NOT_ROWS)
        subsets = {
            name: {"official": official, "found": found[name], "missing": max(0, official - found[name])}
            for name, official in self.benchmark.official_counts.items()
        }
        return {
            "rows_in": self.rows_in,
            "rows_used": len(rows),
            "rows_refused": reasons.total(),
            "refused_by_reason": dict(sorted(reasons.items())),
            "files_not_read": files_not_read,
            "items": len(self.items),
            "distinct_pairs": len({item.pair.id for item in self.items}),
            "groups": len({item.group for item in self.items}),
            "complete": all(subset["missing"] == 0 for subset in subsets.values()),
            "subsets": subsets,
        }


def collect(benchmark: Benchmark, rows: Iterable[RowInFile], selection: RowSelection) -> CollectedBenchmark:
    """Make items of rows; each row is used or refused, never lost. Files that are not read are among the refused."""
    collected = CollectedBenchmark(benchmark)
    usable: dict[str, tuple[RowInFile, list[BenchmarkItem]]] = {}
    for row in rows:
        collected.rows_in += row.fault is None or row.fault.reason not in NOT_ROWS
        try:
            if row.fault is not None:
                raise row.fault
            items = _items(benchmark, row.row)
        except RowRefusedError as error:
            collected.refuse(row, error.reason, error.detail)
            continue
        row_id = benchmark.row_id(items[0])
        if row_id in usable:
            collected.refuse(row, Refusal.DUPLICATE_ID, f"{row_id} was at {usable[row_id][0].place} already")
        elif is_for_training(items[0].pair.prompt, selection.seed, selection.training_share):
            collected.refuse(
                row, Refusal.USED_FOR_TRAINING, f"its question is in the {selection.training_share:g} share"
            )
        else:
            usable[row_id] = (row, items)
    wanted = _within_limit(benchmark, {row_id: items for row_id, (_, items) in usable.items()}, selection)
    for row_id, (row, items) in usable.items():
        if row_id in wanted:
            collected.items.extend(items)
        else:
            collected.refuse(row, Refusal.OVER_LIMIT, f"more than {selection.limit} rows were not wanted")
    return collected


def _items(benchmark: Benchmark, row: Any) -> list[BenchmarkItem]:
    if not isinstance(row, dict):
        raise RowRefusedError(Refusal.WRONG_TYPE, f"a row must be an object, it is a {type(row).__name__}")
    try:
        return benchmark.items(row)
    except ValidationError as error:
        raise RowRefusedError(Refusal.WRONG_TYPE, explain(error)) from error


def is_for_training(prompt: tuple[Message, ...], seed: int, share: float) -> bool:
    """Whether rows that begin with this question are left to training: by the hash of the client's first turn.

    By the first turn and not by the row, so that all answers to a question, and longer versions of a conversation, fall
    on the same side.
    """
    first = next(message.content for message in prompt if message.role is Role.USER)
    return unit_interval("training", seed, normalised(first)) < share


def _within_limit(benchmark: Benchmark, usable: dict[str, list[BenchmarkItem]], selection: RowSelection) -> set[str]:
    """The rows to keep: the first of each subset in hashed order, then the second of each, up to the limit."""
    if selection.limit is None or len(usable) <= selection.limit:
        return set(usable)
    by_subset: dict[str, list[str]] = defaultdict(list)
    for row_id in sorted(usable, key=lambda row_id: unit_interval("limit", selection.seed, row_id)):
        by_subset[benchmark.subset(usable[row_id][0])].append(row_id)
    ranked = sorted((rank, subset, row_id) for subset, ids in by_subset.items() for rank, row_id in enumerate(ids))
    return {row_id for _, _, row_id in ranked[: selection.limit]}


def write_benchmarks(
    folder: Path,
    collected: Iterable[CollectedBenchmark],
    source: DataSource,
    origins: Mapping[str, DataOrigin] = MappingProxyType({}),
) -> None:
    """Write `folder` (`data/benchmarks`) at once: items, refused rows, and the account with `source` and origin.

    Raises:
        StageError: a benchmark has no usable row; the refused ones are in the stage's work folder.
    """
    everything = list(collected)
    refused = [entry for one in everything for entry in one.refused]
    for one in everything:
        if not one.items:
            # Those of the benchmark that lacks everything come first, and so into the message.
            why = keep_refused(
                STAGE, REFUSED, sorted(refused, key=lambda entry: entry["benchmark"] != one.benchmark.name)
            )
            raise StageError(
                f"{one.benchmark.name}: none of its {one.rows_in} rows can be used; {why}; data/raw/README.md shows "
                f"what they must look like"
            )
    forget_refused(STAGE, REFUSED)
    with new_folder(folder) as new:
        for one in everything:
            write_records(new / f"{one.benchmark.name}.jsonl", one.items)
        write_records(new / REFUSED, refused)
        accounts = {one.benchmark.name: {"source": source.value, **one.account()} for one in everything}
        for name, found in origins.items():
            accounts[name] |= as_written((found,))
        write_json(new / ACCOUNT, accounts)
