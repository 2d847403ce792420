"""What holds of every scheme, whatever the judge: laws over all verdicts, and the sources' examples by hand."""

import math
from collections.abc import Callable
from itertools import pairwise
from statistics import fmean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.policy.pairwise_rewards.knockout import Knockout
from reasrm.policy.pairwise_rewards.pairwise_advantage import pairwise_advantages
from reasrm.policy.pairwise_rewards.registry import SCHEMES, scheme_named
from reasrm.policy.pairwise_rewards.ring import Ring
from reasrm.policy.pairwise_rewards.scheme import TIE, Outcome, Outcomes, Scheme, ShownOrder
from reasrm.runtime.stage_main import StageError

NO_VERDICT = Outcome(None)
Verdicts = Callable[[ShownOrder], Outcome]
PAIRWISE = [scheme for scheme in SCHEMES.values() if not scheme.reads_scores]
ALL_PAIRS = [scheme_named("debiased_tournament"), scheme_named("pairwise_advantage")]
SYMMETRIC = [*ALL_PAIRS, scheme_named("greedy_anchor")]
orders = st.integers(2, 9).flatmap(lambda count: st.permutations(range(count)))
"""The rank of each answer, 0 for the worst."""


def play(scheme: Scheme, answers: int, verdicts: Verdicts) -> tuple[list[float], int]:
    """The rewards of a group, and how many comparisons were asked."""
    outcomes: dict[ShownOrder, Outcome] = {}
    while wanted := scheme.next_round(answers, outcomes):
        assert not set(wanted) & set(outcomes)
        outcomes |= {shown: verdicts(shown) for shown in wanted}
    return scheme.rewards(answers, outcomes), len(outcomes)


def by_rank(ranks: list[int], anchor: float = 0.5) -> Verdicts:
    """A judge that follows a hidden total order, in which the greedy answer stands at `anchor`."""
    places = [*ranks, anchor]
    return lambda shown: Outcome(float(places[shown.first] > places[shown.second]))


def always_first(_: ShownOrder) -> Outcome:
    return Outcome(1.0)


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=list(SCHEMES))
def test_a_group_costs_what_its_scheme_says(scheme: Scheme) -> None:
    costs = {"greedy_anchor": 12, "ring": 6, "debiased_tournament": 30, "pairwise_advantage": 30, "knockout": 10}
    assert scheme.calls(6) == (costs | {"own_scores": 6})[scheme.name]
    for answers in range(2, 18):
        for verdicts in (by_rank(list(range(answers))), always_first, lambda _: NO_VERDICT):
            assert play(scheme, answers, verdicts)[1] == scheme.calls(answers)


@pytest.mark.parametrize("scheme", PAIRWISE, ids=lambda scheme: scheme.name)
@given(ranks=orders)
def test_the_best_answer_of_a_hidden_order_has_the_highest_reward(scheme: Scheme, ranks: list[int]) -> None:
    rewards, _ = play(scheme, len(ranks), by_rank(ranks))
    best = rewards[ranks.index(max(ranks))]
    assert best == max(rewards)
    assert best > rewards[ranks.index(0)]
    if scheme.name in ("knockout", "debiased_tournament", "pairwise_advantage"):
        assert rewards.count(best) == 1


@pytest.mark.parametrize("scheme", ALL_PAIRS, ids=lambda scheme: scheme.name)
@given(ranks=orders)
def test_all_pairs_give_the_hidden_order_itself(scheme: Scheme, ranks: list[int]) -> None:
    rewards, _ = play(scheme, len(ranks), by_rank(ranks))
    in_order = [reward for _, reward in sorted(zip(ranks, rewards, strict=True))]
    gaps = [after - before for before, after in pairwise(in_order)]
    assert min(gaps) > 0
    assert gaps == pytest.approx([gaps[0]] * len(gaps))
    assert fmean(rewards) == pytest.approx(0, abs=1e-12)


any_outcome = st.sampled_from([Outcome(1.0), Outcome(0.0), TIE, NO_VERDICT])


@st.composite
def any_verdicts(draw: st.DrawFn) -> tuple[int, dict[ShownOrder, Outcome]]:
    """Outcomes without any order in them, of a group and its anchor."""
    answers = draw(st.integers(2, 6))
    places = range(answers + 1)
    return answers, {ShownOrder(i, j): draw(any_outcome) for i in places for j in places if i != j}


@pytest.mark.parametrize("scheme", ALL_PAIRS, ids=lambda scheme: scheme.name)
@given(case=any_verdicts())
def test_rewards_of_all_pairs_sum_to_zero_whatever_the_verdicts(
    scheme: Scheme, case: tuple[int, dict[ShownOrder, Outcome]]
) -> None:
    answers, outcomes = case
    rewards, _ = play(scheme, answers, outcomes.__getitem__)
    assert sum(rewards) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("scheme", SYMMETRIC, ids=lambda scheme: scheme.name)
@given(case=any_verdicts(), data=st.data())
def test_rewards_go_with_the_answers_when_they_change_places(
    scheme: Scheme, case: tuple[int, dict[ShownOrder, Outcome]], data: st.DataObject
) -> None:
    answers, outcomes = case
    moved = [*data.draw(st.permutations(range(answers))), answers]
    rewards, _ = play(scheme, answers, outcomes.__getitem__)
    after, _ = play(scheme, answers, lambda shown: outcomes[ShownOrder(moved[shown.first], moved[shown.second])])
    assert after == pytest.approx([rewards[moved[place]] for place in range(answers)])


@given(case=any_verdicts(), by=st.integers(1, 5))
def test_a_ring_can_begin_anywhere(case: tuple[int, dict[ShownOrder, Outcome]], by: int) -> None:
    answers, outcomes = case
    turned = [(place + by) % answers for place in range(answers)]
    rewards, _ = play(Ring(), answers, outcomes.__getitem__)
    after, _ = play(Ring(), answers, lambda shown: outcomes[ShownOrder(turned[shown.first], turned[shown.second])])
    assert after == [rewards[turned[place]] for place in range(answers)]


@pytest.mark.parametrize("scheme", PAIRWISE, ids=lambda scheme: scheme.name)
@given(answers=st.integers(2, 9), first=st.booleans())
def test_a_judge_that_names_a_position_earns_nobody_anything(scheme: Scheme, answers: int, first: bool) -> None:
    rewards, _ = play(scheme, answers, lambda _: Outcome(float(first)))
    assert len(set(rewards)) == 1
    neutral = {"greedy_anchor": 0.5, "ring": 0.5, "knockout": 1.0}
    assert rewards[0] == neutral.get(scheme.name, 0.0)


@pytest.mark.parametrize(
    ("name", "unread"), [("greedy_anchor", 0.0), ("ring", 0.5), ("debiased_tournament", 0.0), ("knockout", 1.0)]
)
def test_without_verdicts_all_answers_are_equal(name: str, unread: float) -> None:
    assert play(scheme_named(name), 3, lambda _: NO_VERDICT)[0] == [unread] * 3


def test_one_order_of_two_counts_as_the_source_says() -> None:
    """Answer 0 wins where it is shown first; the other order is a tie, or has no verdict."""

    def one_order(other: Outcome) -> Outcomes:
        return {ShownOrder(0, 1): Outcome(1.0), ShownOrder(1, 0): other}

    tournament, advantage = ALL_PAIRS
    for other in (TIE, NO_VERDICT):
        assert tournament.rewards(2, one_order(other)) == [0.0, 0.0]
        assert advantage.rewards(2, one_order(other)) == pytest.approx(pairwise_advantages([[0, 0.5], [-0.5, 0]]))
    anchored = scheme_named("greedy_anchor")
    known = {ShownOrder(1, 2): Outcome(0.0), ShownOrder(2, 1): Outcome(0.0)}
    for other, reward in ((TIE, 0.75), (NO_VERDICT, 0.5)):
        outcomes = {ShownOrder(0, 2): Outcome(1.0), ShownOrder(2, 0): other, **known}
        assert anchored.rewards(2, outcomes) == [reward, 0.5]


def test_the_pairwise_advantage_by_hand() -> None:
    """K = 3; 0 beats both, 1 and 2 are undecided: sum of squares 4, variance 4 / 12."""
    root = math.sqrt(4 / 12 + 1e-6)
    found = pairwise_advantages([[0, 1, 1], [-1, 0, 0], [-1, 0, 0]])
    assert found == pytest.approx([2 / 3 / root, -1 / 3 / root, -1 / 3 / root])
    assert pairwise_advantages([[0, 1], [-1, 0]]) == pytest.approx([0.7071061, -0.7071061], abs=1e-6)
    assert pairwise_advantages([[0, 0], [0, 0]]) == [0, 0]


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=8))
def test_of_differences_of_rewards_it_is_grpos_own_advantage(rewards: list[float]) -> None:
    found = pairwise_advantages([[one - other for other in rewards] for one in rewards])
    root = math.sqrt(stdev(rewards) ** 2 + 1e-6)
    assert found == pytest.approx([(reward - fmean(rewards)) / root for reward in rewards], abs=1e-6)


def test_a_knockout_of_six_by_hand() -> None:
    """0-1 and 2-3 play, 4 and 5 sit out; then 1-3 and 4-5; 3 wins the last match."""
    assert play(Knockout(), 6, by_rank([0, 4, 2, 5, 3, 1]))[0] == [0, 1 / 3, 0, 1, 2 / 3, 1 / 3]


def test_who_draws_with_the_winner_comes_as_far() -> None:
    """0 and 1 are equal, so 0 plays on for both, and wins."""

    def verdicts(shown: ShownOrder) -> Outcome:
        return Outcome(1.0) if {*shown} == {0, 1} else Outcome(float(shown.first < shown.second))

    assert play(Knockout(), 4, verdicts)[0] == [1, 1, 0.5, 0]


def test_a_missing_verdict_in_a_ring_is_half_for_both() -> None:
    """0 beats 1, nobody knows of 1 and 2, 2 beats 0."""
    for unknown in (TIE, NO_VERDICT):
        outcomes = {ShownOrder(0, 1): Outcome(1.0), ShownOrder(1, 2): unknown, ShownOrder(2, 0): Outcome(1.0)}
        assert Ring().rewards(3, outcomes) == [0.5, 0.25, 0.75]


def test_a_ring_pays_a_bad_answer_between_worse_ones() -> None:
    assert play(Ring(), 4, by_rank([0, 1, 3, 2]))[0] == [0, 0.5, 1, 0.5]
    assert play(Ring(), 5, by_rank([1, 0, 4, 3, 2]))[0] == [0.5, 0, 1, 0.5, 0.5]


def test_a_scheme_that_is_none_is_named_with_those_that_are() -> None:
    with pytest.raises(StageError, match="no reward scheme 'elo': one of greedy_anchor, ring"):
        scheme_named("elo")
