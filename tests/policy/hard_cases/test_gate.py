"""The gate: its figures are what comparing all pairs would give, it flatters no judge, and its rules decide."""

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.policy.hard_cases.contested_pairs import contested
from reasrm.policy.hard_cases.gate import GateRules, decide, decision_document, figures, order_accuracy
from reasrm.records.comparison import Side
from reasrm.records.hard_case import AnswerPair, RelabelledCandidate, RelabelOutcome, Verdicts
from tests.policy.hard_cases.answer_pairs import pair_of

A, B = Side.A, Side.B
JUDGES = ("old", "new")
RULES = GateRules(most_benchmark_loss=0.02, resamples=500, seed=0)
SAME = {f"q{place}": 1.0 for place in range(300)}
Vector = tuple[Verdicts, Verdicts]


def refereed(
    pairs: list[AnswerPair], named: dict[str, list[Verdicts]], better: Side = A, cap: int = 10**6
) -> tuple[list[RelabelledCandidate], Counter[str]]:
    """What the oracle says where the judges differ: `better` in every pair."""
    found = [
        RelabelledCandidate(candidate=one, outcome=RelabelOutcome.LABELLED, better=better)
        if place < cap
        else RelabelledCandidate(candidate=one, outcome=RelabelOutcome.OVER_LIMIT)
        for place, one in enumerate(contested(pairs, named, 0))
    ]
    return found, Counter(pair.prompt_id for pair in pairs)


def many(number: int, per_prompt: int = 2) -> list[AnswerPair]:
    return [pair_of(f"one {place}", f"two {place}", f"question {place // per_prompt}") for place in range(number)]


def noisy(number: int, right: float, rng: random.Random) -> list[Verdicts]:
    return [tuple(A if rng.random() < right else B for _ in range(2)) for _ in range(number)]  # type: ignore[misc]


@given(st.lists(st.tuples(*[st.sampled_from([A, B, None])] * 4), min_size=1, max_size=20))
def test_contested_pairs_alone_give_the_difference_over_all(drawn: list[tuple[Any, Any, Any, Any]]) -> None:
    pairs = many(len(drawn))
    named = {"old": [one[:2] for one in drawn], "new": [one[2:] for one in drawn]}
    found, held_out = refereed(pairs, named)
    made = figures(found, held_out, (SAME, SAME), JUDGES, RULES)
    by_prompt: dict[str, list[float]] = {}
    for pair, old, new in zip(pairs, named["old"], named["new"], strict=True):
        by_prompt.setdefault(pair.prompt_id, []).append(order_accuracy(new, A) - order_accuracy(old, A))
    expected = sum(sum(some) / len(some) for some in by_prompt.values()) / len(by_prompt)
    assert made.overall[0] == pytest.approx(expected)
    assert (made.hard_cases is None) == (not found)


@pytest.mark.slow
def test_two_judges_that_err_as_often_by_chance_are_told_apart_as_seldom_as_they_should() -> None:
    """Where the old judge was inconsistent any other looks better; where the two differ neither does."""
    kept, picked_gain, studies = 0, [], 60
    for study in range(studies):
        rng, pairs = random.Random(study), many(300)
        named = {"old": noisy(300, 0.85, rng), "new": noisy(300, 0.85, rng)}
        found, held_out = refereed(pairs, named)
        kept += decide(figures(found, held_out, (SAME, SAME), JUDGES, RULES), RULES)[0]
        picked = [place for place, (first, second) in enumerate(named["old"]) if first is not second]
        picked_gain.append(sum(order_accuracy(named["new"][place], A) for place in picked) / len(picked) - 0.5)
    assert kept <= 5  # one-sided 2.5 % of 60 studies is 1.5
    assert sum(picked_gain) / studies > 0.3


def test_a_better_judge_is_kept_and_what_it_cost_is_told() -> None:
    rng, pairs = random.Random(0), many(400)
    named = {"old": noisy(400, 0.8, rng), "new": noisy(400, 0.95, rng)}
    found, held_out = refereed(pairs, named)
    made = figures(found, held_out, (SAME, SAME), JUDGES, RULES)
    spent = {"train": {"usd": 0.5, "questions": 200}, "held_out": {"usd": 0.25, "questions": 100}}
    document = decision_document(made, RULES, JUDGES, spent)
    assert document["kept"]
    gain = document["hard_cases"]["difference"]["value"]
    assert gain == pytest.approx(document["hard_cases"]["new"] - document["hard_cases"]["old"])
    assert document["oracle"]["usd"] == 0.75
    assert document["oracle"]["usd_per_point_on_hard_cases"] == pytest.approx(0.75 / (100 * gain))
    assert 0.1 < made.overall[0] < 0.2, "the difference over all pairs is the planted one"
    capped, _ = refereed(pairs, named, cap=len(found) // 2)
    half = figures(capped, held_out, (SAME, SAME), JUDGES, RULES)
    assert half.overall[0] == pytest.approx(made.overall[0], abs=0.05), "a cap on questions samples the contested"


@pytest.mark.parametrize(
    ("new", "why"),
    [
        ({f"q{place}": float(place >= 30) for place in range(300)}, "significant loss on the benchmarks"),
        ({f"q{place}": float(place % 40 != 0) for place in range(300)}, "significant loss"),
        ({f"q{place}": 1.0 if place > 2 else 0.0 for place in range(300)}, "cannot be excluded"),
    ],
)
def test_a_loss_on_the_benchmarks_drops_a_round(new: dict[str, float], why: str) -> None:
    rng, pairs = random.Random(0), many(400)
    named = {"old": noisy(400, 0.7, rng), "new": noisy(400, 0.95, rng)}
    found, held_out = refereed(pairs, named)
    kept, said = decide(figures(found, held_out, (SAME, new), JUDGES, RULES), RULES)
    assert not kept
    assert why in said


def test_without_a_pair_on_which_they_differ_no_gain_is_shown() -> None:
    pairs = many(10)
    named: dict[str, list[Verdicts]] = {"old": [(A, A)] * 10, "new": [(A, A)] * 10}
    found, held_out = refereed(pairs, named)
    made = figures(found, held_out, (SAME, SAME), JUDGES, RULES)
    assert made.overall == (0.0, 0.0, 0.0)
    assert decide(made, RULES) == (
        False,
        "the oracle labelled no pair on which the two judges differ, so no gain is shown",
    )
