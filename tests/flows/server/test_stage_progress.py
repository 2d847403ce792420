"""Progress and cost as stages write them."""

import pytest

from flows.server.stage_progress import StageProgress


def read(*lines: str) -> StageProgress:
    progress = StageProgress()
    for line in lines:
        progress.read(line)
    return progress


@pytest.mark.parametrize(
    ("line", "percent"),
    [
        ("grpo-full: step 12/48, loss 0.000, reward 0.703, dev accuracy 0.860 (step 10), 44 s left", 25),
        ("base_model: step 1500/6000, 727 s left", 25),
        ("distill_traces@first: 240/960, ok 100%, right 97%, 3 in flight, 393.3/s of 100000/s, $2.51, 7 s left", 25),
        ("distill_traces@first: 240/960, batch 1 in progress, $0.40 spent", 25),
        ("judge: 1,000 of 4,000 prompts, about 5 s left", 25),
        ("answers, draw 1 of 2: 250 of 1,000 prompts, about 2 s left", 25),
        ("policy check 16: sample 2 of 8", 25),
        ("hub: 25% of 4 GB", 25),
        ("sft: step 30/30, loss 0.004, 0 s left", 99),
    ],
)
def test_the_forms_in_which_stages_count(line: str, percent: float) -> None:
    assert read(line).percent == percent


@pytest.mark.parametrize(
    "line",
    [
        "sft: 960 traces, 30 steps, loss 0.004, 0 too long, dev 0.770 of 100 pairs",
        "judge-sft: sft: 5,024 judgments from 4,454 prompts, 0 unreadable",
        "collect_pairs: 8600 rows; distill 960, reinforce 7040, dev 600; 0 rejected",
        "distill_traces@first: first: 960 pairs asked, 100.0% right, 960 replies, would cost $2.51",
        "sft: 3 of 960 rows are left out",
        "distill_traces@first: 0/0, ok 0%",
        "{'loss': '0.4', 'step 3/9': 1}",
        "read https://example.org/2024/12 on 2024-11-26",
    ],
)
def test_what_counts_nothing(line: str) -> None:
    assert read(line).percent is None


def test_checks_between_the_steps_do_not_count_for_the_whole() -> None:
    progress = read("policy-x-s0: step 24/48, 20 s left", "policy check 24: sample 1 of 2")
    assert progress.percent == 50
    assert progress.line == "policy check 24: sample 1 of 2"
    assert read("dev: 50 of 100 prompts, about 1 s left", "sft: step 3/30, 9 s left").percent == 10


def test_the_cost_is_the_newest_one_and_a_budget_is_none() -> None:
    assert read("d: 1/9, ok 100%, $1,002.51 of $2,000.00, 9 s left").usd == 1002.51
    assert read("d: 1/9, ok 100%, $0.10", "d: 2/9, ok 100%, $0.21").usd == 0.21
    assert read("d: 1/9, ok 100%, cost unknown").usd is None
