"""Which judgments the report shows, by two rules that leave nothing to choose by hand.

The examples are items judged by both of two models, chosen by hash within each kind of outcome: every kind is shown
whether it flatters or not. The page opens with one pair before and after training: the shortest that the first model
judges wrongly, without working it out, and the second rightly in every order.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice, zip_longest
from pathlib import Path

from reasrm.judging.trace_structure import read_structure
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
class BeforeAfter:
    """One item in one order, judged wrongly by the first model and rightly by the second."""

    compared: ComparedItem
    better: Side
    """The order: where the better answer is shown."""
    solved: bool
    """Whether the second model alone writes a worked solution."""


@dataclass(frozen=True)
class ComparedItems:
    """What is shown, and out of what it was chosen."""

    shown: tuple[ComparedItem, ...]
    before_after: BeforeAfter | None
    """None where the first model is never wrong, with a reply, on what the second judges rightly in every order."""
    counts: dict[Contrast, int]
    """Items of each kind among all that both models judged."""
    transitions: dict[str, Counter[Contrast]]
    """The same by kind of question."""


def choose_examples(judgments: Path, benchmarks: Path, models: tuple[str, str], count: int) -> ComparedItems:
    """Choose `count` items that both `models` judged, from all benchmarks, with texts, and one before and after.

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
    improved = {key for key, contrast in contrasts.items() if contrast is Contrast.ONLY_SECOND}
    wanted = improved | set(chosen)
    items = _items(benchmarks, wanted)
    replies = [_orders(judgments / model, wanted) for model in models]
    compared = {key: ComparedItem(items[key], contrasts[key], replies[0][key], replies[1][key]) for key in wanted}
    transitions: dict[str, Counter[Contrast]] = defaultdict(Counter)
    for key, contrast in contrasts.items():
        transitions[sources[key]][contrast] += 1
    return ComparedItems(
        shown=tuple(compared[key] for key in chosen),
        before_after=choose_before_after(compared[key] for key in sorted(improved)),
        counts={kind: Counter(contrasts.values())[kind] for kind in Contrast},
        transitions=dict(sorted(transitions.items())),
    )


def choose_before_after(improved: Iterable[ComparedItem]) -> BeforeAfter | None:
    """The shortest item, with its two replies, on which only the second model's reply works the question out.

    Where there is none, the shortest of all. Items of equal length are ordered by hash; of the two orders the one with
    the shorter replies counts.

    Args:
        improved: items that the second model judges rightly in every order, and the first does not.
    """
    found = [(_rank(one), one) for compared in improved for one in _wrong_orders(compared)]
    return min(found, key=lambda pair: pair[0])[1] if found else None


def _wrong_orders(compared: ComparedItem) -> Iterator[BeforeAfter]:
    """The orders in which the first model, in writing, names the worse answer."""
    for side in Side:
        first, second = compared.first.get(side), compared.second.get(side)
        if first is None or second is None or first.correct is not False or not first.reply or not second.reply:
            continue
        solutions = [read_structure(reply.text).solution for reply in (first.reply, second.reply)]
        yield BeforeAfter(compared, side, solved=bool(solutions[1]) and not solutions[0])


def _rank(one: BeforeAfter) -> tuple[bool, int, float, Side]:
    texts = (orders[one.better].reply for orders in (one.compared.first, one.compared.second))
    length = one.compared.characters + sum(len(reply.text) for reply in texts if reply is not None)
    item = one.compared.item
    return not one.solved, length, unit_interval("before and after", item.benchmark, item.item_id), one.better


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
