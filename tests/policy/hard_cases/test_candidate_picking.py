"""Candidates: what the judge is unsure of comes first, a prompt has few, every beginning holds the kinds' shares."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.policy.hard_cases.candidate_picking import UNSURE, candidates, in_shares, kind_of, wins
from reasrm.policy.hard_cases.contested_pairs import contested
from reasrm.records.comparison import Side
from reasrm.records.hard_case import AnswerPair, CandidateKind, Verdicts
from tests.policy.hard_cases.answer_pairs import candidate_of, pair_of

A, B = Side.A, Side.B
SIDES = st.sampled_from([A, B, None])
JUDGED = st.lists(st.tuples(st.integers(0, 5), SIDES, SIDES), max_size=40)
KINDS = st.lists(st.sampled_from([kind for kind in CandidateKind if kind is not CandidateKind.CONTESTED]), max_size=60)


def judged(drawn: list[tuple[int, Side | None, Side | None]]) -> tuple[list[AnswerPair], list[Verdicts]]:
    """Pairs of a few prompts, each with two answers of its own."""
    pairs = [
        pair_of(f"one {place}", f"two {place}", f"question {prompt}") for place, (prompt, _, _) in enumerate(drawn)
    ]
    return pairs, [(first, second) for _, first, second in drawn]


@pytest.mark.parametrize(
    ("verdicts", "kind"),
    [
        ((None, A), CandidateKind.NO_VERDICT),
        ((B, None), CandidateKind.NO_VERDICT),
        ((A, B), CandidateKind.INCONSISTENT),
        ((B, B), CandidateKind.DRAWN),
    ],
)
def test_a_kind_is_what_both_orders_say(verdicts: Verdicts, kind: CandidateKind) -> None:
    assert kind_of(verdicts, holds_top_answer=False) is kind


def test_the_answer_that_wins_most_makes_its_consistent_pairs_top_ones() -> None:
    pairs = [pair_of("best", "middle"), pair_of("worst", "best"), pair_of("middle", "worst")]
    found = candidates(pairs, [(A, A), (B, B), (A, A)], "judge", 0, per_prompt=3)
    assert {(one.pair.a, one.pair.b): one.kind for one in found} == {
        ("best", "middle"): CandidateKind.TOP_ANSWER,
        ("worst", "best"): CandidateKind.TOP_ANSWER,
        ("middle", "worst"): CandidateKind.DRAWN,
    }


@given(JUDGED)
def test_what_one_answer_wins_the_other_loses(drawn: list[tuple[int, Side | None, Side | None]]) -> None:
    pairs, verdicts = judged(drawn)
    assert sum(wins(pairs, verdicts).values()) == pytest.approx(len(pairs))


@given(JUDGED, st.integers(1, 3), st.integers(0, 3))
def test_a_prompt_gives_its_unsure_pairs_first_and_no_more_than_its_limit(
    drawn: list[tuple[int, Side | None, Side | None]], per_prompt: int, seed: int
) -> None:
    pairs, verdicts = judged(drawn)
    found = candidates(pairs, verdicts, "judge", seed, per_prompt)
    number = Counter(pair.prompt_id for pair in pairs)
    unsure = Counter(
        pair.prompt_id
        for pair, named in zip(pairs, verdicts, strict=True)
        if kind_of(named, holds_top_answer=False) in UNSURE
    )
    taken = Counter(one.pair.prompt_id for one in found)
    assert taken == {prompt: min(per_prompt, count) for prompt, count in number.items()}
    taken_unsure = Counter(one.pair.prompt_id for one in found if one.kind in UNSURE)
    assert all(taken_unsure[prompt] == min(per_prompt, count) for prompt, count in unsure.items())
    backwards = candidates(pairs[::-1], verdicts[::-1], "judge", seed, per_prompt)
    assert found == backwards, "the order in which pairs come decides nothing"


@given(KINDS, st.tuples(*[st.sampled_from([0.0, 0.1, 0.2, 0.5])] * 4))
def test_every_beginning_holds_the_kinds_in_their_shares_while_there_are_any(
    kinds: list[CandidateKind], chosen: tuple[float, float, float, float]
) -> None:
    shares = dict(zip([one for one in CandidateKind if one is not CandidateKind.CONTESTED], chosen, strict=True))
    some = [candidate_of(pair_of("one", f"two {place}"), kind) for place, kind in enumerate(kinds)]
    ordered = in_shares(some, shares)
    assert sorted(one.pair.id for one in ordered) == sorted(one.pair.id for one in some if shares[one.kind])
    for kind, share in shares.items():
        own = [one for one in ordered if one.kind is kind]
        assert own == [one for one in some if one.kind is kind and share]
    for end in range(len(ordered)):
        counts = Counter(one.kind for one in ordered[:end])
        waiting = {one.kind for one in ordered[end:]}
        last = [(counts[kind] - 0.5) / shares[kind] for kind in waiting]
        following = [(counts[kind] + 0.5) / shares[kind] for kind in waiting]
        assert max(last) <= min(following) + 1e-9, "one kind ran ahead of another that was waiting"


@given(JUDGED, st.integers(0, 3))
def test_contested_is_what_two_judges_do_not_name_alike(
    drawn: list[tuple[int, Side | None, Side | None]], seed: int
) -> None:
    pairs, verdicts = judged(drawn)
    other = [(B, second) if place % 3 == 0 else (first, second) for place, (first, second) in enumerate(verdicts)]
    found = contested(pairs, {"old": verdicts, "new": other}, seed)
    differ = [pair.id for pair, one, two in zip(pairs, verdicts, other, strict=True) if one != two]
    assert sorted(one.pair.id for one in found) == sorted(differ)
    assert found == contested(pairs, {"new": other, "old": verdicts}, seed) or not found
