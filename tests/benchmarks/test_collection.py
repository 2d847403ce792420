"""Every row becomes items or is refused with a reason; what is missing is counted."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reasrm.benchmarks.collection import RowSelection, collect, is_for_training
from reasrm.benchmarks.registry import BENCHMARKS, benchmark
from reasrm.datasets.row_fields import Refusal, RowRefusedError
from reasrm.datasets.row_files import RowInFile
from reasrm.records.content_hash import canonical_json
from reasrm.records.pair import Message, Role
from tests.fixtures.json_values import JSON_VALUES

RULES = benchmark("reward_bench")
ALL = RowSelection(seed=0)


def _row(number: int, subset: str = "hep-go", **change: Any) -> dict[str, Any]:
    return {"prompt": f"q{number}", "chosen": "a", "rejected": "b", "subset": subset, "id": number} | change


def _sources(rows: list[Any]) -> list[RowInFile]:
    return [RowInFile("filtered.jsonl", place, row) for place, row in enumerate(rows)]


@given(st.lists(st.sampled_from(["good", "unknown", "twice", "text", "short"]), max_size=25))
@settings(max_examples=30, deadline=None)
def test_no_row_is_lost(kinds: list[str]) -> None:
    made = {
        "good": lambda n: _row(n),
        "unknown": lambda n: _row(n, subset="shp"),
        "twice": lambda _: _row(-1),
        "text": lambda _: "no object",
        "short": lambda n: {"id": n},
    }
    collected = collect(RULES, _sources([made[kind](n) for n, kind in enumerate(kinds)]), ALL)
    account = collected.account()
    assert account["rows_in"] == len(kinds) == account["rows_used"] + account["rows_refused"]
    assert account["rows_used"] == kinds.count("good") + min(1, kinds.count("twice"))


def test_refusals_name_file_place_and_reason() -> None:
    collected = collect(RULES, _sources([_row(1), _row(2, subset="shp"), _row(1)]), ALL)
    assert [(entry["place"], entry["reason"]) for entry in collected.refused] == [
        (1, Refusal.UNKNOWN_SUBSET.value),
        (2, Refusal.DUPLICATE_ID.value),
    ]


def test_missing_rows_are_counted_against_the_official_ones() -> None:
    subsets = collect(RULES, _sources([_row(1)]), ALL).account()["subsets"]
    assert subsets["hep-go"] == {"official": 164, "found": 1, "missing": 163}
    assert subsets["math-prm"] == {"official": 447, "found": 0, "missing": 447}


def test_a_limit_takes_from_every_subset_and_accounts_for_the_rest() -> None:
    rows = [_row(n, subset) for subset in ("hep-go", "hep-js", "math-prm") for n in range(10)]
    collected = collect(RULES, _sources(rows), RowSelection(seed=0, limit=6))
    assert {subset: count["found"] for subset, count in collected.account()["subsets"].items() if count["found"]} == {
        "hep-go": 2, "hep-js": 2, "math-prm": 2,
    }  # fmt: skip
    assert collected.account()["refused_by_reason"] == {"over_limit": 24}


def test_rows_of_one_question_are_all_judged_or_all_left_to_training() -> None:
    rows = [_row(n, prompt=f"question {n % 7}") for n in range(70)]
    collected = collect(RULES, _sources(rows), RowSelection(seed=1, training_share=0.5))
    judged = {item.pair.question for item in collected.items}
    left = {f"question {entry['place'] % 7}" for entry in collected.refused}
    assert judged
    assert left
    assert not judged & left


def test_a_longer_conversation_falls_on_the_side_of_its_first_question() -> None:
    first = Message(role=Role.USER, content="Hello  there")
    longer = (
        Message(role=Role.USER, content="hello there"),
        Message(role=Role.ASSISTANT, content="hi"),
        Message(role=Role.USER, content="more"),
    )
    for seed in range(20):
        assert is_for_training((first,), seed, 0.5) == is_for_training(longer, seed, 0.5)


FIELDS = (
    "prompt", "chosen", "rejected", "subset", "id", "domain", "pair_id", "source", "question", "response_A", "label",
    "response_B", "response_model", "split", "conversation_input", "reject", "category_path", "pair_uid", "bon_uid",
    "bon_best", "loser_list", "family",
)  # fmt: skip
USUAL = st.sampled_from(
    [
        "q", 1, 2**70, "hep-go", "chat", "Focus", "A>B", "mmlu-pro-math", "gpt-4o", "Pairwise_set/Harmlessness/S1",
        "BoN_set/Harmlessness/S1", {"answer": "a"}, [{"role": "user", "content": "q"}], ["a"], ["a", "b", "c"],
        [{"answer": "b"}],
    ]
)  # fmt: skip


@given(
    name=st.sampled_from(list(BENCHMARKS)),
    rows=st.lists(JSON_VALUES | st.dictionaries(st.sampled_from(FIELDS), USUAL | JSON_VALUES), max_size=4),
    faults=st.lists(st.sampled_from([Refusal.UNREADABLE, Refusal.FILE_NOT_READ, Refusal.NOT_IN_LAYOUT]), max_size=3),
)
def test_whatever_the_rows_are_the_counts_add_up(name: str, rows: list[Any], faults: list[Refusal]) -> None:
    found = _sources(rows) + [RowInFile("x", 0, None, RowRefusedError(reason, "why")) for reason in faults]
    collected = collect(benchmark(name), found, ALL)
    account = collected.account()
    unreadable = faults.count(Refusal.UNREADABLE)
    assert account["rows_in"] == len(rows) + unreadable == account["rows_used"] + account["rows_refused"]
    assert account["files_not_read"] == len(faults) - unreadable
    canonical_json([item.model_dump(mode="json") for item in collected.items] + collected.refused)
