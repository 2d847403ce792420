"""`reasrm plan`: which stages would run, and why, before anything runs; as a table and as JSON.

Nothing in the workspace changes: the fingerprints of the present code are written to a temporary folder and compared
with those that each stage last ran with (dvc.lock).
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.dvc_graph import FINGERPRINT, read_pipeline, read_status
from flows.planning.preflight import Preflight, PreflightRequest, has_models, read_preflight
from flows.planning.rerun_reasons import StageForecast, WillRun, forecasts, reasons_by_stage, reasons_text, with_forced
from flows.running.remote_store import has_remote
from flows.running.run_results import cost_text
from flows.running.stage_outcome import FlowError
from flows.running.stage_process import stage_environment

ORACLE_STAGE = "distill_traces"


STYLE = {WillRun.YES: "bold yellow", WillRun.MAYBE: "yellow", WillRun.NO: "green"}
LABEL = {WillRun.YES: "runs", WillRun.MAYBE: "may run", WillRun.NO: "cached"}


@dataclass(frozen=True)
class OracleCostEstimate:
    """What an oracle stage would still ask and spend, or why that is unknown."""

    stage: str
    expected: Mapping[str, Any] | None
    error: str = ""


def make_plan(root: Path, to: tuple[str, ...] = (), force: tuple[str, ...] = ()) -> list[StageForecast]:
    """The forecast for each stage, in plan order.

    Raises:
        FlowError: the pipeline, its state or its code cannot be read.
    """
    pipeline = read_pipeline(root)
    selected = pipeline.above(pipeline.matching(to)) if to else set(pipeline.stages)
    with tempfile.TemporaryDirectory(prefix="reasrm-plan-") as folder:
        fresh = Path(folder, "fingerprints")
        if FINGERPRINT in pipeline.stages:
            _compute_fingerprints(root, fresh)
        own = reasons_by_stage(root, pipeline, read_status(root), fresh)
    plan = forecasts(pipeline, with_forced(own, pipeline.matching(force)))
    return [forecast for forecast in plan if forecast.stage in selected]


def estimate_oracle_cost(root: Path, plan: list[StageForecast]) -> list[OracleCostEstimate]:
    """For each oracle stage that would run, what it would still ask; no request is sent and nothing changes."""
    may_run = [forecast.stage for forecast in plan if forecast.will_run is not WillRun.NO]
    return [_estimate(root, stage) for stage in may_run if stage.partition("@")[0] == ORACLE_STAGE]


def preflight_of(
    root: Path, plan: list[StageForecast], request: PreflightRequest, *, required: bool = False
) -> tuple[Preflight | None, str]:
    """What the stages need that would run, or all of the plan where `request` asks; None if none holds a model.

    Nor where it cannot be computed, as of a model of unknown shape; then the second is why.

    Raises:
        FlowError: it cannot be computed, and `request` asks for it or it is `required`.
    """
    names = [one.stage for one in plan if request.is_asked or one.will_run is not WillRun.NO]
    stages = has_models(root, names)
    remade = tuple(one.stage for one in plan if one.will_run is not WillRun.NO)
    request = replace(request, remade=remade)
    try:
        return (read_preflight(root, stages, request) if stages else None), ""
    except FlowError as error:
        if request.is_asked or required:
            raise
        return None, str(error)


def plan_document(
    plan: list[StageForecast],
    estimates: list[OracleCostEstimate],
    preflight: Preflight | None = None,
    preflight_error: str = "",
) -> dict[str, Any]:
    """The plan as JSON.

    `stages` in plan order, `oracle`, what the oracle stages would ask and spend, and `preflight`, what stages with a
    model need (null where none would run, or `preflight_error` says why it is unknown).
    """
    return {
        "stages": [
            {"stage": one.stage, "runs": one.will_run, "reasons": [reason._asdict() for reason in one.reasons]}
            for one in plan
        ],
        "oracle": [{"stage": one.stage, "expected": one.expected, "error": one.error or None} for one in estimates],
        "preflight": preflight,
        "preflight_error": preflight_error or None,
    }


def show_plan(root: Path, plan: list[StageForecast], estimates: list[OracleCostEstimate], console: Console) -> None:
    """Print one line per stage, then what the oracle would cost."""
    table = Table(show_edge=False)
    for column in ("stage", "", "why"):
        table.add_column(column, no_wrap=column != "why")
    for one in plan:
        table.add_row(one.stage, Text(LABEL[one.will_run], style=STYLE[one.will_run]), reasons_text(one.reasons))
    console.print(table)
    if all(one.will_run is WillRun.NO for one in plan):
        console.print("Nothing to run: every stage is up to date.")
    elif has_remote(root):
        console.print("What DVC's remote or run cache holds of this is restored by `reasrm run`, and does not run.")
    for estimate in estimates:
        console.print(f"{estimate.stage}: {_estimate_text(root, estimate)}", soft_wrap=True)


def _compute_fingerprints(root: Path, out: Path) -> None:
    command = [sys.executable, "-m", "stages.fingerprint", "--out", str(out)]
    done = subprocess.run(command, cwd=root, env=stage_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it gave no reason"])[-1]
        raise FlowError(
            f"the fingerprints of the code cannot be computed ({reason}); `python {' '.join(command[1:3])}` says more"
        )


def _estimate(root: Path, stage: str) -> OracleCostEstimate:
    module, _, variant = stage.partition("@")
    command = [sys.executable, "-m", f"stages.{module}", variant, "--dry-run", "--json"]
    done = subprocess.run(command, cwd=root, env=stage_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it gave no reason"]
        return OracleCostEstimate(stage, None, lines[-1])
    return OracleCostEstimate(stage, json.loads(done.stdout))


def _estimate_text(root: Path, estimate: OracleCostEstimate) -> str:
    if estimate.expected is None:
        return f"no estimate yet ({estimate.error})"
    expected = estimate.expected
    if "source" in expected:
        return f"asks no oracle, the traces are {expected['source']}"
    usd = expected.get("usd")
    cost = "cost unknown" if usd is None else cost_text(root, usd)
    tokens = f"{expected.get('prompt_tokens', '?')} prompt + {expected.get('completion_tokens', '?')} completion tokens"
    return (
        f"{expected.get('to_ask', '?')} of {expected.get('questions', '?')} questions still to ask, about {tokens}, "
        f"{cost} at the prices of {expected.get('prices_as_of', '?')}"
    )
