"""The progress line says what is known so far, and a training without signal stops with a reason."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from reasrm.training.monitoring.callbacks import LiveProgress, NoLearningSignalError, StopWithoutSignal


def state(step: int, log: Sequence[dict[str, Any]] = ()) -> Any:
    return SimpleNamespace(global_step=step, max_steps=51, log_history=log)


def test_the_progress_line_has_no_empty_part(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("reasrm.runtime.progress.EVERY_SECONDS", 0.0)
    progress = LiveProgress("sft")
    progress.on_train_begin(None, state(0), None)
    progress.on_step_end(None, state(1), None)
    progress.on_log(None, state(1), None, logs={"loss": 0.5, "learning_rate": 1e-3})
    progress.on_step_end(None, state(2), None)
    progress.on_log(None, state(2), None, logs={"grad_norm": 1.0})
    progress.on_step_end(None, state(51), None)
    first, second, third = capsys.readouterr().err.splitlines()
    assert first.startswith("sft: step 1/51, ")
    assert first.endswith(" s left")
    assert first.count(",") == 1
    assert second.startswith("sft: step 2/51, loss 0.500, ")
    assert third == "sft: step 51/51, loss 0.500, 0 s left"


def test_grpo_stops_after_too_many_steps_in_which_all_groups_are_alike() -> None:
    watch = StopWithoutSignal("grpo-full", 3)
    without_signal = {"frac_reward_zero_std": 1.0, "reward": -1.0, "readable": 0.0}
    for step in (1, 2, 3):
        watch.on_log(None, state(step), None, logs=without_signal)
    watch.on_log(None, state(4), None, logs={"frac_reward_zero_std": 0.9})
    for step in (5, 6, 7):
        watch.on_log(None, state(step), None, logs=without_signal)
        watch.on_log(None, state(step), None, logs={"loss": 0.1})
    resumed = StopWithoutSignal("grpo-full", 3)
    resumed.on_train_begin(
        None,
        state(7, [{"step": 4, "frac_reward_zero_std": 0.9}, *({"step": at, **without_signal} for at in (5, 6, 7))]),
        None,
    )
    for one in (watch, resumed):
        with pytest.raises(NoLearningSignalError, match=r"grpo-full: .* from step 5 to 8: nothing can be learnt"):
            one.on_log(None, state(8), None, logs=without_signal)
