"""`reasrm plan`: which stages would run, and why, before anything runs.

Nothing in the workspace changes: the fingerprints of the present code are written to a temporary folder and compared
with those that each stage last ran with (dvc.lock).
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from flows.environment import stage_environment
from flows.graph import FINGERPRINT, Pipeline, Status, read_pipeline, read_status
from flows.lockfile import LOCK_FILE
from flows.outcome import FlowError
from flows.reasons import PARAMS_FILE, Cause, Reason, dvc_reasons, fingerprint_reasons

FINGERPRINTS = "data/fingerprints"
ORACLE_STAGE = "distill_traces"


class Runs(StrEnum):
    """Whether a stage would run."""

    YES = "yes"
    MAYBE = "maybe"
    """If a stage above it leaves other bytes than before."""
    NO = "no"


@dataclass(frozen=True)
class Forecast:
    """What the plan says of one stage."""

    stage: str
    runs: Runs
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Estimate:
    """What an oracle stage would still ask and spend, or why nobody can say."""

    stage: str
    expected: Mapping[str, Any] | None
    trouble: str = ""


def make_plan(root: Path, to: tuple[str, ...] = (), force: tuple[str, ...] = ()) -> list[Forecast]:
    """The forecast for each stage, in plan order.

    Raises:
        FlowError: the pipeline, its state or its code cannot be read.
    """
    pipeline = read_pipeline(root)
    selected = pipeline.above(pipeline.named(to)) if to else set(pipeline.stages)
    forced = pipeline.named(force)
    own = own_reasons(root, pipeline, read_status(root))
    for name in forced:
        own[name] = [*own.get(name, []), Reason(Cause.FORCED, "", "--force")]
    return [forecast for forecast in forecasts(pipeline, own) if forecast.stage in selected]


def forecasts(pipeline: Pipeline, own: Mapping[str, list[Reason]]) -> list[Forecast]:
    """Spread each stage's own reasons downwards; through `fingerprint` nothing spreads, its outputs are known."""
    told: dict[str, Forecast] = {}
    for name, stage in pipeline.stages.items():
        above = [
            parent
            for parent in stage.parents
            if parent != FINGERPRINT and parent in told and told[parent].runs is not Runs.NO
        ]
        reasons = [*own.get(name, []), *(Reason(Cause.ABOVE, parent, f"below {parent}") for parent in above)]
        runs = Runs.YES if own.get(name) else Runs.MAYBE if above else Runs.NO
        told[name] = Forecast(name, runs, tuple(reasons))
    return list(told.values())


def own_reasons(root: Path, pipeline: Pipeline, status: Status) -> dict[str, list[Reason]]:
    """The reasons that lie in each stage itself: code, parameters, data that no stage makes, missing outputs."""
    lock = _yaml(root / LOCK_FILE).get("stages", {})
    params = _yaml(root / PARAMS_FILE)
    code = _code_reasons(root, pipeline, lock) if FINGERPRINT in pipeline.stages else {}
    found: dict[str, list[Reason]] = {}
    for name in pipeline.stages:
        reasons = [*code.get(name, [])]
        for reason in dvc_reasons(status.get(name, []), lock.get(name), params) if name in status else ():
            if name == FINGERPRINT and reason.cause is Cause.DATA:
                reasons.append(Reason(Cause.SOURCES, reason.what, f"{reason.what} changed"))
            elif not (reason.cause is Cause.DATA and reason.what.startswith(FINGERPRINTS)):
                reasons.append(reason)
        if reasons:
            found[name] = _without_consequences(name, reasons, found, pipeline)
    return {name: reasons for name, reasons in found.items() if reasons}


def estimate_oracle(root: Path, plan: list[Forecast]) -> list[Estimate]:
    """Ask each oracle stage that would run what it would still ask; it asks nobody and changes nothing."""
    stages = [one.stage for one in plan if one.runs is not Runs.NO and one.stage.partition("@")[0] == ORACLE_STAGE]
    return [_estimate(root, stage) for stage in stages]


def _without_consequences(
    name: str, reasons: list[Reason], found: Mapping[str, list[Reason]], pipeline: Pipeline
) -> list[Reason]:
    """Leave out data that is missing or changed because a stage above has still to make it."""
    if not any(parent in found for parent in pipeline.stages[name].parents if parent != FINGERPRINT):
        return reasons
    return [reason for reason in reasons if reason.cause is not Cause.DATA]


def _code_reasons(root: Path, pipeline: Pipeline, lock: Mapping[str, Any]) -> dict[str, list[Reason]]:
    """Per stage, what its code means now against what it meant when it last ran."""
    with tempfile.TemporaryDirectory(prefix="reasrm-plan-") as folder:
        _compute_fingerprints(root, Path(folder, "fingerprints"))
        fresh = {path.stem: path.read_bytes() for path in Path(folder, "fingerprints").glob("*.json")}
    reasons: dict[str, list[Reason]] = {}
    for name in pipeline.stages:
        path = f"{FINGERPRINTS}/{name.partition('@')[0]}.json"
        new = fresh.get(Path(path).stem)
        locked = _locked_md5(lock.get(name, {}), path)
        if new is None or locked is None or hashlib.md5(new, usedforsecurity=False).hexdigest() == locked:
            continue
        old = _old_fingerprint(root, path, locked)
        reasons[name] = (
            fingerprint_reasons(json.loads(old), json.loads(new))
            if old is not None
            else [Reason(Cause.CODE, "", "its code means something else (the former fingerprint is not at hand)")]
        )
    return reasons


def _compute_fingerprints(root: Path, out: Path) -> None:
    command = [sys.executable, "-m", "stages.fingerprint", "--out", str(out)]
    done = subprocess.run(command, cwd=root, env=stage_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise FlowError(f"the fingerprints of the code cannot be computed:\n{done.stderr.strip()}")


def _locked_md5(entry: Mapping[str, Any], path: str) -> str | None:
    return next((dep.get("md5") for dep in entry.get("deps", []) if dep.get("path") == path), None)


def _old_fingerprint(root: Path, path: str, md5: str) -> bytes | None:
    """The fingerprint with this hash: in the workspace, or in DVC's cache."""
    for place in (root / path, root / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]):
        if place.is_file() and hashlib.md5(place.read_bytes(), usedforsecurity=False).hexdigest() == md5:
            return place.read_bytes()
    return None


def _estimate(root: Path, stage: str) -> Estimate:
    module, _, variant = stage.partition("@")
    command = [sys.executable, "-m", f"stages.{module}", variant, "--dry-run", "--json"]
    done = subprocess.run(command, cwd=root, env=stage_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it gave no reason"]
        return Estimate(stage, None, lines[-1])
    return Estimate(stage, json.loads(done.stdout))


def _yaml(path: Path) -> dict[str, Any]:
    """A YAML file read as DVC reads it, by YAML 1.2 (`1e-5` is a number)."""
    from ruamel.yaml import YAML

    return (YAML(typ="safe").load(path) or {}) if path.is_file() else {}
