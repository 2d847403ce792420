"""Trainer callbacks that watch a training and change nothing of it: the progress line, and a stop without signal."""

import math
import time
from typing import Any

from transformers import TrainerCallback

from reasrm.runtime.progress import ProgressLine
from reasrm.runtime.stage_main import StageError
from reasrm.training.checkpoint import MEND_LOST_WEIGHTS

FINGERPRINT_EXEMPT = "its callbacks show progress or stop with an error; none changes what is trained or written"
SHOWN = ("loss", "reward", "accuracy")
"""Logged values that the progress line shows."""


class LostWeightsError(StageError):
    """Loss or gradient is no number any more."""


class NoLearningSignalError(StageError):
    """In every group all replies earned the same reward, for too many steps."""


class LiveProgress(TrainerCallback):  # type: ignore[misc]  # transformers is not followed by mypy
    """Shows step, newest values and time left on one line."""

    def __init__(self, name: str) -> None:
        """Begin the line of the training `name`."""
        self._line = ProgressLine(name)
        self._values: list[str] = []
        self._dev: list[str] = []
        self._start_step = 0
        self._start_time = time.monotonic()

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Remember where a resumed training begins."""
        self._start_step, self._start_time = state.global_step, time.monotonic()

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        """Keep the newest values."""
        found = [f"{name} {logs[name]:.3f}" for name in SHOWN if logs and isinstance(logs.get(name), int | float)]
        self._values = found or self._values
        if logs and "dev/accuracy" in logs:  # judged now and then; shown until the next time
            self._dev = [f"dev accuracy {logs['dev/accuracy']:.3f} (step {state.global_step})"]

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Show step and estimate."""
        done = state.global_step - self._start_step
        seconds = (time.monotonic() - self._start_time) / max(done, 1) * (state.max_steps - state.global_step)
        parts = [f"step {state.global_step}/{state.max_steps}", *self._values, *self._dev, f"{seconds:.0f} s left"]
        self._line.show(", ".join(parts))

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Leave the line."""
        self._line.end()


class StopOnLostWeights(TrainerCallback):  # type: ignore[misc]  # transformers is not followed by mypy
    """Stops a training whose loss or gradient is no number: from that step on its weights are none either."""

    def __init__(self, name: str) -> None:
        """Watch the training `name`."""
        self._name = name

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        """Read the newest values.

        Raises:
            LostWeightsError: one of them is no finite number.
        """
        for value in ("loss", "grad_norm"):
            if not math.isfinite((logs or {}).get(value, 0.0)):
                raise LostWeightsError(
                    f"{self._name}: {value} is not finite at step {state.global_step}, so the model is lost and is not "
                    f"written: {MEND_LOST_WEIGHTS}"
                )


class StopWithoutSignal(TrainerCallback):  # type: ignore[misc]  # transformers is not followed by mypy
    """Stops GRPO when it cannot learn: replies of a group that all earn the same have no advantage, so no gradient."""

    def __init__(self, name: str, most_steps: int) -> None:
        """Raise once more than `most_steps` steps in a row had no signal, by TRL's `frac_reward_zero_std`."""
        self._name = name
        self._most_steps = most_steps
        self._since: int | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Read what a resumed training has logged so far: being killed now and then must not keep it from stopping."""
        for entry in state.log_history:
            self._read(int(entry["step"]), entry)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        """Read the newest values.

        Raises:
            NoLearningSignalError: there was no signal for too long.
        """
        self._read(state.global_step, logs or {})

    def _read(self, step: int, logs: dict[str, Any]) -> None:
        if "frac_reward_zero_std" not in logs:
            return
        if logs["frac_reward_zero_std"] < 1.0:
            self._since = None
            return
        self._since = step if self._since is None else self._since
        if step - self._since >= self._most_steps:
            raise NoLearningSignalError(
                f"{self._name}: every reply of every group earned the same (mean reward {logs.get('reward')}, readable "
                f"{logs.get('readable')}) from step {self._since} to {step}: nothing can be learnt. "
                f"Start from a better checkpoint, raise `temperature` or `replies_per_prompt`, or mix in harder pairs"
            )
