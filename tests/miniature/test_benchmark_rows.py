"""The benchmarks' rows: every section, test questions alone, the worth of a best answer."""

from collections import Counter

from reasrm.miniature.benchmark_rows import ADVERSARIAL_PREFIX, REWARD_BENCH_SUBSETS, benchmark_rows
from reasrm.miniature.slices import Slice, slice_of
from reasrm.miniature.styles import Style, strip_style
from reasrm.miniature.world import Split, split_of

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


def test_layout_misleads_in_the_adversarial_subsets_and_there_alone() -> None:
    richer: Counter[tuple[bool, bool]] = Counter()
    for row in ROWS["reward_bench"]:
        better, worse = (list(Style).index(strip_style(row[name])[0]) for name in ("chosen", "rejected"))
        if better != worse or row["subset"].startswith(ADVERSARIAL_PREFIX):
            richer[row["subset"].startswith(ADVERSARIAL_PREFIX), better > worse] += 1
    assert richer[True, True] == 0
    assert richer[True, False] == 105
    assert 0.45 < richer[False, True] / (richer[False, True] + richer[False, False]) < 0.55


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
