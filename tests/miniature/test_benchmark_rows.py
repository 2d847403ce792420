"""The benchmarks' rows: every section, test questions alone, the worth of a best answer."""

from collections import Counter

from reasrm.miniature.benchmark_rows import REWARD_BENCH_SUBSETS, benchmark_rows
from reasrm.miniature.chat_families import features_in, weights_for
from reasrm.miniature.slices import Family, Slice, slice_of
from reasrm.miniature.styles import Style, strip_style
from reasrm.miniature.world import Split, split_of
from tests.miniature.solved_from_text import worths

ROWS = benchmark_rows(0)


def test_rows_cover_every_section_with_distinct_test_questions() -> None:
    prompts = [row["prompt"] for row in ROWS["reward_bench"]]
    assert len(prompts) == len(set(prompts)) == sum(count for _, count in REWARD_BENCH_SUBSETS.values()) == 1000
    assert all(split_of(prompt) is Split.TEST for prompt in prompts)
    assert {row["subset"] for row in ROWS["reward_bench"]} == set(REWARD_BENCH_SUBSETS)
    assert {row["domain"] for row in ROWS["rm_bench"]} == {"chat", "math", "code", "safety-refuse", "safety-response"}
    for row in ROWS["rm_bench"]:
        assert [strip_style(text)[0] for text in row["chosen"]] == list(Style)
        assert len({strip_style(text)[1] for text in row["rejected"]}) == 1


def test_every_row_names_its_slice() -> None:
    for name, rows in ROWS.items():
        for row in rows:
            question = row["prompt"] if "prompt" in row else row["conversation_input"][-1]["content"]
            assert row["slice"] == slice_of(question), name
            assert row["family"] == Slice(row["slice"]).family
    assert {row["slice"] for row in ROWS["reward_bench"]} == {one.value for one in Slice}


def test_the_answers_of_a_chat_group_offer_two_features_each_in_any_order() -> None:
    first_named = []
    for row in ROWS["rmb_bon"]:
        if row["family"] == Family.CHAT:
            answers = [strip_style(one["answer"])[1] for one in (row["bon_best"], *row["loser_list"])]
            assert {len(features_in(one)) for one in answers} == {2}
            assert 2 <= len(row["loser_list"]) <= 3
            wanted = next(iter(weights_for(row["conversation_input"][-1]["content"])))
            first_named.append(features_in(answers[0])[0] == wanted)
    assert 0.1 < sum(first_named) / len(first_named) < 0.7


def test_each_best_of_n_comparison_is_also_a_pairwise_row() -> None:
    pairwise = Counter(
        (str(row["conversation_input"]), row["chosen"]["answer"], row["reject"]["answer"])
        for row in ROWS["rmb_pairwise"]
    )
    for group in ROWS["rmb_bon"]:
        for loser in group["loser_list"]:
            assert pairwise[(str(group["conversation_input"]), group["bon_best"]["answer"], loser["answer"])]
    uids = [(row["category_path"], row["pair_uid"]) for row in ROWS["rmb_pairwise"]]
    assert len(uids) == len(set(uids))
    assert any(len(row["conversation_input"]) == 3 for row in ROWS["rmb_pairwise"])


def test_the_best_answer_is_better_by_the_words_of_the_question_alone() -> None:
    compared = [(row["prompt"], row["chosen"], row["rejected"]) for row in ROWS["reward_bench"]]
    compared += [(row["prompt"], row["chosen"][i], row["rejected"][2 - i]) for row in ROWS["rm_bench"] for i in Style]
    compared += [
        (row["conversation_input"][-1]["content"], row["chosen"]["answer"], row["reject"]["answer"])
        for row in ROWS["rmb_pairwise"]
    ]
    for question, chosen, rejected in compared:
        better, worse = worths(question, chosen), worths(question, rejected)
        assert all(one > other for one, other in zip(better, worse, strict=True)), (question, chosen, rejected)
