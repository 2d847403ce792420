"""The curves that `dvc plots show` draws: one table per metric with a row for each run and step.

DVCLive writes one file per run and metric; which runs there are depends on the profile. A table that names the run in a
column needs no list of runs in dvc.yaml, whose `plots` name these files.
"""

from collections.abc import Iterable
from pathlib import Path

from reasrm.reporting.curves import Curve
from reasrm.runtime.outputs import new_folder, write_text

TABLES = {"loss": ("loss",), "reward": ("groups/reward", "reward"), "dev_accuracy": ("dev/accuracy",)}
"""The tables, each with the names under which trainers log its metric; the first one that a run has counts."""


def write_curve_tables(curves: Iterable[Curve], out: Path) -> None:
    """Write METRIC.tsv (run, step, METRIC) for each of `TABLES` to the folder `out`; one without curves has no rows."""
    found = {(curve.run, curve.metric): curve for curve in curves}
    runs = sorted({run for run, _ in found})
    with new_folder(out) as folder:
        for table, metrics in TABLES.items():
            picked = (next((found[run, name] for name in metrics if (run, name) in found), None) for run in runs)
            rows = [
                f"{_cell(curve.run)}\t{step:g}\t{value!r}"
                for curve in picked
                if curve is not None
                for step, value in zip(curve.steps, curve.values, strict=True)
            ]
            write_text(folder / f"{table}.tsv", "\n".join((f"run\tstep\t{table}", *rows)) + "\n")


def _cell(text: str) -> str:
    """A run's name as one cell: a folder's name may hold what would begin another."""
    return " ".join(text.replace('"', "'").split())
