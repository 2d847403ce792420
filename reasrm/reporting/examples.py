"""Which judgments the report shows: the same items judged by two models, chosen by hash within each kind of outcome.

The choice depends on the ids of the items alone, so it cannot be made by hand, and every kind of outcome is shown
whether it flatters or not.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice, zip_longest
from pathlib import Path

from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.comparison import Side
from reasrm.records.content_hash import unit_interval
from reasrm.records.jsonl import read_records
from reasrm.records.judgment import Judgment

ItemKey = tuple[str, str]
"""Benchmark and item id."""

Orders = dict[Side, Judgment]
"""A model's judgments of one item, by the side on which the better answer was shown."""


class Contrast(StrEnum):
    """How two models compare on one item; right means right in every order that was asked."""

    ONLY_SECOND = "only the second model is right"
    BOTH = "both models are right"
    ONLY_FIRST = "only the first model is right"
    NEITHER = "neither model is right"


@dataclass(frozen=True)
class Example:
    """One item as two models judged it."""

    item: BenchmarkItem
    contrast: Contrast
    first: Orders
    second: Orders


@dataclass(frozen=True)
class Examples:
    """What is shown, and out of what it was chosen."""

    shown: tuple[Example, ...]
    counts: dict[Contrast, int]
    """Items of each kind among all that both models judged."""


def choose_examples(judgments: Path, benchmarks: Path, models: tuple[str, str], count: int) -> Examples:
    """Choose `count` items that both `models` judged, from all benchmarks, with texts.

    Args:
        judgments: folder with one subfolder per model.
        benchmarks: folder with one file of items per benchmark.
        models: the two models, the earlier stage first.
        count: how many to show at most.
    """
    first, second = (_correct_items(judgments / model) for model in models)
    contrasts = {key: _contrast(first[key], second[key]) for key in sorted(first.keys() & second.keys())}
    sources = _sources(benchmarks, contrasts.keys())
    chosen = tuple(islice(_order(contrasts, sources), count))
    items = _items(benchmarks, set(chosen))
    replies = [_orders(judgments / model, set(chosen)) for model in models]
    shown = tuple(Example(items[key], contrasts[key], replies[0][key], replies[1][key]) for key in chosen)
    return Examples(shown, {kind: Counter(contrasts.values())[kind] for kind in Contrast})


def _contrast(first: bool, second: bool) -> Contrast:
    if first:
        return Contrast.BOTH if second else Contrast.ONLY_FIRST
    return Contrast.ONLY_SECOND if second else Contrast.NEITHER


def _order(contrasts: Mapping[ItemKey, Contrast], sources: Mapping[ItemKey, str]) -> Iterator[ItemKey]:
    """The items in the order of being shown: kinds of outcome in turn, and within a kind the sources in turn."""
    by_kind: dict[Contrast, dict[str, list[ItemKey]]] = {kind: defaultdict(list) for kind in Contrast}
    for key in sorted(contrasts, key=lambda key: unit_interval("report example", *key)):
        by_kind[contrasts[key]][sources[key]].append(key)
    return _in_turn(_in_turn(by_kind[kind].values()) for kind in Contrast)


def _in_turn(lists: Iterable[Iterable[ItemKey]]) -> Iterator[ItemKey]:
    for round_of_keys in zip_longest(*lists):
        yield from (key for key in round_of_keys if key is not None)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


def _correct_items(folder: Path) -> dict[ItemKey, bool]:
    correct: dict[ItemKey, bool] = {}
    for judgment in (row for file in _files(folder) for row in read_records(file, Judgment)):
        key = (judgment.benchmark, judgment.item_id)
        correct[key] = correct.get(key, True) and judgment.correct is True
    return correct


def _orders(folder: Path, wanted: set[ItemKey]) -> dict[ItemKey, Orders]:
    found: dict[ItemKey, Orders] = defaultdict(dict)
    for judgment in (row for file in _files(folder) for row in read_records(file, Judgment)):
        if (judgment.benchmark, judgment.item_id) in wanted:
            found[judgment.benchmark, judgment.item_id].setdefault(judgment.better, judgment)
    return found


def benchmark_items(folder: Path, benchmarks: Iterable[str]) -> Iterator[BenchmarkItem]:
    """All items of `benchmarks`, in order."""
    for name in sorted(benchmarks):
        yield from read_records(folder / f"{name}.jsonl", BenchmarkItem)


def kind_of_question(item: BenchmarkItem) -> str:
    """What an item asks: its family in the miniature, else its benchmark's subset, domain or category."""
    named = (item.keys[key] for key in ("family", "subset", "domain", "category") if key in item.keys)
    return str(next(named, item.benchmark))


def _sources(folder: Path, keys: Iterable[ItemKey]) -> dict[ItemKey, str]:
    wanted = set(keys)
    items = benchmark_items(folder, {benchmark for benchmark, _ in wanted})
    return {(i.benchmark, i.item_id): kind_of_question(i) for i in items if (i.benchmark, i.item_id) in wanted}


def _items(folder: Path, wanted: set[ItemKey]) -> dict[ItemKey, BenchmarkItem]:
    items = benchmark_items(folder, {benchmark for benchmark, _ in wanted})
    return {(i.benchmark, i.item_id): i for i in items if (i.benchmark, i.item_id) in wanted}
