"""What each stage's code reaches and means: the import graph, walked from the stage's file.

A stage depends on its fingerprint instead of on source files: comments, docstrings and formatting rerun nothing, a
changed prompt reruns exactly the stages that reach it, and the fingerprint says which module did it.
"""

import hashlib
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from reasrm.fingerprints.locked_versions import meaningful_libraries, require_installed
from reasrm.fingerprints.module_meaning import FILES_CONSTANT, DeclarationError, ModuleMeaning, read_meaning
from reasrm.runtime.stage_main import StageError

STAGES = "stages"
PACKAGES = (STAGES, "reasrm")


class SourcesError(StageError):
    """The sources cannot be read as one import graph; says which file and why."""


class ImportEdges(NamedTuple):
    """The import graph of the project, function-level imports included, type-checking ones left out."""

    inside: Mapping[str, frozenset[str]]
    """Module -> modules of the project that it imports."""
    outside: Mapping[str, frozenset[str]]
    """Module -> top-level names of the libraries that it imports."""


class Closure(NamedTuple):
    """All that a stage's code reaches."""

    modules: tuple[str, ...]
    exempt: tuple[str, ...]
    libraries: frozenset[str]
    """Import names."""


def stage_modules(folder: Path = Path(STAGES)) -> dict[str, str]:
    """The module of each stage by its name: the files under `stages/`, in packages of it too, but for `fingerprint`."""
    files = (path for path in folder.rglob("*.py") if path.stem not in {"__init__", "fingerprint"})
    modules = {path.stem: ".".join((STAGES, *path.relative_to(folder).with_suffix("").parts)) for path in files}
    return dict(sorted(modules.items()))


def import_edges() -> ImportEdges:
    """Read the import graph of the packages without importing them.

    Raises:
        SourcesError: a file is not valid Python.
    """
    import grimp
    from grimp.exceptions import SourceSyntaxError

    try:
        graph = grimp.build_graph(
            *PACKAGES, include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None
        )
    except SourceSyntaxError as error:
        raise SourcesError(f"{error}: fix it first") from error
    inside: dict[str, frozenset[str]] = {}
    outside: dict[str, frozenset[str]] = {}
    for module in graph.modules:
        if _is_ours(module):
            reached = graph.find_modules_directly_imported_by(module)
            inside[module] = frozenset(name for name in reached if _is_ours(name))
            foreign = {name.partition(".")[0] for name in reached if not _is_ours(name)}
            outside[module] = frozenset(foreign - sys.stdlib_module_names - {"__future__"})
    return ImportEdges(inside, outside)


def closure(start: str, edges: ImportEdges) -> Closure:
    """All modules that `start` reaches by import, through package `__init__`s, or by naming them in a string.

    An exempt module ends the walk: what it imports cannot change an output through it either.
    """
    waiting, seen, libraries = [start], set[str](), set[str]()
    exempt: set[str] = set()
    while waiting:
        module = waiting.pop()
        if module in seen or module in exempt:
            continue
        meaning = meaning_of(module)
        if meaning.exempt:
            exempt.add(module)
            continue
        seen.add(module)
        libraries |= edges.outside[module]
        waiting += edges.inside[module] | (meaning.strings & edges.inside.keys())
        waiting += [parent for parent in [module.rpartition(".")[0]] if parent]
    return Closure(tuple(sorted(seen)), tuple(sorted(exempt)), frozenset(libraries))


def fingerprint(stage: str, edges: ImportEdges, locked: dict[str, dict[str, Path]]) -> dict[str, Any]:
    """The fingerprint of one stage, ready for JSON.

    Raises:
        DeclarationError: a declared file is missing.
        VersionsError: a library that the stage reaches is not locked, or not installed as locked.
    """
    reached = closure(stage_modules()[stage], edges)
    libraries = meaningful_libraries(reached.libraries)
    return {
        "modules": {module: meaning_of(module).meaning for module in reached.modules},
        "exempt": list(reached.exempt),
        "files": {str(path): _file_hash(path) for module in reached.modules for path in _declared(module)},
        "libraries": {library: require_installed(library, locked) for library in libraries},
    }


@cache
def meaning_of(module: str) -> ModuleMeaning:
    """The meaning of a module of the project, read once."""
    return read_meaning(_source(module))


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in PACKAGES


def _source(module: str) -> Path:
    path = Path(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _declared(module: str) -> list[Path]:
    folder = _source(module).parent
    for name in meaning_of(module).files:
        if not (folder / name).is_file():
            raise DeclarationError(
                f"{_source(module)}: {FILES_CONSTANT} names `{name}`, but {folder / name} is no file"
            )
    return [folder / name for name in meaning_of(module).files]


def _file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
