"""Training curves as DVCLive files: the trainer's log, point by point, without clocks."""

import math
from pathlib import Path
from typing import Any

from reasrm.runtime.outputs import new_folder

CLOCKS = ("step_time", "total_flos", "epoch", "num_tokens")
"""Logged values that say how fast it went, or repeat the step."""
SUMMARY = "train_runtime"
"""Marks the last entry, which sums up the process: after a resume, only the part since then."""


def write_curves(log_history: list[dict[str, Any]], out: Path) -> None:
    """Write the finite numbers of a trainer's log to the folder `out`, one curve per name."""
    from dvclive import Live

    with new_folder(out) as folder:
        live = Live(dir=str(folder), save_dvc_exp=False, dvcyaml=None, report=None, monitor_system=False)
        for entry in (entry for entry in log_history if SUMMARY not in entry):
            live.step = int(entry["step"])
            for name, value in sorted(entry.items()):  # a resumed log comes sorted out of its file
                if name not in (*CLOCKS, "step") and isinstance(value, int | float) and math.isfinite(value):
                    live.log_metric(f"train/{name}", float(value), timestamp=False)
        live.make_summary()
