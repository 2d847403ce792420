"""Stops a reinforcement that learns nothing: without replies of different reward in a group there is no gradient."""

from typing import Any

from transformers import TrainerCallback

from reasrm.runtime.stage_main import StageError


class NoSignalError(StageError):
    """All groups had replies of one and the same reward for too many steps."""


class SignalGuard(TrainerCallback):  # type: ignore[misc]  # transformers is not followed by mypy
    """Counts steps in which no group had spread, by TRL's `frac_reward_zero_std`."""

    def __init__(self, name: str, patience: int) -> None:
        """Guard the stage `name`; raise after `patience` steps in a row."""
        self._name = name
        self._patience = patience
        self._flat_since: int | None = None

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        """Look at the newest values.

        Raises:
            NoSignalError: the patience is over.
        """
        if not logs or "frac_reward_zero_std" not in logs:
            return
        if logs["frac_reward_zero_std"] < 1.0:
            self._flat_since = None
            return
        self._flat_since = state.global_step if self._flat_since is None else self._flat_since
        if state.global_step - self._flat_since >= self._patience:
            raise NoSignalError(
                f"{self._name}: every reply of every group earned the same (mean reward {logs.get('reward')}, readable "
                f"{logs.get('readable')}) from step {self._flat_since} to {state.global_step}: nothing can be learnt. "
                f"Start from a better checkpoint, raise `temperature` or `replies_per_prompt`, or mix in harder pairs"
            )
