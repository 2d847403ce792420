"""Training curves as DVCLive files: live beside the checkpoints in `work/`, whole and the same bytes at the end.

work/<training>/curves      while it trains (LiveCurves); removed with the other leftovers
data/curves/<training>      at the end (write_curves), with training.json: what was kept, and what went wrong
"""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from reasrm.runtime.outputs import new_folder, write_json
from reasrm.training.monitoring.training_warnings import dev_interval, training_warnings

NOT_IN_CURVES = ("step", "step_time", "total_flos", "epoch", "num_tokens")
"""Logged values that measure time, or repeat the step."""
SUMMARY_KEY = "train_runtime"
"""Marks the last entry of a trainer's log: totals of this process, which after a resume are only a part."""
RECORD = "training.json"
"""Beside the curves: the step whose weights were kept, its dev accuracy with the interval, and the warnings."""


class LiveCurves(TrainerCallback):  # type: ignore[misc]  # transformers is not followed by mypy
    """Writes each logged step to DVCLive files at once."""

    def __init__(self, folder: Path) -> None:
        """Write to `folder`; what is there is replaced by the log of the training that goes on."""
        self._folder = folder
        self._live: Any = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin with what a resumed training has logged so far."""
        self._live = _live(self._folder)
        for entry in state.log_history:
            _log(self._live, entry)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        """Add one step."""
        if logs and SUMMARY_KEY not in logs:
            _log(self._live, {**logs, "step": state.global_step})
            self._live.make_summary()


def write_curves(log: list[dict[str, Any]], out: Path, kept_step: int) -> None:
    """Write the finite numbers of a trainer's log to the folder `out`, one curve per name, and the record beside them.

    Args:
        log: one entry per logged step.
        out: a DVC output; whole or absent.
        kept_step: the step whose weights are the checkpoint.
    """
    with new_folder(out) as folder:
        live = _live(folder)
        for entry in log:
            _log(live, entry)
        live.make_summary()
        warnings = [warning._asdict() for warning in training_warnings(log)]
        write_json(folder / RECORD, {"kept_step": kept_step, "dev": dev_interval(log, kept_step), "warnings": warnings})


def _live(folder: Path) -> Any:
    from dvclive import Live

    return Live(dir=str(folder), save_dvc_exp=False, dvcyaml=None, report=None, monitor_system=False)


def _log(live: Any, entry: dict[str, Any]) -> None:
    live.step = int(entry["step"])
    for name, value in _numbers(entry):
        live.log_metric(name if name.startswith("dev/") else f"train/{name}", value, timestamp=False)


def _numbers(entry: dict[str, Any]) -> Iterable[tuple[str, float]]:
    for name, value in sorted(entry.items()):  # a resumed log comes sorted out of its file
        if name not in NOT_IN_CURVES and isinstance(value, int | float) and math.isfinite(value):
            yield name, float(value)
