"""What each stage needs on a device, as `reasrm plan`, `run` and `doctor` show it.

`python -m reasrm.preflight` computes it: the formulas use the settings of the trainings, which no flow imports.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.running.stage_outcome import FlowError, UsageError
from flows.running.stage_process import stage_environment
from reasrm.runtime.stage_main import ExitCode

Preflight = Mapping[str, Any]
"""The document that `reasrm.preflight.plan.preflight` makes."""
SHOWN_PARTS = 3


@dataclass(frozen=True)
class PreflightRequest:
    """What is to be estimated."""

    device: str = ""
    """As `reasrm.preflight.devices.described_device` reads it; empty for this machine."""
    model: str = ""
    rows: bool = False
    """Measure all rows with the tokenizer."""
    check: bool = False
    """Look at the base model's template and ask accelerate's estimator."""

    remade: tuple[str, ...] = ()
    """Stages that would run, so that the rows which are there now say nothing of those that they make."""

    @property
    def is_asked(self) -> bool:
        """Whether the command line asks for more than the stages that would run on this machine."""
        return bool(self.device or self.model or self.rows)


def has_models(root: Path, stages: Iterable[str]) -> list[str]:
    """Those of `stages` whose needs are known to `reasrm.preflight`."""
    kinds = {"base_model", "sft", "grpo", "answer_sft", "scalar_rm", "policy_start", "judge", "probe", "policy"}
    return [stage for stage in stages if stage.partition("@")[0] in kinds and (root / "stages").is_dir()]


def read_preflight(root: Path, stages: Iterable[str], request: PreflightRequest) -> Preflight:
    """The estimates of `stages`.

    Raises:
        UsageError: the device or the model is described in words that mean nothing.
        FlowError: the settings cannot be read, or the model's shape is unknown.
    """
    command = [sys.executable, "-m", "reasrm.preflight", *(f"--stage={stage}" for stage in stages)]
    command += [f"--device={request.device}"] if request.device else []
    command += [f"--model={request.model}"] if request.model else []
    command += [f"--remade={stage}" for stage in request.remade]
    command += ["--rows"] if request.rows else []
    command += ["--check"] if request.check else []
    done = subprocess.run(command, cwd=root, env=stage_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it gave no reason"])[-1].removeprefix("preflight: ")
        raise (UsageError if done.returncode == ExitCode.USAGE else FlowError)(reason)
    document: Preflight = json.loads(done.stdout)
    return document


def show_preflight(preflight: Preflight, console: Console) -> None:
    """Print a table of the stages, and below it what does not fit and what to change."""
    model, device, disk = preflight["model"], preflight["device"], preflight["disk"]
    console.print(
        f"\n{model['name']} ({_count(model['parameters'])} parameters) on {device['name']}, of which a stage may take "
        f"{device['usable_gib']:g} GiB:",
        soft_wrap=True,
    )
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("stage", "memory", "fits", "disk", "tokens", "hours", "rows"):
        table.add_column(column, justify="left" if column in {"stage", "fits"} else "right", no_wrap=True)
    for names, cells in _grouped(preflight["stages"]):
        table.add_row(names[0] + (f" +{len(names) - 1}" if names[1:] else ""), *cells)
    console.print(table)
    for line in _said_once(preflight["stages"]):
        console.print(line, soft_wrap=True)
    free = f"disk: {disk['outputs_gib']:g} GiB of models with DVC's copies, {disk['resume_gib']:g} GiB to resume from"
    console.print(f"{free}, {disk['free_gib']:g} GiB free", style=None if disk["fits"] else "bold red", soft_wrap=True)
    for assumption in preflight["assumptions"]:
        console.print(assumption, style="dim", soft_wrap=True)


def misfits(preflight: Preflight, *, surely: bool = False) -> list[str]:
    """One line for each stage that does not fit, `surely` only those beyond the formulas' error; and for the disk."""
    lines = _said_once(
        stage for stage in preflight["stages"] if (stage["surely_not"] if surely else stage["fits"] is False)
    )
    disk = preflight["disk"]
    if not disk["fits"]:
        lines.append(f"disk: needs {disk['outputs_gib'] + disk['resume_gib']:g} GiB, {disk['free_gib']:g} GiB are free")
    return lines


def _grouped(stages: Iterable[Mapping[str, Any]]) -> Iterator[tuple[list[str], list[str | Text]]]:
    """The stages' cells, neighbours with the same ones together."""
    for cells, group in groupby(stages, key=_cells):
        yield [stage["stage"] for stage in group], cells


def _cells(stage: Mapping[str, Any]) -> list[str | Text]:
    memory, disk, hours, rows = stage["memory"], stage["disk"], stage["hours"], stage["rows"]
    verdict = {True: Text("yes", style="green"), False: Text("no", style="bold red"), None: Text("unknown")}
    space = disk["resume_gib"] + disk["output_gib"]
    return [
        f"{memory['needs_gib']:.1f} GiB" if memory else "",
        verdict[stage["fits"]] if memory or stage["unknown"] or stage["problems"] else "",
        f"{space:.1f} GiB" if space else "",
        "" if stage["tokens"] is None else _count(stage["tokens"]),
        "" if hours is None else _hours(hours),
        "" if rows is None else f"{'' if rows['measured'] else '~'}{rows['share_that_fits']:.0%}",
    ]


def _said_once(stages: Iterable[Mapping[str, Any]]) -> list[str]:
    """What is to be said of the stages below the table, the same of several in one line."""
    about: dict[str, list[str]] = {}
    for stage in stages:
        for remark in _remarks(stage):
            about.setdefault(remark, []).append(stage["stage"])
    return [f"{', '.join(names)}: {remark}" for remark, names in about.items()]


def _remarks(stage: Mapping[str, Any]) -> list[str]:
    memory, changes = stage["memory"], stage["changes"]
    lines = [*stage["problems"], *([stage["unknown"]] if stage["unknown"] else [])]
    if memory and memory["needs_gib"] > memory["usable_gib"]:
        missing = memory["needs_gib"] - memory["usable_gib"]
        largest = ", ".join(f"{name} {size:.1f}" for name, size in list(memory["parts_gib"].items())[:SHOWN_PARTS])
        lines.append(f"{missing:.1f} GiB too much in {memory['phase']} ({largest}); {_advice(changes)}")
    return [*lines, *stage["notes"]]


def _advice(changes: list[Mapping[str, Any]]) -> str:
    if not changes:
        return "no change of settings known here makes it fit"
    steps = ", then ".join(f"`{change['text']}` ({change['gib']:.1f} GiB)" for change in changes)
    return f"{steps} {'makes it fit' if changes[-1]['fits'] else 'is not enough: take more or larger devices'}"


def _hours(hours: list[float]) -> str:
    least, most = hours
    if most < 1 / 60:
        return "< 1 min"
    if most < 1:
        return f"{max(1, round(least * 60))}-{max(1, round(most * 60))} min"
    return f"{least:.1f}-{most:.1f} h"


def _count(number: int) -> str:
    for size, unit in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.2f} {unit}" if number < 10 * size else f"{number / size:.0f} {unit}"
    return str(number)
