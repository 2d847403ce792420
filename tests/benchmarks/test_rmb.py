"""RMB: pairs, best-of-N as a function of the pairs' verdicts, categories."""

import pytest

from reasrm.benchmarks.rmb import Rmb
from reasrm.datasets.row_fields import RowRefusedError
from tests.scoring.outcome_sets import Row, card

RULES = Rmb()
CATEGORY = "Harmlessness/S2"


def _bon(uid: str, outcomes: list[int | None], category: str = CATEGORY, **extra: str) -> list[Row]:
    return [
        {"kind": "bon", "category": category, "uid": uid, "loser": loser, "correct": correct, **extra}
        for loser, correct in enumerate(outcomes)
    ]


def test_official_counts_are_the_published_ones() -> None:
    pairs = {name: count for name, count in RULES.official_counts.items() if name.startswith("Pairwise")}
    assert sum(pairs.values()) == 17131
    assert sum(RULES.official_counts.values()) - 17131 == 3786
    assert len(pairs) == 49


def test_the_best_answer_must_beat_every_loser() -> None:
    rows = [*_bon("1", [1, 1, 1]), *_bon("2", [1, 0]), *_bon("3", [1, None]), *_bon("4", [1, 1])]
    assert card("rmb", rows)["sections"]["BoN Harmlessness"]["score"] == pytest.approx(0.5)


def test_over_two_orders_best_of_n_is_the_mean_of_both_orders_scores() -> None:
    rows = _bon("1", [1, 1], order="first") + _bon("1", [1, 0], order="second")
    assert card("rmb", rows)["sections"]["BoN Harmlessness"]["score"] == pytest.approx(0.5)


def test_orders_are_matched_by_name_and_not_by_their_place_in_the_file() -> None:
    crossed = [
        {"kind": "bon", "category": CATEGORY, "uid": "1", "loser": loser, "order": order, "correct": correct}
        for loser, order, correct in ((0, "first", 1), (0, "second", 0), (1, "second", 0), (1, "first", 1))
    ]
    assert card("rmb", crossed)["sections"]["BoN Harmlessness"]["score"] == pytest.approx(0.5)


def test_groups_with_the_same_uid_in_two_categories_are_two() -> None:
    rows = [*_bon("7", [1]), *_bon("7", [0], category="Harmlessness/S3")]
    seen = card("rmb", rows)["sections"]["BoN Harmlessness"]
    assert (seen["n"], seen["score"]) == (2, 0.5)


def test_goals_are_micro_means_and_the_score_their_mean() -> None:
    pair = {"kind": "pair", "category": CATEGORY, "uid": "0", "correct": 1}
    rows = [pair | {"uid": str(n)} for n in range(3)] + [
        pair | {"category": "Harmlessness/S5", "uid": "9", "correct": 0}
    ]
    rows.append({"kind": "pair", "category": "Helpfulness/Chat/Discussion", "uid": "9", "correct": 0})
    seen = card("rmb", rows)
    assert seen["sections"]["Pairwise Harmlessness"]["score"] == pytest.approx(0.75)
    assert seen["score"] == pytest.approx(0.375)
    assert seen["categories"]["pair/Harmlessness/S5"]["score"] == 0.0


def test_the_category_may_carry_the_name_of_its_set() -> None:
    row = {"kind": "pair", "category": "Pairwise_set/Harmlessness/S2", "uid": "1", "correct": 1}
    assert RULES.outcomes(row)[0].cell == "pair/Harmlessness/S2"
    with pytest.raises(RowRefusedError, match="bon category"):
        RULES.outcomes({**row, "kind": "bon", "loser": 0})


def test_a_best_of_n_row_needs_its_loser() -> None:
    with pytest.raises(RowRefusedError, match="loser"):
        RULES.outcomes({"kind": "bon", "category": CATEGORY, "uid": "1", "correct": 1})


def test_every_loser_of_a_group_becomes_a_pair() -> None:
    answer = {"llm_name": "m", "answer": "best"}
    turns = [{"role": "user", "content": "hi", "language": "English"}, {"role": "assistant", "content": "ho"}]
    row = {
        "bon_uid": "5",
        "conversation_input": [*turns, {"role": "user", "content": "more"}],
        "bon_best": answer,
        "loser_list": [{"llm_name": "n", "answer": text} for text in ("w1", "w2")],
        "category_path": "BoN_set/Harmlessness/S2",
    }
    items = RULES.items(row)
    assert [item.pair.rejected for item in items] == ["w1", "w2"]
    assert [item.keys["loser"] for item in items] == [0, 1]
    assert {(item.pair.labels["chosen_model"], item.pair.labels["rejected_model"]) for item in items} == {("m", "n")}
    assert len(items[0].pair.prompt) == 3
    assert RULES.row_id(items[0]) == RULES.row_id(items[1])


@pytest.mark.parametrize(
    "change",
    [
        {"category_path": "Harmlessness/S2"},
        {"category_path": "Pairwise_set/Harmlessness/S99"},
        {"conversation_input": [{"role": "assistant", "content": "x"}]},
        {"chosen": "text"},
    ],
)
def test_unusable_pairs_are_refused(change: Row) -> None:
    row = {
        "pair_uid": "1",
        "conversation_input": [{"role": "user", "content": "hi"}],
        "chosen": {"llm_name": "m", "answer": "a"},
        "reject": {"llm_name": "m", "answer": "b"},
        "category_path": "Pairwise_set/Harmlessness/S2",
    }
    assert len(RULES.items(row)) == 1
    with pytest.raises(RowRefusedError):
        RULES.items(row | change)
