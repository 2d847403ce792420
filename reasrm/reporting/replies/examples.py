"""Which items the report shows with both models' replies, by a rule that leaves nothing to choose by hand.

They are chosen by hash within each kind of outcome, so that every kind is shown whether it flatters or not; the
examples of changed verdicts (`transitions.py`) come first.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice, zip_longest
from pathlib import Path
from typing import NamedTuple

from reasrm.records.benchmark_folder import all_items
from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.comparison import Side
from reasrm.records.content_hash import unit_interval
from reasrm.records.jsonl import read_records
from reasrm.records.judgment import Judgment

ItemKey = tuple[str, str]
"""Benchmark and item id."""

Orders = dict[Side, Judgment]
"""A model's judgments of one item, by the side on which the better answer was shown."""


class AskedItem(NamedTuple):
    """What is asked, without the answers."""

    question: str
    kind: str
    """Kind of question."""


class Contrast(StrEnum):
    """How two models compare on one item; right means right in every order that was asked."""

    ONLY_SECOND = "only the second model is right"
    BOTH = "both models are right"
    ONLY_FIRST = "only the first model is right"
    NEITHER = "neither model is right"


@dataclass(frozen=True)
class ComparedItem:
    """One item as two models judged it."""

    item: BenchmarkItem
    contrast: Contrast
    first: Orders
    second: Orders

    @property
    def characters(self) -> int:
        """Length of the conversation and both answers."""
        pair = self.item.pair
        return sum(len(turn.content) for turn in pair.prompt) + len(pair.chosen) + len(pair.rejected)


@dataclass(frozen=True)
class ComparedItems:
    """What is shown, and out of what it was chosen."""

    shown: tuple[ComparedItem, ...]
    counts: dict[Contrast, int]
    """Items of each kind among all that both models judged."""


def choose_examples(
    judgments: Path,
    benchmarks: Path,
    models: tuple[str, str],
    count: int,
    asked: Mapping[ItemKey, AskedItem],
    first: Iterable[ItemKey] = (),
) -> ComparedItems:
    """Choose items that both `models` judged, with texts.

    Args:
        judgments: folder with one subfolder per model.
        benchmarks: folder with one file of items per benchmark.
        models: the two models, the earlier stage first.
        count: how many to show at most, besides `first`.
        asked: every item of the benchmarks (`asked_items`).
        first: items that are shown before the others.
    """
    one, other = (correct_items(judgments / model) for model in models)
    contrasts = {key: contrast(one[key], other[key]) for key in sorted(one.keys() & other.keys())}
    by_hash = islice(_order(contrasts, asked), count)
    chosen = tuple(dict.fromkeys((*(key for key in first if key in contrasts), *by_hash)))
    compared = compared_items(judgments, benchmarks, models, {key: contrasts[key] for key in chosen})
    return ComparedItems(
        shown=tuple(compared[key] for key in chosen),
        counts={kind: Counter(contrasts.values())[kind] for kind in Contrast},
    )


def compared_items(
    judgments: Path, benchmarks: Path, models: tuple[str, str], wanted: Mapping[ItemKey, Contrast]
) -> dict[ItemKey, ComparedItem]:
    """The `wanted` items with the judgments of both models."""
    keys = set(wanted)
    items = {
        (item.benchmark, item.item_id): item
        for item in benchmark_items(benchmarks, {benchmark for benchmark, _ in keys})
        if (item.benchmark, item.item_id) in keys
    }
    first, second = (_orders(judgments / model, keys) for model in models)
    return {key: ComparedItem(items[key], kind, first[key], second[key]) for key, kind in wanted.items()}


def contrast(first: bool, second: bool) -> Contrast:
    """How two models compare on an item that each gets right or not."""
    if first:
        return Contrast.BOTH if second else Contrast.ONLY_FIRST
    return Contrast.ONLY_SECOND if second else Contrast.NEITHER


def _order(contrasts: Mapping[ItemKey, Contrast], asked: Mapping[ItemKey, AskedItem]) -> Iterator[ItemKey]:
    """The items in the order of being shown: kinds of outcome in turn, and within each the kinds of question."""
    by_kind: dict[Contrast, dict[str, list[ItemKey]]] = {kind: defaultdict(list) for kind in Contrast}
    for key in sorted(contrasts, key=lambda key: unit_interval("report example", *key)):
        by_kind[contrasts[key]][asked[key].kind].append(key)
    return _in_turn(_in_turn(by_kind[kind].values()) for kind in Contrast)


def _in_turn(lists: Iterable[Iterable[ItemKey]]) -> Iterator[ItemKey]:
    for round_of_keys in zip_longest(*lists):
        yield from (key for key in round_of_keys if key is not None)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


def correct_items(folder: Path) -> dict[ItemKey, bool]:
    """Whether a model judged each item rightly in every order that was asked."""
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


def asked_items(folder: Path) -> dict[ItemKey, AskedItem]:
    """What every item of the benchmarks in `folder` asks."""
    return {
        (item.benchmark, item.item_id): AskedItem(item.pair.question, kind_of_question(item))
        for item in all_items(folder)
    }


def shortest_items(folder: Path, kinds: Iterable[str]) -> dict[str, BenchmarkItem]:
    """The shortest item of each of `kinds` of question; of equally short ones that with the smallest hash."""
    wanted, found = set(kinds), dict[str, tuple[int, float, BenchmarkItem]]()
    for item in all_items(folder):
        if (kind := kind_of_question(item)) in wanted:
            length = sum(len(turn.content) for turn in item.pair.prompt) + len(item.pair.chosen + item.pair.rejected)
            rank = (length, unit_interval("shortest", item.benchmark, item.item_id), item)
            found[kind] = min(rank, found.get(kind, rank), key=lambda one: one[:2])
    return {kind: found[kind][2] for kind in sorted(found)}
