"""Examples are chosen by hash: independent of the order of rows, every kind of outcome and question in turn."""

from pathlib import Path

from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.comparison import Side
from reasrm.records.jsonl import read_records, write_records
from reasrm.records.judgment import Judgment
from reasrm.records.pair import Message, PreferencePair, Role
from reasrm.records.reply import Finish, Reply
from reasrm.reporting.replies.examples import (
    ComparedItem,
    Contrast,
    choose_before_after,
    choose_examples,
    kind_of_question,
)

MODELS = ("sft", "grpo-full")


def test_every_kind_of_outcome_is_shown_in_turn(made_up_data: Path) -> None:
    found = choose_examples(made_up_data / "judgments", made_up_data / "benchmarks", MODELS, 8)
    assert [example.contrast for example in found.shown] == [*Contrast, *Contrast]
    assert len({kind_of_question(example.item) for example in found.shown}) >= 3


def test_kinds_are_what_the_judgments_say(made_up_data: Path) -> None:
    for example in choose_examples(made_up_data / "judgments", made_up_data / "benchmarks", MODELS, 20).shown:
        right = [all(judgment.correct for judgment in orders.values()) for orders in (example.first, example.second)]
        assert set(example.first) == set(example.second) == set(Side)
        assert {
            (True, True): Contrast.BOTH, (False, True): Contrast.ONLY_SECOND,
            (True, False): Contrast.ONLY_FIRST, (False, False): Contrast.NEITHER,
        }[right[0], right[1]] is example.contrast  # fmt: skip


def test_the_counts_are_of_all_items_that_both_judged(made_up_data: Path) -> None:
    counts = choose_examples(made_up_data / "judgments", made_up_data / "benchmarks", MODELS, 0).counts
    judged = {
        (row.benchmark, row.item_id)
        for file in (made_up_data / "judgments" / "sft").glob("*.jsonl")
        for row in read_records(file, Judgment)
    }
    assert sum(counts.values()) == len(judged)


def test_the_choice_does_not_depend_on_the_order_of_rows(made_up_data: Path, tmp_path: Path) -> None:
    for model in MODELS:
        for file in (made_up_data / "judgments" / model).glob("*.jsonl"):
            rows = list(read_records(file, Judgment))
            write_records(tmp_path / model / file.name, reversed(rows))
    chosen = [
        [example.item.item_id for example in choose_examples(folder, made_up_data / "benchmarks", MODELS, 12).shown]
        for folder in (made_up_data / "judgments", tmp_path)
    ]
    assert chosen[0] == chosen[1]


def reply(text: str) -> Reply:
    return Reply(text=text, finish=Finish.STOP, prompt_tokens=1, completion_tokens=1)


def improved(name: str, before: str, after: str, wrong_order: Side = Side.A) -> ComparedItem:
    """An item that the first model judges wrongly in one order, the second rightly in both."""
    pair = PreferencePair(prompt=(Message(role=Role.USER, content="q"),), chosen="c", rejected="r", source="s")
    item = BenchmarkItem(benchmark="rmb", item_id=name, group="g", pair=pair, keys={})

    def judgment(side: Side, verdict: Side, text: str) -> Judgment:
        return Judgment(benchmark="rmb", item_id=name, better=side, verdict=verdict, reply=reply(text))

    first = {side: judgment(side, side.other if side is wrong_order else side, before) for side in Side}
    second = {side: judgment(side, side, after) for side in Side}
    return ComparedItem(item, Contrast.ONLY_SECOND, first, second)


SOLVED = "<solution>2</solution><answer>[[A]]</answer>"


def test_the_page_opens_with_the_shortest_pair_that_only_the_second_model_works_out() -> None:
    candidates = [
        improved("short, nothing worked out", "x", "y"),
        improved("both work it out", SOLVED, SOLVED),
        improved("longer", "x" * 20, SOLVED, Side.B),
        improved("shorter", "x" * 10, SOLVED, Side.B),
    ]
    for given in (candidates, candidates[::-1]):
        found = choose_before_after(given)
        assert found is not None
        assert (found.compared.item.item_id, found.better, found.solved) == ("shorter", Side.B, True)


def test_without_a_worked_solution_the_shortest_pair_counts() -> None:
    found = choose_before_after([improved("longer", "xx", "y"), improved("shorter", "x", "y")])
    assert found is not None
    assert (found.compared.item.item_id, found.solved) == ("shorter", False)


def test_a_judge_that_writes_nothing_gives_no_pair() -> None:
    assert choose_before_after([]) is None


def test_transitions_add_up_to_the_counts(made_up_data: Path) -> None:
    chosen = choose_examples(made_up_data / "judgments", made_up_data / "benchmarks", MODELS, 0)
    assert {kind: sum(counts[kind] for counts in chosen.transitions.values()) for kind in Contrast} == chosen.counts
