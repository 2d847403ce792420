"""The items of the benchmarks as comparisons in one order or both, and their judgments as files."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from reasrm.records.benchmark_folder import item_files
from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.comparison import Comparison, Orders, Side, hashed_side, show
from reasrm.records.jsonl import read_records, write_records
from reasrm.records.judgment import ComparisonJudgment, Judgment
from reasrm.runtime.stage_main import StageError


def read_items(folder: Path) -> dict[str, list[BenchmarkItem]]:
    """The items of each benchmark in `folder`, benchmarks by name, items in file order.

    Raises:
        StageError: there are none.
    """
    items = {name: list(read_records(file, BenchmarkItem)) for name, file in item_files(folder).items()}
    if not any(items.values()):
        raise StageError(f"{folder}: no benchmark items there; run `dvc repro collect_benchmarks`")
    return items


def items_in_orders(items: Iterable[BenchmarkItem], orders: Orders, seed: int) -> list[tuple[BenchmarkItem, Side]]:
    """Each item with the side or sides on which its better answer is shown; items in their own order, A first."""
    return [
        (item, side)
        for item in items
        for side in (tuple(Side) if orders is Orders.BOTH else (hashed_side(item.pair, seed),))
    ]


def comparisons(shown: Iterable[tuple[BenchmarkItem, Side]]) -> list[Comparison]:
    """What a judge is asked about."""
    return [show(item.pair, side) for item, side in shown]


def item_judgments(shown: Sequence[tuple[BenchmarkItem, Side]], judged: Iterable[ComparisonJudgment]) -> list[Judgment]:
    """The judgments of the comparisons as those of their items, in the given order."""
    return [
        Judgment(benchmark=item.benchmark, item_id=item.item_id, better=side, **dict(judgment))
        for (item, side), judgment in zip(shown, judged, strict=True)
    ]


def write_judgments(folder: Path, benchmarks: Iterable[str], judgments: Sequence[Judgment]) -> None:
    """One file per benchmark, in the order of its items; a benchmark without items gets an empty file."""
    for benchmark in benchmarks:
        write_records(folder / f"{benchmark}.jsonl", [one for one in judgments if one.benchmark == benchmark])
