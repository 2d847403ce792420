"""The ablation of benchmarks/grpo_ablation.py: what is compared differs in one thing, and a planted effect is found."""

import json
from pathlib import Path

import pytest

from benchmarks.grpo_ablation import ARMS, SEEDS, contrasts, print_tables
from benchmarks.grpo_runs import (
    Demo,
    changed_params,
    consistent_by_pair,
    is_done,
    right_by_pair,
    run_missing,
    unreadable_share,
)
from reasrm.miniature.world import Split, training_pairs


def test_each_arm_is_a_training_that_the_settings_allow() -> None:
    assert len({arm.name() for arm in ARMS}) * len(SEEDS) == 28
    for arm in ARMS:
        params = changed_params(arm.changes(1))
        assert (params.loss_type, params.zero_signal_groups, params.orders, params.seed) == (*arm[1:4], 1)
        assert (params.scale_rewards == "none") == (arm.loss == "dr_grpo")
        assert arm.part != "clip" or params.steps_per_generation > 1, "with one step the ratio is 1"


def test_the_sides_of_a_difference_differ_in_one_factor() -> None:
    for name, left, right in contrasts():
        assert len(left) == len(right)
        assert {*left, *right} <= set(ARMS)
        changed = {
            factor
            for one, other in zip(left, right, strict=True)
            for factor, two in zip(
                ("loss", "signal", "orders", "clip"), zip(one[1:], other[1:], strict=True), strict=True
            )
            if two[0] != two[1]
        }
        assert len(changed) == 1, name


def test_marks_of_both_orders_give_accuracy_consistency_and_what_is_unreadable() -> None:
    dev = {"A": "110x0", "B": "10xx0"}
    assert right_by_pair(dev) == [1.0, 0.5, 0.0, 0.0, 0.0]
    assert consistent_by_pair(dev) == [1.0, 0.0, 0.0, 0.0, 1.0]
    assert unreadable_share(dev) == pytest.approx(0.3)


def test_a_planted_effect_stands_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Every run judges the same 180 of 200 pairs right; with both orders in a group ten more."""
    shared = {"accuracy": 0.9, "reward": 0.5, "without_signal": 0.3, "clipped": 0.0}
    lines = []
    for arm in ARMS:
        marks = "1" * (190 if arm.part == "orders" else 180)
        dev = {side: marks.ljust(200, "0") for side in "AB"}
        counts = {"replies_sampled": 6400, "cpu_seconds": 80}
        lines += [{"name": arm.name(), "seed": seed, "dev": dev} | shared | counts for seed in SEEDS]
    print_tables(lines)
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines()]
    found = {row[0].removeprefix("| "): row[1] for row in rows if len(row) == 4}
    assert found["orders: both_in_group - hashed, mean of keep, drop and replace"].startswith("+0.050 [+0.02")
    assert found["groups without signal: drop - keep, mean of the losses"] == "+0.000 [+0.000, +0.000]"


def test_a_result_of_another_demo_or_of_other_settings_is_not_taken_for_this_one(tmp_path: Path) -> None:
    pairs = training_pairs(Split.TRAIN, 3, 0)
    demo, results = Demo(tmp_path, pairs[:2], pairs[2:]), tmp_path / "results.jsonl"
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    inputs = demo.inputs(changed_params({}))
    assert not is_done(results, "arm", 0, inputs)
    results.write_text(json.dumps({"name": "arm", "seed": 0, "inputs": inputs}) + "\n")
    run_missing([("arm", 0, {})], demo, results)  # nothing is left to run
    other = demo.inputs(changed_params({"steps": 7})), demo._replace(dev=pairs[:1]).inputs(changed_params({}))
    (tmp_path / "model.safetensors").write_bytes(b"others")
    for changed in (*other, demo.inputs(changed_params({}))):
        with pytest.raises(SystemExit, match="arm, seed 0, was measured on other weights, pairs or settings"):
            is_done(results, "arm", 0, changed)
    with pytest.raises(SystemExit, match="nothing was run"):
        run_missing([("arm", 0, {})], demo, results)
