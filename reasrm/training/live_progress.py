"""The live line of a training: step, loss or reward, time left."""

import time
from typing import Any

from transformers import TrainerCallback

from reasrm.runtime.progress import ProgressLine

SHOWN = ("loss", "reward", "accuracy")


class LiveProgress(TrainerCallback):  # type: ignore[misc]  # transformers is not followed by mypy
    """Tells a watcher how far the training is."""

    def __init__(self, name: str) -> None:
        """Begin the line of the stage `name`."""
        self._line = ProgressLine(name)
        self._values = ""
        self._start_step = 0
        self._start_time = time.monotonic()

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Remember where a resumed training begins."""
        self._start_step, self._start_time = state.global_step, time.monotonic()

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        """Keep the newest values."""
        found = [f"{name} {logs[name]:.3f}" for name in SHOWN if logs and isinstance(logs.get(name), int | float)]
        self._values = ", ".join(found) or self._values

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Show step and estimate."""
        done = state.global_step - self._start_step
        seconds = (time.monotonic() - self._start_time) / max(done, 1) * (state.max_steps - state.global_step)
        parts = [f"step {state.global_step}/{state.max_steps}", self._values, f"{seconds:.0f} s left"]
        self._line.show(", ".join(part for part in parts if part))

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Leave the line."""
        self._line.end()
