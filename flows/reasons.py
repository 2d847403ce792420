"""Why a stage would run: DVC's findings and the fingerprints, told in words that name the cause."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

PARAMS_FILE = "params.yaml"
ABSENT = "(absent)"


class Cause(StrEnum):
    """Kinds of reasons."""

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


class Reason(NamedTuple):
    """One reason for one stage to run."""

    cause: Cause
    what: str
    """The module, file, parameter, data or stage."""
    text: str


def fingerprint_reasons(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Reason]:
    """What differs between two fingerprints of a stage."""
    reasons = [Reason(Cause.CODE, name, f"{name} {_verb(pair)}") for name, pair in _changes(old, new, "modules")]
    reasons += [Reason(Cause.FILE, name, f"{name} {_verb(pair)}") for name, pair in _changes(old, new, "files")]
    reasons += [
        Reason(Cause.LIBRARY, name, f"library {name} {_arrow(*pair)}") for name, pair in _changes(old, new, "libraries")
    ]
    return reasons


def params_reasons(name: str, locked: Any, now: Any) -> Iterator[Reason]:
    """What differs in a parameter, down to the single values: `params grpo.learning_rate 0.0003 -> 0.0005`."""
    if isinstance(locked, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys([*locked, *now]):
            yield from params_reasons(f"{name}.{key}", locked.get(key, ABSENT), now.get(key, ABSENT))
    elif locked != now:
        yield Reason(Cause.PARAMS, name, f"params {name} {_arrow(locked, now)}")


def dvc_reasons(changes: list[Any], entry: Mapping[str, Any] | None, params: Mapping[str, Any]) -> Iterator[Reason]:
    """What DVC's status of one stage says, fingerprints left out.

    Args:
        changes: DVC's findings.
        entry: the stage's entry in dvc.lock, or None if it never ran.
        params: the document of params.yaml.
    """
    if entry is None:
        yield Reason(Cause.OUTPUT, "", "no output yet")
        return
    for change in changes:
        if change == "changed command":
            yield Reason(Cause.COMMAND, "", "its command in dvc.yaml changed")
        elif not isinstance(change, Mapping):
            yield Reason(Cause.COMMAND, "", f"DVC says: {change}")
        else:
            for path, state in change.get("changed outs", {}).items():
                gone = state in {"deleted", "not in cache"}
                yield Reason(Cause.OUTPUT, path, f"no output yet: {path}" if gone else f"output {path} was {state}")
            for path, state in change.get("changed deps", {}).items():
                yield from _dependency_reasons(path, state, entry, params)


def _dependency_reasons(path: str, state: Any, entry: Mapping[str, Any], params: Mapping[str, Any]) -> Iterator[Reason]:
    if path != PARAMS_FILE:
        yield Reason(Cause.DATA, path, f"data {path} {'changed' if state == 'modified' else state}")
        return
    locked = entry.get("params", {}).get(PARAMS_FILE, {})
    for name in state:
        yield from params_reasons(name, locked.get(name, ABSENT), _at(params, name))


def _at(document: Mapping[str, Any], dotted: str) -> Any:
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
