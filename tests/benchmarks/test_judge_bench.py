"""JudgeBench: the official rule over both orders."""

import pytest

from reasrm.benchmarks.judge_bench import JudgeBench
from reasrm.datasets.row_fields import RowRefusedError
from tests.scoring.outcome_sets import card

RULES = JudgeBench()


@pytest.mark.parametrize(
    ("first", "second", "right"),
    [(1, 1, 1), (1, None, 1), (None, 1, 1), (1, 0, 0), (0, 1, 0), (None, None, 0), (0, None, 0), (0, 0, 0)],
)
def test_right_if_more_orders_agree_with_the_label_than_oppose_it(
    first: int | None, second: int | None, right: int
) -> None:
    row = {"pair_id": "1", "source": "livecodebench", "correct_first": first, "correct_second": second}
    assert card("judge_bench", [row])["score"] == right


def test_score_is_over_all_pairs_and_sources_are_grouped() -> None:
    rows = [
        {"pair_id": str(n), "source": source, "correct_first": right, "correct_second": right}
        for n, (source, right) in enumerate(
            [("mmlu-pro-law", 1), ("mmlu-pro-computer science", 1), ("mmlu-pro-math", 0), ("livebench-math", 1)]
        )
    ]
    seen = card("judge_bench", rows)
    assert seen["score"] == 0.75
    assert seen["sections"]["mmlu-pro"]["n"] == 3


def test_a_pair_twice_is_refused() -> None:
    row = {"pair_id": "1", "source": "livecodebench", "correct_first": 1, "correct_second": 1}
    with pytest.raises(ValueError, match="duplicate id"):
        card("judge_bench", [row, row])


def test_splits_are_scored_apart_where_rows_name_them() -> None:
    rows = [
        {"pair_id": "1", "source": "livecodebench", "split": "gpt", "correct_first": 1, "correct_second": 1},
        {"pair_id": "2", "source": "livecodebench", "split": "claude", "correct_first": 0, "correct_second": 1},
    ]
    seen = card("judge_bench", rows)
    assert (seen["splits"]["gpt"]["score"], seen["splits"]["claude"]["score"]) == (1.0, 0.0)


def test_the_label_decides_which_answer_is_better() -> None:
    row = {
        "pair_id": "1", "source": "mmlu-pro-law", "question": "q", "response_model": "gpt-4o-2024-05-13",
        "response_A": "a", "response_B": "b", "label": "B>A",
    }  # fmt: skip
    (item,) = RULES.items(row)
    assert (item.pair.chosen, item.pair.rejected) == ("b", "a")
    assert RULES.subset(item) == "gpt/mmlu-pro"
    for change in ({"label": "A=B"}, {"source": "gsm8k"}, {"source": "law"}, {"response_model": "llama-3"}):
        with pytest.raises(RowRefusedError):
            RULES.items(row | change)
