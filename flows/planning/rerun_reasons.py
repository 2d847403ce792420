"""Which stages run, and why: what DVC and the fingerprints find changed, as reasons that name the cause."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from flows.dvc_graph import FINGERPRINT, LOCK_FILE, DvcStatus, Pipeline
from reasrm.runtime.yaml_files import read_yaml

FINGERPRINTS = "data/fingerprints"
SHOWN = 3
"""Most reasons of a kind that one line names."""
PARAMS_FILE = "params.yaml"
ABSENT = "(absent)"


class RerunCause(StrEnum):
    """What kind of thing changed."""

    CODE = "code"
    """A module that it reaches means something else."""
    FILE = "file"
    """A file declared by such a module changed."""
    LIBRARY = "library"
    """The locked version of a library that computes its result changed."""
    PARAMS = "params"
    DATA = "data"
    COMMAND = "command"
    OUTPUT = "output"
    """Its output is missing or was changed by hand."""
    SOURCES = "sources"
    """Only for `fingerprint`: a source or a lock file changed."""
    FORCED = "forced"
    ABOVE = "above"
    """A stage above it would run; if that leaves the same bytes, this one does not."""


class RerunReason(NamedTuple):
    """One reason for one stage to run."""

    cause: RerunCause
    what: str
    """The module, file, parameter, data or stage."""
    text: str


class WillRun(StrEnum):
    """Whether a stage would run."""

    YES = "yes"
    MAYBE = "maybe"
    """If a stage above it leaves other bytes than before."""
    NO = "no"


@dataclass(frozen=True)
class StageForecast:
    """Whether one stage would run, and why."""

    stage: str
    will_run: WillRun
    reasons: tuple[RerunReason, ...] = ()


def with_forced(own: Mapping[str, list[RerunReason]], forced: set[str]) -> dict[str, list[RerunReason]]:
    """The reasons with those of stages that are to run although nothing changed."""
    return {**own, **{name: [*own.get(name, []), RerunReason(RerunCause.FORCED, "", "--force")] for name in forced}}


def forecasts(pipeline: Pipeline, own: Mapping[str, list[RerunReason]]) -> list[StageForecast]:
    """Spread each stage's own reasons downwards; through `fingerprint` nothing spreads, its outputs are known."""
    found: dict[str, StageForecast] = {}
    for name, stage in pipeline.stages.items():
        above = [
            parent
            for parent in stage.parents
            if parent != FINGERPRINT and parent in found and found[parent].will_run is not WillRun.NO
        ]
        reasons = [*own.get(name, []), *(RerunReason(RerunCause.ABOVE, parent, f"below {parent}") for parent in above)]
        will_run = WillRun.YES if own.get(name) else WillRun.MAYBE if above else WillRun.NO
        found[name] = StageForecast(name, will_run, tuple(reasons))
    return list(found.values())


def reasons_by_stage(
    root: Path, pipeline: Pipeline, status: DvcStatus, fingerprints: Path
) -> dict[str, list[RerunReason]]:
    """The reasons that lie in each stage itself: code, parameters, data that no stage makes, missing outputs.

    Args:
        root: the project.
        pipeline: its stages.
        status: what DVC finds out of date.
        fingerprints: the folder with the fingerprints of the present code, compared with those in dvc.lock.
    """
    lock = _document(root / LOCK_FILE).get("stages", {})
    params = _document(root / PARAMS_FILE)
    code = _code_reasons(root, pipeline, lock, fingerprints) if FINGERPRINT in pipeline.stages else {}
    found: dict[str, list[RerunReason]] = {}
    for name in pipeline.stages:
        reasons = [*code.get(name, [])]
        for reason in dvc_reasons(status.get(name, []), lock.get(name), params) if name in status else ():
            if name == FINGERPRINT and reason.cause is RerunCause.DATA:
                reasons.append(RerunReason(RerunCause.SOURCES, reason.what, f"{reason.what} changed"))
            elif not (reason.cause is RerunCause.DATA and reason.what.startswith(FINGERPRINTS)):
                reasons.append(reason)
        if reasons:
            found[name] = _without_consequences(name, reasons, found, pipeline)
    return {name: reasons for name, reasons in found.items() if reasons}


def reasons_text(reasons: tuple[RerunReason, ...]) -> str:
    """The reasons in one line; what lies in the stage itself first, and if it lies there, little of what lies above."""
    own = [reason.text for reason in reasons if reason.cause is not RerunCause.ABOVE]
    above = [reason.what for reason in reasons if reason.cause is RerunCause.ABOVE]
    texts = own[:SHOWN] + ([f"and {len(own) - SHOWN} more"] if len(own) > SHOWN else [])
    if above and not own:
        texts.append("below " + ", ".join(above[:SHOWN]) + (", ..." if len(above) > SHOWN else ""))
    return "; ".join(texts)


def fingerprint_reasons(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[RerunReason]:
    """What differs between two fingerprints of a stage."""
    reasons = [
        RerunReason(RerunCause.CODE, name, f"{name} {_verb(pair)}") for name, pair in _changes(old, new, "modules")
    ]
    reasons += [
        RerunReason(RerunCause.FILE, name, f"{name} {_verb(pair)}") for name, pair in _changes(old, new, "files")
    ]
    reasons += [
        RerunReason(RerunCause.LIBRARY, name, f"library {name} {_arrow(*pair)}")
        for name, pair in _changes(old, new, "libraries")
    ]
    return reasons


def params_reasons(name: str, locked: Any, now: Any) -> Iterator[RerunReason]:
    """What differs in a parameter, down to the single values: `params grpo.learning_rate 0.0003 -> 0.0005`."""
    if isinstance(locked, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys([*locked, *now]):
            yield from params_reasons(f"{name}.{key}", locked.get(key, ABSENT), now.get(key, ABSENT))
    elif locked != now:
        yield RerunReason(RerunCause.PARAMS, name, f"params {name} {_arrow(locked, now)}")


def dvc_reasons(
    changes: list[Any], entry: Mapping[str, Any] | None, params: Mapping[str, Any]
) -> Iterator[RerunReason]:
    """What DVC's status of one stage says, fingerprints left out.

    Args:
        changes: DVC's findings.
        entry: the stage's entry in dvc.lock, or None if it never ran.
        params: the document of params.yaml.
    """
    if entry is None:
        yield RerunReason(RerunCause.OUTPUT, "", "no output yet")
        return
    for change in changes:
        if change == "changed command":
            yield RerunReason(RerunCause.COMMAND, "", "its command in dvc.yaml changed")
        elif not isinstance(change, Mapping):
            yield RerunReason(RerunCause.COMMAND, "", f"DVC says: {change}")
        else:
            for path, state in change.get("changed outs", {}).items():
                gone = state in {"deleted", "not in cache"}
                yield RerunReason(
                    RerunCause.OUTPUT, path, f"no output yet: {path}" if gone else f"output {path} was {state}"
                )
            for path, state in change.get("changed deps", {}).items():
                yield from _dependency_reasons(path, state, entry, params)


def _dependency_reasons(
    path: str, state: Any, entry: Mapping[str, Any], params: Mapping[str, Any]
) -> Iterator[RerunReason]:
    if path != PARAMS_FILE:
        yield RerunReason(RerunCause.DATA, path, f"data {path} {'changed' if state == 'modified' else state}")
        return
    locked = entry.get("params", {}).get(PARAMS_FILE, {})
    for name in state:
        yield from params_reasons(name, locked.get(name, ABSENT), _value_at(params, name))


def _value_at(document: Mapping[str, Any], dotted: str) -> Any:
    found: Any = document
    for key in dotted.split("."):
        found = found.get(key, ABSENT) if isinstance(found, Mapping) else ABSENT
    return found


def _changes(old: Mapping[str, Any], new: Mapping[str, Any], kind: str) -> list[tuple[str, tuple[Any, Any]]]:
    before, after = old.get(kind, {}), new.get(kind, {})
    names = dict.fromkeys([*before, *after])
    return [(name, (before.get(name), after.get(name))) for name in names if before.get(name) != after.get(name)]


def _verb(pair: tuple[Any, Any]) -> str:
    before, after = pair
    if before is None:
        return "is reached now"
    return "changed" if after is not None else "is not reached any more"


def _arrow(before: Any, after: Any) -> str:
    return f"{ABSENT if before is None else before} -> {ABSENT if after is None else after}"


def _without_consequences(
    name: str, reasons: list[RerunReason], found: Mapping[str, list[RerunReason]], pipeline: Pipeline
) -> list[RerunReason]:
    """Leave out data that is missing or changed because a stage above has still to make it."""
    if not any(parent in found for parent in pipeline.stages[name].parents if parent != FINGERPRINT):
        return reasons
    return [reason for reason in reasons if reason.cause is not RerunCause.DATA]


def _code_reasons(
    root: Path, pipeline: Pipeline, lock: Mapping[str, Any], fingerprints: Path
) -> dict[str, list[RerunReason]]:
    """Per stage, what its code means now against what it meant when it last ran."""
    reasons: dict[str, list[RerunReason]] = {}
    for name in pipeline.stages:
        file = f"{name.partition('@')[0]}.json"
        locked = _locked_md5(lock.get(name, {}), f"{FINGERPRINTS}/{file}")
        if locked is None or not (fingerprints / file).is_file():
            continue
        new = (fingerprints / file).read_bytes()
        if _md5(new) == locked:
            continue
        old = _old_fingerprint(root, f"{FINGERPRINTS}/{file}", locked)
        reasons[name] = (
            fingerprint_reasons(json.loads(old), json.loads(new))
            if old is not None
            else [RerunReason(RerunCause.CODE, "", "its code means something else (the former fingerprint is gone)")]
        )
    return reasons


def _locked_md5(entry: Mapping[str, Any], path: str) -> str | None:
    return next((dep.get("md5") for dep in entry.get("deps", []) if dep.get("path") == path), None)


def _old_fingerprint(root: Path, path: str, md5: str) -> bytes | None:
    """The fingerprint with this hash: in the workspace, or in DVC's cache."""
    for place in (root / path, root / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]):
        if place.is_file() and _md5(place.read_bytes()) == md5:
            return place.read_bytes()
    return None


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _document(path: Path) -> dict[str, Any]:
    return (read_yaml(path) or {}) if path.is_file() else {}
