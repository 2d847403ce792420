"""Which pairs are worth a judgment: every pair of different answers is kept, or left out for one reason."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from reasrm.data_quality.decontamination import BenchmarkPrompts
from reasrm.policy.hard_cases.answer_sampling import SampledAnswers, answer_of
from reasrm.policy.hard_cases.refinement import NearDuplicateRule, PairRefusal, Refinement, pairs_of
from reasrm.records.hard_case import AnswerPair
from tests.policy.hard_cases.answer_pairs import BOXES, RIGHT, WRONG, prompt_of

NEAR = NearDuplicateRule(similarity=0.9, ngram=3, permutations=64)
ANSWERS = st.lists(st.text("ab c", min_size=1, max_size=6), max_size=6, unique=True)


def refinement(
    limit: int = 9, near: NearDuplicateRule | None = None, benchmark: str = "another question"
) -> Refinement:
    prompts = BenchmarkPrompts([("an item", prompt_of(benchmark).prompt)], 13, 1.0)
    return Refinement(0, limit, prompts, near, lambda pair: "unknown" not in pair.a + pair.b)


def kept(rules: Refinement, *answers: str, question: str = BOXES) -> list[AnswerPair]:
    return list(rules.refined([SampledAnswers(prompt_of(question), answers)]))


@given(ANSWERS, st.integers(1, 4))
def test_every_pair_is_kept_or_counted_once(answers: list[str], limit: int) -> None:
    rules = refinement(limit, NEAR)
    found = kept(rules, *answers)
    assert len(found) + rules.refused.total() == rules.pairs == len(list(combinations(answers, 2)))
    assert len(found) <= limit


@given(ANSWERS, st.randoms())
def test_the_order_of_drawing_decides_nothing(answers: list[str], rng: object) -> None:
    prompt = prompt_of(BOXES)
    shuffled = sorted(answers, key=lambda _: rng.random())  # type: ignore[attr-defined]
    assert pairs_of(SampledAnswers(prompt, tuple(answers)), 0) == pairs_of(SampledAnswers(prompt, tuple(shuffled)), 0)


def test_each_reason_is_told_apart() -> None:
    rules = refinement(limit=1, near=NEAR)
    assert kept(rules, "It is in  the red box.", "it is in the red box.") == []
    assert rules.refused == {PairRefusal.SAME_WORDS: 1}
    assert kept(rules, "unknown", RIGHT) == []
    assert rules.refused[PairRefusal.UNKNOWN_WORDS] == 1
    assert len(kept(rules, RIGHT, WRONG, "It is in the green box.")) == 1
    assert rules.refused[PairRefusal.OVER_LIMIT] == 2
    assert kept(refined := refinement(benchmark=BOXES), RIGHT, WRONG) == []
    assert refined.refused == {PairRefusal.BENCHMARK_OVERLAP: 1}


def test_a_pair_that_is_nearly_one_before_it_is_left_out() -> None:
    rules = refinement(near=NEAR)
    long = " ".join(f"word {place}" for place in range(60))
    drawn = [SampledAnswers(prompt_of(f"{long} {end}?"), (RIGHT, WRONG)) for end in ("one", "two")]
    assert [pair.prompt_id for pair in rules.refined(drawn)] == [drawn[0].prompt.id]
    assert rules.refused == {PairRefusal.NEAR_DUPLICATE: 1}


def test_an_answer_is_what_follows_the_last_thought() -> None:
    assert answer_of("<think>a</think> no </think> It is so. ", "</think>") == "It is so."
    assert answer_of(" It is so.", "</think>") == "It is so."
    assert answer_of("a </think> b", "") == "a </think> b"
