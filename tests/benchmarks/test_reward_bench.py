"""RewardBench: weights, sections and the rows it is made of."""

import pytest

from reasrm.benchmarks.reward_bench import RewardBench
from reasrm.datasets.row_fields import Refusal, RowRefusedError
from reasrm.records.content_hash import canonical_json
from tests.scoring.outcome_sets import AS_PUBLISHED, Row, card

RULES = RewardBench()
ROW = {
    "prompt": "2+2?",
    "chosen": "4",
    "chosen_model": "m",
    "rejected": "5",
    "rejected_model": "n",
    "subset": "hep-go",
    "id": 7,
}


def test_official_counts_are_the_published_ones() -> None:
    assert sum(RULES.official_counts.values()) == 2985


def test_mathematics_weighs_as_much_as_all_code_though_it_has_fewer_rows() -> None:
    code = [f"hep-{language}" for language in ("cpp", "go", "java", "js", "python", "rust")]
    rows = [{"subset": "math-prm", "id": 1, "correct": 1}] + [{"subset": s, "id": 1, "correct": 0} for s in code]
    assert card("reward_bench", rows)["sections"]["Reasoning"]["score"] == pytest.approx(984 / (984 + 6 * 164))


def test_headline_is_the_mean_of_sections_and_micro_is_given_beside_it() -> None:
    rows = [{"subset": "alpacaeval-easy", "id": n, "correct": 1} for n in range(9)]
    rows.append({"subset": "donotanswer", "id": 1, "correct": 0})
    official, published = card("reward_bench", rows), card("reward_bench", rows, AS_PUBLISHED)
    assert official["score"] == pytest.approx(0.5)
    assert published["score"] == official["micro"]["score"] == pytest.approx(0.9)
    assert official["sections_missing"] == ["Chat Hard", "Reasoning"]


def test_the_same_id_in_two_subsets_is_two_rows() -> None:
    """As published: 3692 is in donotanswer and in hep-python."""
    rows = [{"subset": "donotanswer", "id": 3692, "correct": 1}, {"subset": "hep-python", "id": 3692, "correct": 0}]
    assert card("reward_bench", rows)["n"] == 2


def test_a_row_becomes_one_item_with_the_benchmarks_own_keys() -> None:
    (item,) = RULES.items(ROW)
    assert (item.pair.chosen, item.pair.rejected, item.pair.question) == ("4", "5", "2+2?")
    assert item.keys == {"subset": "hep-go", "id": 7}
    assert RULES.outcome_row(item) == {"subset": "hep-go", "id": 7}


def test_who_wrote_the_answers_is_kept_where_a_row_says_so() -> None:
    (item,) = RULES.items({**ROW, "chosen_model": "one", "rejected_model": "other"})
    assert item.pair.labels == {"subset": "hep-go", "chosen_model": "one", "rejected_model": "other"}
    (without,) = RULES.items({**ROW, "chosen_model": "", "rejected_model": None})
    assert without.pair.labels == {"subset": "hep-go"}


def test_family_is_kept_where_a_row_has_one() -> None:
    (item,) = RULES.items({**ROW, "family": "sum"})
    assert item.keys["family"] == "sum"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"subset": "shp"}, Refusal.UNKNOWN_SUBSET),
        ({"chosen": None}, Refusal.WRONG_TYPE),
        ({"id": True}, Refusal.WRONG_TYPE),
    ],
)
def test_unusable_rows_say_why(change: Row, reason: Refusal) -> None:
    with pytest.raises(RowRefusedError) as caught:
        RULES.items({**ROW, **change})
    assert caught.value.reason is reason


def test_a_missing_field_is_named() -> None:
    with pytest.raises(RowRefusedError, match="rejected"):
        RULES.items({key: value for key, value in ROW.items() if key != "rejected"})


def test_an_id_of_more_than_64_bits_is_kept_to_the_digit() -> None:
    (item,) = RULES.items(ROW | {"id": 2**128})
    assert item.keys["id"] == str(2**128)
    canonical_json(item.model_dump(mode="json"))
    (outcome,) = RULES.outcomes({"subset": "hep-go", "id": 2**128, "correct": 1})
    assert outcome.unit == item.item_id
