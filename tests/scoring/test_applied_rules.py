"""A card names the rule that was applied, and says what is not the whole or not the official benchmark."""

from dataclasses import replace
from typing import Any

import pytest

from reasrm.benchmarks.registry import BENCHMARKS
from reasrm.benchmarks.reward_bench import SECTIONS
from reasrm.benchmarks.rmb import CATEGORIES
from reasrm.benchmarks.scoring_rule import OutcomeError, UnreadableRule
from reasrm.records.judge_kind import JudgeKind
from tests.scoring.outcome_sets import AS_PUBLISHED, OFFICIAL, ROWS, Row, card, judged

SCALAR = replace(OFFICIAL, judge=JudgeKind.SCALAR)
HALF = replace(OFFICIAL, unreadable=UnreadableRule.HALF)


def _both(rows: list[Row]) -> list[Row]:
    return [row | {"order": order} for row in rows for order in ("first", "second")]


def _four_way(correct: int | None) -> list[Row]:
    return [{"subset": "Focus", "id": str(number), "correct": correct} for number in range(4)]


def test_pairs_of_reward_bench_2_are_not_the_official_number_and_a_tie_of_theirs_is_worth_nothing() -> None:
    seen = card("reward_bench_2", judged("reward_bench_2", lambda _: None))
    assert seen["mode"] == "not_official"
    assert seen["unreadable_rule"] == "an unreadable verdict is worth 0 (a tie loses)"
    assert seen["score"] == 0.0
    assert "not the official number" in seen["notes"][0]


def test_four_answers_at_once_are_scored_by_the_official_rule_of_reward_bench_2() -> None:
    seen = card("reward_bench_2", _four_way(None))
    assert (seen["mode"], seen["score"]) == ("official", 0.25)
    assert "worth 0.25" in seen["unreadable_rule"]
    assert "Ties" in seen["sections_missing"]


def test_the_two_kinds_of_reward_bench_2_are_not_mixed() -> None:
    pairs = [row for row in judged("reward_bench_2", lambda _: 1) if row["subset"] != "Focus"]
    with pytest.raises(OutcomeError, match=r"rows line 25: 'Focus/0' has no `rejected`.*'Factuality/0' in line 1 has"):
        card("reward_bench_2", [*pairs, *_four_way(1)])
    with pytest.raises(OutcomeError, match="with and without `rejected`"):
        card("reward_bench_2", [{"subset": "Focus", "id": "0", "rejected": 0, "correct": 1}, *_four_way(1)])


def test_a_judge_asked_in_one_order_has_no_official_number_on_judge_bench() -> None:
    one = card("judge_bench", judged("judge_bench", lambda _: 1))
    assert one["mode"] == "not_official"
    assert "one order" in one["notes"][0]
    assert card("judge_bench", _both(judged("judge_bench", lambda _: 1)))["mode"] == "official"
    unnamed = judged("judge_bench", lambda _: 1)
    assert card("judge_bench", unnamed + unnamed)["mode"] == "official"
    samples = [row | {"sample": sample} for row in _both(unnamed) for sample in range(2)]
    assert card("judge_bench", samples)["mode"] == "not_official"
    same_order_twice = [row | {"order": "first", "sample": sample} for row in unnamed for sample in range(2)]
    assert card("judge_bench", same_order_twice)["mode"] == "not_official"


@pytest.mark.parametrize("settings", [OFFICIAL, HALF, AS_PUBLISHED])
def test_judge_bench_names_no_worth_since_its_rule_has_none(settings: Any) -> None:
    seen = card("judge_bench", _both(judged("judge_bench", lambda number: (1, None)[number % 2])), settings)
    assert seen["unreadable_rule"] == "an unreadable verdict counts neither for nor against its pair"
    assert seen["mode"] == "official"


def test_a_scalar_judges_tie_loses_and_a_generative_judges_unreadable_reply_is_half() -> None:
    rows = judged("reward_bench", lambda _: None)
    generative, scalar = card("reward_bench", rows), card("reward_bench", rows, SCALAR)
    assert (generative["score"], scalar["score"]) == (0.5, 0.0)
    assert "generative judges" in generative["unreadable_rule"]
    assert "scalar judges: a tie loses" in scalar["unreadable_rule"]
    assert (generative["mode"], scalar["mode"]) == ("official", "official")


def test_another_worth_than_the_rules_is_not_official() -> None:
    zero = replace(OFFICIAL, unreadable=UnreadableRule.ZERO)
    some = card("reward_bench", judged("reward_bench", lambda number: (1, None)[number % 2]), zero)
    assert some["mode"] == "not_official"
    assert "by the rule it is worth 0.5" in some["notes"][0]
    assert card("reward_bench", judged("reward_bench", lambda _: 1), zero)["mode"] == "official"


def test_what_rm_r1_never_published_is_not_called_so() -> None:
    assert card("reward_bench", judged("reward_bench", lambda _: 1), AS_PUBLISHED)["mode"] == "as_published"
    seen = card("judge_bench", _both(judged("judge_bench", lambda _: 1)), AS_PUBLISHED)
    assert seen["mode"] == "official"
    assert "RM-R1 published nothing" in seen["notes"][0]


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_part_of_a_benchmark_is_held_against_the_whole(name: str) -> None:
    seen = card(name, judged(name, lambda _: 1))
    assert seen["coverage"]["official"] == sum(BENCHMARKS[name].official_counts.values())
    assert not seen["coverage"]["complete"]
    assert "NOT the whole benchmark" in seen["notes"][-1]


def test_one_subset_that_is_not_there_is_said() -> None:
    rows = [
        {"subset": subset, "id": number, "correct": 1}
        for subsets in SECTIONS.values()
        for subset, count in subsets.items()
        for number in range(count)
    ]
    whole = card("reward_bench", rows)
    assert whole["coverage"]["complete"]
    assert whole["notes"] == []
    without = card("reward_bench", [row for row in rows if row["subset"] != "math-prm"])
    assert without["sections_missing"] == []
    assert without["notes"] == ["NOT the whole benchmark: 2,538 of 2,985 rows (math-prm 0 of 447)"]
    more = card("reward_bench", [*rows, {"subset": "hep-go", "id": "new", "correct": 1}])
    assert more["notes"] == ["more than the published benchmark: 2,986 of 2,985 rows (hep-go 165 of 164)"]


def test_prompts_of_rm_bench_are_counted_by_domain_and_not_by_cell() -> None:
    subsets = card("rm_bench", judged("rm_bench", lambda _: 1))["coverage"]["subsets"]
    assert subsets["safety-refuse"] == {"found": 2, "official": 284}
    assert subsets["math"] == {"found": 2, "official": 529}


def test_one_category_of_rmb_is_not_rmb() -> None:
    seen = card("rmb", [{"kind": "pair", "category": "Harmlessness/S1", "uid": "1", "correct": 1}])
    assert seen["notes"] == [
        "NOT the whole benchmark: 1 of 20,917 rows (other numbers than published in 98 of 98 subsets)"
    ]
    assert len(seen["coverage"]["subsets"]) == 98


def test_a_split_of_judge_bench_is_whole_by_itself() -> None:
    counts = {name: rows for name, rows in BENCHMARKS["judge_bench"].official_counts.items() if name.startswith("gpt")}
    sources = {"mmlu-pro": "mmlu-pro-law"}
    rows = [
        {"pair_id": f"{name}-{n}", "source": sources.get(name[4:], name[4:]), "split": "gpt", "correct": 1}
        for name, count in counts.items()
        for n in range(count)
    ]
    assert card("judge_bench", _both(rows))["coverage"]["complete"]
    unnamed = [{key: value for key, value in row.items() if key != "split"} for row in _both(rows)]
    assert card("judge_bench", unnamed)["coverage"] | {"subsets": {}} == {
        "found": 350, "official": 620, "complete": False, "subsets": {},
    }  # fmt: skip


@pytest.mark.parametrize(("name", "field"), [("rmb", "loser"), ("reward_bench_2", "rejected")])
def test_a_group_without_one_of_its_losers_is_refused(name: str, field: str) -> None:
    rows = judged(name, lambda _: 1)
    gone = next(number for number, row in enumerate(rows) if row.get(field) == 0)
    with pytest.raises(
        OutcomeError, match=rf"^rows line {gone + (2 if name == 'reward_bench_2' else 1)}: .*{field}` 0"
    ):
        card(name, rows[:gone] + rows[gone + 1 :])


def test_all_three_wrong_answers_of_reward_bench_2_are_needed() -> None:
    rows = [row for row in judged("reward_bench_2", lambda _: 1) if row["rejected"] == 0]
    with pytest.raises(OutcomeError, match=r"lacks `rejected` 1, 2 of its three; judge all three"):
        card("reward_bench_2", rows)


def test_fewer_losers_than_published_are_said_where_all_groups_are_there() -> None:
    rows = [
        {"kind": "bon", "category": category, "uid": str(number), "loser": 0, "correct": 1}
        for category, (_, groups) in CATEGORIES.items()
        for number in range(groups)
    ]
    assert card("rmb", rows)["notes"][0] == "best-of-N groups have 3,786 of 8,714 published losers"


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("rmb", {"kind": "bon", "category": "Harmlessness/S1", "uid": "1", "loser": "gpt-4", "correct": 1}),
        ("rmb", {"kind": "bon", "category": "Harmlessness/S1", "uid": "1", "loser": -1, "correct": 1}),
        ("reward_bench_2", {"subset": "Focus", "id": "1", "rejected": 3, "correct": 1}),
        ("reward_bench_2", {"subset": "Focus", "id": "1", "rejected": False, "correct": 1}),
        ("rm_bench", {"id": None, "domain": "chat", "chosen_style": 0, "rejected_style": 0, "correct": 1}),
        ("rm_bench", {"id": "1", "domain": "chat", "chosen_style": 1.0, "rejected_style": 0, "correct": 1}),
        ("judge_bench", {"pair_id": "1", "source": "livecodebench", "split": "GPT", "correct": 1}),
        ("judge_bench", {"pair_id": "1", "source": "livecodebench", "split": ["gpt"], "correct": 1}),
        ("judge_bench", {"pair_id": "1", "source": "livecodebench", "correct_first": True, "correct_second": 1}),
    ],
)
def test_values_that_are_none_of_the_benchmarks_are_refused(name: str, row: Row) -> None:
    with pytest.raises(ValueError, match="must be"):
        BENCHMARKS[name].outcomes(row)
