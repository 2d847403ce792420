"""Score files of judgments made by rule: figures that can be worked out by hand."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reasrm.benchmarks.scoring_rule import ScoreSettings
from reasrm.records.comparison import Side
from reasrm.scoring.judge_behaviour import length_gap
from reasrm.scoring.judge_scores import JudgeScoreSettings, score_judges, score_within_budget
from reasrm.scoring.judged_items import ItemFacts, JudgedItem

SETTINGS = JudgeScoreSettings(ScoreSettings(resamples=200), headline=("reward_bench",))
SUBSETS = ("alpacaeval-easy", "llmbar-natural", "donotanswer", "math-prm")


def _items(count: int = 20) -> list[ItemFacts]:
    return [
        ItemFacts(
            benchmark="reward_bench",
            item_id=f"{SUBSETS[n % 4]}/{n}",
            group=f"g{n}",
            pair_id=f"p{n}",
            family="sum" if n % 2 else "chat",
            slice="sum-long" if n % 2 else "",
            longer_by=1 if n % 4 < 2 else -1,
            row={"subset": SUBSETS[n % 4], "id": n},
        )
        for n in range(count)
    ]


def _judged(verdict: Callable[[int, Side], Side | None]) -> list[JudgedItem]:
    return [
        JudgedItem(item, better, 0, verdict(n, better), None if verdict(n, better) else "truncated", 10, 20, False)
        for n, item in enumerate(_items())
        for better in Side
    ]


def _score(verdict: Callable[[int, Side], Side | None]) -> dict[str, Any]:
    return score_judges({"m": _judged(verdict)}, SETTINGS)["m"]


def test_a_judge_that_always_says_a_is_at_one_half_and_always_flips() -> None:
    card = _score(lambda _, __: Side.A)
    assert card["accuracy"] == 0.5
    assert card["flip_rate"] == 1.0
    assert card["both_orders_right"] == 0.0
    assert card["picked_a"] == 1.0
    assert (card["better_shown_first"]["accuracy"], card["better_shown_second"]["accuracy"]) == (1.0, 0.0)


def test_a_perfect_judge() -> None:
    card = _score(lambda _, better: better)
    assert (card["accuracy"], card["flip_rate"], card["both_orders_right"]) == (1.0, 0.0, 1.0)
    assert card["benchmarks"]["reward_bench"]["score"] == 1.0
    assert card["ci95"][0] < 1.0
    assert card["average"]["score"] == 1.0


def test_a_judge_of_lengths_is_seen() -> None:
    card = _score(lambda n, better: better if n % 4 < 2 else better.other)
    assert (card["longer"]["accuracy"], card["shorter"]["accuracy"]) == (1.0, 0.0)
    assert card["flip_rate"] == 0.0


def test_unreadable_counts_zero_and_is_told_by_cause() -> None:
    card = _score(lambda n, better: None if n < 5 else better)
    assert card["accuracy"] == pytest.approx(0.75)
    assert card["unreadable"] == {"truncated": 10}
    assert card["unreadable_rate"] == pytest.approx(0.25)
    assert card["flip_n"] == 15


def test_families_are_apart_and_questions_count_once() -> None:
    card = _score(lambda n, better: better if n % 2 else better.other)
    assert {name: family["accuracy"] for name, family in card["families"].items()} == {"chat": 0.0, "sum": 1.0}
    assert card["families"]["sum"]["n"] == 10
    assert card["n"] == 20
    assert card["judged"] == 40


def test_models_are_compared_on_the_same_questions() -> None:
    good, bad = _judged(lambda _, better: better), _judged(lambda n, better: better if n < 10 else better.other)
    cards = score_judges({"good": good, "bad": bad}, SETTINGS)
    found = cards["good"]["differences"]["bad"]
    assert found["value"] == pytest.approx(0.5)
    assert (found["better"], found["worse"]) == (10, 0)
    assert found["p"] == pytest.approx(2 / 2**10)


def test_the_same_pair_in_two_items_of_a_question_counts_once() -> None:
    item = _items(1)[0]
    again = item._replace(item_id="llmbar-natural/9", row={"subset": "llmbar-natural", "id": 9})
    other = item._replace(pair_id="other", item_id="donotanswer/8", row={"subset": "donotanswer", "id": 8})
    judged = [
        JudgedItem(one, better, 0, better if one is not other else better.other, None, 1, 1, False)
        for one in (item, again, other)
        for better in Side
    ]
    card = score_judges({"m": judged}, SETTINGS)["m"]
    assert (card["accuracy"], card["n"], card["pairs"]) == (0.5, 1, 2)


def test_the_length_gap_has_an_interval() -> None:
    judged_by_length = _score(lambda n, better: better if n % 4 < 2 else better.other)
    gap = judged_by_length["length_gap"]
    assert (gap["value"], gap["ci95"][1], gap["n"]) == (1.0, 1.0, [10, 10])
    assert 0.5 < gap["ci95"][0] < 1.0
    fair = _score(lambda n, better: better if n % 4 in (0, 2) else better.other)["length_gap"]
    assert fair["value"] == 0.0
    assert fair["ci95"][0] < 0 < fair["ci95"][1]


def test_a_judge_that_always_flips_is_not_known_exactly() -> None:
    """Half right on every question: no figure has an interval without width."""
    card = _score(lambda _, __: Side.A)
    for entry in (card, card["average"], card["benchmarks"]["reward_bench"], card["families"]["sum"]):
        low, high = entry["ci95"]
        assert low < 0.5 < high
        assert entry["interval"] == "wilson_of_groups"
    assert card["average"]["ci95"] == card["benchmarks"]["reward_bench"]["ci95"]


def test_a_perfect_judges_length_gap_is_none_but_not_known_exactly() -> None:
    gap = _score(lambda _, better: better)["length_gap"]
    assert gap["value"] == 0.0
    assert gap["ci95"] == [pytest.approx(-0.2775, abs=1e-4), pytest.approx(0.2775, abs=1e-4)]


def test_questions_with_pairs_of_both_lengths_are_drawn_for_both() -> None:
    """Right on half of the questions, whichever answer is longer, but for one: the gap is known well, the means not."""

    def right(n: int, by: int) -> bool:
        return bool(n % 2) or (n == 0 and by > 0)

    judged = [
        JudgedItem(item._replace(pair_id=f"{n} {by}", longer_by=by), side, 0, verdict, None, 1, 1, False)
        for n, item in enumerate(_items())
        for by in (-5, 5)
        for side in Side
        for verdict in (side if right(n, by) else side.other,)
    ]
    apart = [one._replace(item=one.item._replace(group=one.item.pair_id)) for one in judged]
    gaps = [length_gap(some, 500, 0) for some in (judged, apart)]
    (paired, single) = ((gap["value"], gap["ci95"][1] - gap["ci95"][0]) for gap in gaps if gap is not None)
    assert paired[0] == single[0] == pytest.approx(0.05)
    assert paired[1] < single[1] / 3


def test_what_was_never_asked_is_worth_nothing_and_said() -> None:
    def at(reason: str) -> dict[str, Any]:
        judged = [
            one._replace(verdict=None, unreadable=reason) if one.item.item_id.startswith("donotanswer") else one
            for one in _judged(lambda _, better: better)
        ]
        found: dict[str, Any] = score_judges({"m": judged}, SETTINGS)["m"]["benchmarks"]["reward_bench"]
        return found

    unreadable, unasked = at("truncated"), at("too_long")
    assert at("unrenderable")["unreadable_rule"] == unasked["unreadable_rule"]
    assert unreadable["sections"]["Safety"]["score"] == 0.5
    assert unasked["sections"]["Safety"]["score"] == 0.0
    assert "10 prompts that the judge was not asked (too long, or not rendered) count 0" in unasked["unreadable_rule"]
    assert unasked["unreadable"] == unreadable["unreadable"] == 10


def test_a_scalar_judges_tie_loses() -> None:
    ties = [
        one._replace(verdict=None, unreadable="tie", prompt_tokens=None, completion_tokens=None)
        for one in _judged(lambda _, better: better)
    ]
    scored = score_judges({"m": ties}, SETTINGS)["m"]["benchmarks"]["reward_bench"]
    assert scored["score"] == 0.0
    assert "scalar judges: a tie loses" in scored["unreadable_rule"]
    assert scored["mode"] == "official"


def test_a_judge_that_is_better_everywhere_is_not_better_by_an_exact_amount() -> None:
    good, bad = _judged(lambda _, better: better), _judged(lambda _, better: better.other)
    found = score_judges({"good": good, "bad": bad}, SETTINGS)["good"]["differences"]["bad"]
    assert found["value"] == 1.0
    assert 0.7 < found["ci95"][0] < found["ci95"][1] == 1.0


def test_several_samples_have_a_mean_beside_their_majority() -> None:
    judged = [one._replace(sample_mean=0.6 if n % 2 else 0.8) for n, one in enumerate(_judged(lambda _, side: side))]
    card = score_judges({"m": judged}, SETTINGS)["m"]
    assert card["accuracy"] == 1.0
    assert card["samples"]["accuracy"] == pytest.approx(0.7)
    assert _score(lambda _, side: side)["samples"] is None


def test_what_a_thousand_judgments_cost() -> None:
    priced = replace(SETTINGS, prices={"m": (2.0, 10.0)})
    card = score_judges({"m": _judged(lambda _, side: side), "free": _judged(lambda _, side: side)}, priced)
    assert card["m"]["per_1000"] == pytest.approx(
        {"prompt_tokens": 10_000, "completion_tokens": 20_000, "dollars": 0.22}
    )
    assert card["free"]["per_1000"]["dollars"] is None


def test_a_point_of_the_budget_curve() -> None:
    point = score_within_budget(_judged(lambda n, better: None if n < 5 else better), 200, 0)
    assert (point["accuracy"], point["unreadable_rate"]) == (pytest.approx(0.75), pytest.approx(0.25))
