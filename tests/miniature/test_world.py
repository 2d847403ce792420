"""The world: what holds for every problem of it."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.miniature import chat_families as chat
from reasrm.miniature import reasoning_families as reasoning
from reasrm.miniature.benchmark_rows import REWARD_BENCH_SUBSETS, benchmark_rows
from reasrm.miniature.reasoning_families import ReasoningFamily, result_of, solve
from reasrm.miniature.world import (
    Family,
    Split,
    Style,
    apply_style,
    plain_answers,
    random_question,
    split_of,
    strip_style,
    training_pairs,
)
from reasrm.records.pair import Role


@given(st.integers(0, 10**6), st.sampled_from(list(Family)), st.sampled_from(list(Split)))
def test_a_question_is_asked_in_one_split_only(seed: int, family: Family, split: Split) -> None:
    assert split_of(random_question(family, split, random.Random(seed))) is split


def test_the_splits_share_no_question() -> None:
    questions = {
        split: {
            turn.content for pair in training_pairs(split, 1500, 3) for turn in pair.prompt if turn.role is Role.USER
        }
        for split in Split
    }
    assert not questions[Split.TRAIN] & questions[Split.TEST]
    assert not questions[Split.TRAIN] & questions[Split.DEV]
    assert not questions[Split.DEV] & questions[Split.TEST]


def test_pairs_are_the_same_for_the_same_seed_and_all_different() -> None:
    pairs = training_pairs(Split.TRAIN, 500, 5)
    assert pairs == training_pairs(Split.TRAIN, 500, 5)
    assert pairs != training_pairs(Split.TRAIN, 500, 6)
    assert len({pair.id for pair in pairs}) == 500


@given(st.integers(0, 10**6), st.sampled_from(list(Family)))
def test_the_better_answer_is_better_by_the_question_alone(seed: int, family: Family) -> None:
    rng = random.Random(seed)
    question = random_question(family, Split.TRAIN, rng)
    better, worse = plain_answers(family, question, rng)
    assert better != worse
    if family is Family.CHAT:
        weights = chat.weights_for(question)
        worths = [chat.score(chat.features_in(content), weights) for content in (better, worse)]
        assert worths[0] > worths[1]
    elif family is Family.SAFE:
        assert chat.refuses(better) is chat.is_harmful(question)
        assert chat.refuses(worse) is not chat.is_harmful(question)
    else:
        assert result_of(better) == solve(question)[-1].result != result_of(worse)


@pytest.mark.parametrize(
    ("question", "result"),
    [
        ("sum a 4 b 3 c 0 d 1 e 2", "0"),
        ("face north then a right b right c back d stay e left", "west"),
        ("ball red swap a rg b bg c rb d gr e bg", "blue"),
    ],
)
def test_worked_examples(question: str, result: str) -> None:
    assert solve(question)[-1].result == result


@given(st.integers(0, 10**6), st.sampled_from(list(ReasoningFamily)))
def test_each_step_goes_on_from_the_step_before(seed: int, family: ReasoningFamily) -> None:
    question = reasoning.random_question(family, random.Random(seed))
    steps = solve(question)
    words = question.split()
    for number in range(1, len(steps) + 1):
        shorter = " ".join(words[: len(words) - 2 * (len(steps) - number)])
        assert solve(shorter)[-1] == steps[number - 1]


@given(st.sampled_from(["it is 3", "cats facts joke", "sorry no ring", "## odd", ""]), st.sampled_from(list(Style)))
def test_stripping_a_style_is_the_inverse_of_applying_it(content: str, style: Style) -> None:
    assert strip_style(apply_style(content, style)) == (style, content)


def test_fancier_is_better_more_often_in_training_only() -> None:
    def fancier_share(split: Split) -> float:
        ranks = [
            (Style[pair.labels["chosen_style"].upper()], Style[pair.labels["rejected_style"].upper()])
            for pair in training_pairs(split, 3000, 1)
        ]
        differing = [chosen > rejected for chosen, rejected in ranks if chosen != rejected]
        return sum(differing) / len(differing)

    assert 0.56 < fancier_share(Split.TRAIN) < 0.64
    assert 0.46 < fancier_share(Split.TEST) < 0.54


def test_benchmark_rows_cover_every_section_with_distinct_test_questions() -> None:
    rows = benchmark_rows(0)
    prompts = [row["prompt"] for row in rows["reward_bench"]]
    assert len(prompts) == len(set(prompts)) == sum(count for _, count in REWARD_BENCH_SUBSETS.values()) == 1000
    assert all(split_of(prompt) is Split.TEST for prompt in prompts)
    assert {row["subset"] for row in rows["reward_bench"]} == set(REWARD_BENCH_SUBSETS)
    assert {row["domain"] for row in rows["rm_bench"]} == {"chat", "math", "code", "safety-refuse", "safety-response"}
    for row in rows["rm_bench"]:
        assert [strip_style(text)[0] for text in row["chosen"]] == list(Style)
        assert len({strip_style(text)[1] for text in row["rejected"]}) == 1


def test_each_best_of_n_comparison_is_also_a_pairwise_row() -> None:
    rows = benchmark_rows(0)
    pairwise = Counter(
        (str(row["conversation_input"]), row["chosen"]["answer"], row["reject"]["answer"])
        for row in rows["rmb_pairwise"]
    )
    for group in rows["rmb_bon"]:
        for loser in group["loser_list"]:
            assert pairwise[(str(group["conversation_input"]), group["bon_best"]["answer"], loser["answer"])]
    uids = [(row["category_path"], row["pair_uid"]) for row in rows["rmb_pairwise"]]
    assert len(uids) == len(set(uids))
    assert any(len(row["conversation_input"]) == 3 for row in rows["rmb_pairwise"])
