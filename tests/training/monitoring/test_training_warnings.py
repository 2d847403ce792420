"""Each warning is said where its cause shows in the log, with its numbers, and nowhere else."""

import math
from typing import Any

import pytest

from reasrm.training.monitoring.training_warnings import dev_interval, training_warnings

HEALTHY: dict[str, Any] = {
    "loss": 0.1, "grad_norm": 0.2, "kl": 0.02, "readable": 0.99, "verdict_a_share": 0.5, "frac_reward_zero_std": 0.5,
    "completions/clipped_ratio": 0.01, "completions/mean_length": 30.0,
    "dev/accuracy": 0.8, "dev/pairs": 100, "dev/readable": 1.0, "dev/verdict_a_share": 0.45,
}  # fmt: skip


def log(**changes: Any) -> list[dict[str, Any]]:
    """Twenty logged steps; a change is a value for all steps, or a function of the step."""
    named = {name.replace("__", "/"): value for name, value in changes.items()}
    return [
        {"step": step, **HEALTHY, **{name: value(step) if callable(value) else value for name, value in named.items()}}
        for step in range(1, 21)
    ]


def test_a_healthy_log_has_none() -> None:
    assert training_warnings(log()) == []
    assert training_warnings([]) == []
    assert training_warnings([{"step": 1, "loss": 0.5}]) == []


@pytest.mark.parametrize(
    ("kind", "changes", "numbers"),
    [
        ("not_finite", {"loss": lambda step: math.nan if step == 7 else 0.1}, "1 of 20 logged steps, first at step 7"),
        ("not_finite", {"grad_norm": lambda step: math.inf if step > 18 else 0.1}, "grad_norm was not finite at 2 of"),
        ("no_gradient", {"grad_norm": lambda step: 0.0 if step > 9 else 0.1}, "at 11 of 20 logged steps: 50% of the"),
        ("unreadable", {"readable": lambda step: 1.0 if step < 16 else 0.8}, "only 80% of the sampled replies"),
        ("unreadable", {"dev__readable": 0.41}, "only 41% of the last dev replies"),
        ("unreadable", {"dev__readable": 0.41, "dev__not_shown": 0.5}, "(50% of the dev prompts leave no room"),
        ("constant_verdict", {"verdict_a_share": lambda step: 0.5 if step < 16 else 0.97}, "97% of the sampled"),
        ("constant_verdict", {"dev__verdict_a_share": 0.0}, "0% of the last dev verdicts named A"),
        ("cut_replies", {"completions__clipped_ratio": 0.25}, "25% of the sampled replies in the last quarter"),
        ("kl", {"kl": lambda step: 0.02 if step < 19 else 0.9}, "(highest 0.9, median of all 0.02)"),
        ("kl", {"kl": lambda step: step / 10}, "was 1.8 nats per token in the last quarter"),
        ("length", {"completions__mean_length": lambda step: 60.0 if step < 10 else 20.0}, "went from 60 to 20 tokens"),
        ("length", {"completions__mean_length": lambda step: 10.0 * step}, "went from 30 to 180 tokens"),
        ("dev_at_chance", {"dev__accuracy": 0.55}, "0.550 [0.452, 0.644] on 100 pairs, not above chance"),
    ],
)  # fmt: skip
def test_each_says_its_numbers(kind: str, changes: dict[str, Any], numbers: str) -> None:
    (warning,) = training_warnings(log(**changes))
    assert warning.kind == kind
    assert numbers in warning.text
    assert "\n" not in warning.text


def test_a_single_bad_step_of_a_noisy_metric_is_none() -> None:
    once = {name: (lambda step, bad=bad, good=HEALTHY[name]: bad if step == 18 else good) for name, bad in (
        ("readable", 0.8), ("verdict_a_share", 1.0), ("completions/clipped_ratio", 0.3), ("grad_norm", 0.0),
    )}  # fmt: skip
    assert training_warnings(log(**once)) == []


def test_supervised_training_without_gradient_is_told_without_groups() -> None:
    (warning,) = training_warnings([{"step": step, "loss": 0.5, "grad_norm": 0.0} for step in (1, 2)])
    assert warning.kind == "no_gradient"
    assert "lora" in warning.text
    assert "groups" not in warning.text


def test_more_pairs_tell_what_fewer_cannot() -> None:
    assert [one.kind for one in training_warnings(log(**{"dev/accuracy": 0.55, "dev/pairs": 1000}))] == []
    last = dev_interval(log(**{"dev/accuracy": lambda step: step / 20}))
    assert last is not None
    assert (last["step"], last["accuracy"], last["pairs"]) == (20, 1.0, 100)
    assert last["ci95"] == pytest.approx([0.963, 1.0], abs=1e-3)  # Wilson, 100 of 100
    assert dev_interval([{"step": 1, "loss": 0.5}]) is None
