"""The folder `data/benchmarks`: a file of items per benchmark, the refused rows, and an account of all rows."""

from collections.abc import Iterator
from pathlib import Path

from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.jsonl import read_records
from reasrm.records.pair import Message

REFUSED = "refused.jsonl"
"""Rows that are not used, with reasons; no benchmark has this name."""
ACCOUNT = "completeness.json"
"""What became of each benchmark's rows, how many of the published ones are there, and where they came from."""


def item_files(folder: Path) -> dict[str, Path]:
    """The file of each benchmark in `folder`, by its name, in order."""
    return {file.stem: file for file in sorted(folder.glob("*.jsonl")) if file.name != REFUSED}


def all_items(folder: Path) -> Iterator[BenchmarkItem]:
    """The items of all benchmarks in `folder`, benchmarks by name, items in file order."""
    for file in item_files(folder).values():
        yield from read_records(file, BenchmarkItem)


def item_prompts(folder: Path) -> Iterator[tuple[str, tuple[Message, ...]]]:
    """The prompts of all benchmarks, each with the name of its item."""
    for item in all_items(folder):
        yield f"{item.benchmark} {item.item_id}", item.pair.prompt
