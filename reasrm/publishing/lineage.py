"""What a checkpoint was made from, by dvc.lock: the stages behind it with the hashes of their inputs and outputs."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from reasrm.runtime.stage_main import StageError
from reasrm.runtime.yaml_files import YamlError, read_yaml

LOCK_FILE = Path("dvc.lock")
CHECKPOINTS = PurePosixPath("data/checkpoints")
FINGERPRINT = "fingerprint"
"""The stage that says what the code means; the fingerprints themselves are among the inputs of the others."""


@dataclass(frozen=True)
class LockedFile:
    """A file or folder as a stage read or wrote it."""

    path: str
    md5: str
    """DVC's; of a folder that of its list of files, ending with `.dir`."""


@dataclass(frozen=True)
class LockedStage:
    """One stage as it last ran."""

    name: str
    command: str
    inputs: tuple[LockedFile, ...]
    outputs: tuple[LockedFile, ...]
    params: dict[str, Any]
    """By section."""


def read_lock(root: Path) -> list[LockedStage]:
    """The stages of the project's dvc.lock, in its order.

    Raises:
        StageError: there is none, or it cannot be read.
    """
    try:
        stages = read_yaml(root / LOCK_FILE)["stages"]
        return [
            LockedStage(
                str(name),
                str(entry["cmd"]),
                tuple(LockedFile(str(one["path"]), str(one["md5"])) for one in entry.get("deps", ())),
                tuple(LockedFile(str(one["path"]), str(one["md5"])) for one in entry.get("outs", ())),
                dict(entry.get("params", {}).get("params.yaml", {})),
            )
            for name, entry in stages.items()
        ]
    except FileNotFoundError as error:
        raise StageError(f"{root / LOCK_FILE}: not there; `reasrm run` writes it") from error
    except (YamlError, KeyError, TypeError, AttributeError) as error:
        raise StageError(
            f"{root / LOCK_FILE}: cannot be read as DVC's ({error}); `git checkout {LOCK_FILE}`"
        ) from error


def checkpoint_names(lock: list[LockedStage]) -> dict[str, str]:
    """The checkpoints that stages made, by their names, each with its stage."""
    return {
        PurePosixPath(out.path).name: stage.name
        for stage in lock
        for out in stage.outputs
        if PurePosixPath(out.path).parent == CHECKPOINTS
    }


def lineage(lock: list[LockedStage], stage: str) -> list[LockedStage]:
    """The stage `stage` and all behind it, in the order in which they ran, without the one of fingerprints."""
    makers = {out.path: one for one in lock for out in one.outputs}
    found: dict[str, LockedStage] = {}
    waiting = [one for one in lock if one.name == stage]
    while waiting:
        one = waiting.pop()
        if one.name in found or one.name == FINGERPRINT:
            continue
        found[one.name] = one
        waiting += [maker for read in one.inputs for path, maker in makers.items() if _touch(read.path, path)]
    return [one for one in lock if one.name in found]


def is_as_locked(root: Path, stages: list[LockedStage], path: str) -> bool:
    """Whether the output `path` of one of `stages` holds the bytes that the stage wrote."""
    locked = next((out.md5 for stage in stages for out in stage.outputs if out.path == path), None)
    return locked is not None and (root / path).exists() and _dvc_md5(root / path) == locked


def _dvc_md5(path: Path) -> str:
    """The hash that DVC gives a file, or a folder: there that of the JSON list of its files (dvc_data's `Tree`)."""
    if path.is_file():
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "md5").hexdigest()
    files = {str(file.relative_to(path)): file for file in path.rglob("*") if file.is_file()}
    listed = [{"md5": _dvc_md5(files[name]), "relpath": name} for name in sorted(files, key=PurePosixPath)]
    return hashlib.md5(json.dumps(listed, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"


def _touch(one: str, other: str) -> bool:
    """Whether one is the other, lies in it or holds it."""
    first, second = PurePosixPath(one), PurePosixPath(other)
    return first.is_relative_to(second) or second.is_relative_to(first)
