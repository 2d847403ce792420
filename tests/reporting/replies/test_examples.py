"""Examples are chosen by hash: independent of the order of rows, every kind of outcome and question in turn."""

from pathlib import Path

import pytest

from reasrm.records.benchmark_folder import all_items
from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.comparison import Side
from reasrm.records.jsonl import read_records, write_records
from reasrm.records.judgment import Judgment
from reasrm.reporting.replies.examples import (
    AskedItem,
    Contrast,
    ItemKey,
    asked_items,
    choose_examples,
    kind_of_question,
    shortest_items,
)

MODELS = ("sft", "grpo-full")


@pytest.fixture(scope="module")
def asked(made_up_data: Path) -> dict[ItemKey, AskedItem]:
    """What every item of the made-up run asks."""
    return asked_items(made_up_data / "benchmarks")


def test_every_kind_of_outcome_is_shown_in_turn(made_up_data: Path, asked: dict[ItemKey, AskedItem]) -> None:
    found = choose_examples(made_up_data / "judgments", made_up_data / "benchmarks", MODELS, 8, asked)
    assert [example.contrast for example in found.shown] == [*Contrast, *Contrast]
    assert len({kind_of_question(example.item) for example in found.shown}) >= 3


def test_kinds_are_what_the_judgments_say(made_up_data: Path, asked: dict[ItemKey, AskedItem]) -> None:
    for example in choose_examples(made_up_data / "judgments", made_up_data / "benchmarks", MODELS, 20, asked).shown:
        right = [all(judgment.correct for judgment in orders.values()) for orders in (example.first, example.second)]
        assert set(example.first) == set(example.second) == set(Side)
        assert {
            (True, True): Contrast.BOTH, (False, True): Contrast.ONLY_SECOND,
            (True, False): Contrast.ONLY_FIRST, (False, False): Contrast.NEITHER,
        }[right[0], right[1]] is example.contrast  # fmt: skip


def test_the_counts_are_of_all_items_that_both_judged(made_up_data: Path, asked: dict[ItemKey, AskedItem]) -> None:
    counts = choose_examples(made_up_data / "judgments", made_up_data / "benchmarks", MODELS, 0, asked).counts
    judged = {
        (row.benchmark, row.item_id)
        for file in (made_up_data / "judgments" / "sft").glob("*.jsonl")
        for row in read_records(file, Judgment)
    }
    assert sum(counts.values()) == len(judged)


def test_the_choice_does_not_depend_on_the_order_of_rows(
    made_up_data: Path, asked: dict[ItemKey, AskedItem], tmp_path: Path
) -> None:
    for model in MODELS:
        for file in (made_up_data / "judgments" / model).glob("*.jsonl"):
            rows = list(read_records(file, Judgment))
            write_records(tmp_path / model / file.name, reversed(rows))
    chosen = [
        [
            example.item.item_id
            for example in choose_examples(folder, made_up_data / "benchmarks", MODELS, 12, asked).shown
        ]
        for folder in (made_up_data / "judgments", tmp_path)
    ]
    assert chosen[0] == chosen[1]


def test_items_that_were_asked_for_come_first_and_once(made_up_data: Path, asked: dict[ItemKey, AskedItem]) -> None:
    folders = made_up_data / "judgments", made_up_data / "benchmarks"
    first = list(asked)[-2:]
    shown = choose_examples(*folders, MODELS, 3, asked, [*first, first[0], ("rmb", "not there")]).shown
    keys = [(one.item.benchmark, one.item.item_id) for one in shown]
    assert keys[:2] == first
    assert len(keys) == len(set(keys)) == 5
    assert not choose_examples(*folders, MODELS, 0, asked).shown


def test_the_shortest_item_of_each_kind_stands_for_it(made_up_data: Path) -> None:
    found = shortest_items(made_up_data / "benchmarks", ["dial", "safe", "unknown"])
    assert list(found) == ["dial", "safe"]

    def length(item: BenchmarkItem) -> int:
        return len(item.pair.question + item.pair.chosen + item.pair.rejected)

    for kind, shown in found.items():
        of_kind = [one for one in all_items(made_up_data / "benchmarks") if kind_of_question(one) == kind]
        single = [one for one in of_kind if len(one.pair.prompt) == 1]
        assert len(of_kind) > 10
        assert length(shown) == min(map(length, single))
