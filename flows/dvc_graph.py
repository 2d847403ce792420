"""The pipeline as DVC sees it: stages in the order of `dvc repro`, who stands below whom, what is out of date.

Read through DVC's own API from dvc.yaml, params.yaml and dvc.lock; nothing is run. DVC asks git about files by their
path from the working folder, so that is the project's while it reads. The one thing written is the order of dvc.lock.
"""

import fnmatch
from collections.abc import Iterable, Mapping
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.running.changed_dvc import remove_torn_rwlock
from flows.running.stage_outcome import BusyError, FlowError, PipelineError, UsageError

FINGERPRINT = "fingerprint"
"""The stage that says what the code of each stage means; it runs before anything else is decided."""
LOCK_FILE = "dvc.lock"

DvcStatus = Mapping[str, list[Any]]
"""DVC's status by stage: what changed among its dependencies and outputs; a stage that is up to date is absent."""


@dataclass(frozen=True)
class Stage:
    """One stage, a variant counted as one (`grpo@full`)."""

    name: str
    parents: tuple[str, ...]
    """Stages whose outputs it reads, in plan order."""
    limit: str | None = None
    """`meta.limit` in dvc.yaml: the name of a Prefect concurrency limit."""
    inputs: tuple[str, ...] = ()
    """What it reads and no stage makes: files and folders of the user's, as dvc.yaml names them."""
    outputs: tuple[str, ...] = ()
    """The files and folders that it makes, as dvc.yaml names them."""


@dataclass(frozen=True)
class Pipeline:
    """All stages, parents before children, in the order in which `dvc repro` runs them and writes dvc.lock."""

    stages: dict[str, Stage]

    def above(self, names: Iterable[str]) -> set[str]:
        """`names` with everything that they need."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += self.stages[name].parents
        return found

    def below(self, names: Iterable[str]) -> set[str]:
        """`names` with everything that needs them."""
        found = set(names)
        for name, stage in self.stages.items():
            if not found.isdisjoint(stage.parents):
                found.add(name)
        return found

    def children(self, name: str) -> list[str]:
        """The stages that read an output of `name`, in plan order."""
        return [child for child, stage in self.stages.items() if name in stage.parents]

    def matching(self, patterns: Iterable[str]) -> set[str]:
        """The stages that are meant: by name, all variants of a stage (`grpo`), or by a pattern (`judge@grpo-*`).

        Raises:
            UsageError: a pattern matches no stage.
        """
        found: set[str] = set()
        for pattern in patterns:
            hits = {name for name in self.stages if name == pattern or name.partition("@")[0] == pattern}
            hits = hits or set(fnmatch.filter(self.stages, pattern))
            if not hits:
                raise UsageError(f"no stage `{pattern}` in dvc.yaml; there are: {', '.join(self.stages)}")
            found |= hits
        return found


def _quiet_dvc() -> None:
    """Leave out DVC's warnings, as of locks that a killed run left and that it removes by itself."""
    import logging

    logging.getLogger("dvc").setLevel(logging.ERROR)


def read_pipeline(root: Path) -> Pipeline:
    """Read the graph of the DVC project in `root`.

    Raises:
        PipelineError: `root` is no DVC project, or dvc.yaml or params.yaml is wrong.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc.repo.reproduce import collect_stages, get_active_graph, plan_repro

    _quiet_dvc()
    try:
        with chdir(root), Repo(str(root)) as repo:
            graph = get_active_graph(repo.index.graph)
            order = plan_repro(graph, collect_stages(repo, ["dvc.yaml"]))
            names = [_name(stage) for stage in order]
            stages = {
                _name(stage): Stage(
                    name=_name(stage),
                    parents=tuple(sorted((_name(parent) for parent in graph.successors(stage)), key=names.index)),
                    limit=(stage.meta or {}).get("limit"),
                    inputs=_inputs(stage, repo.index.outs),
                    outputs=tuple(out.def_path for out in stage.outs),
                )
                for stage in order
            }
    except (DvcException, TypeError) as error:  # TypeError: of a date that is not quoted in params.yaml
        raise PipelineError(f"{root}: DVC cannot read the pipeline: {_reasons(error)}{_way_out(error)}") from error
    return Pipeline(stages)


def read_status(root: Path) -> DvcStatus:
    """What DVC finds out of date, as `dvc status` does; local to each stage, it does not spread downwards.

    Raises:
        BusyError: a stage is running, so that its outputs cannot be looked at.
        FlowError: DVC fails otherwise.
    """
    from dvc.exceptions import DvcException
    from dvc.lock import LockError
    from dvc.repo import Repo

    try:
        with chdir(root), Repo(str(root), _wait_for_lock=True) as repo:
            return _status_of(repo)
    except LockError as error:
        raise BusyError(f"a stage is running in {root} (`reasrm status` shows it): {_reasons(error)}") from error
    except DvcException as error:
        raise FlowError(f"{root}: `dvc status` fails: {_reasons(error)}") from error


def in_plan_order(entries: list[str], pipeline: Pipeline) -> list[str]:
    """The entries of dvc.lock as `dvc repro` would have written them; those of stages that are gone stay at the end."""
    known = [name for name in pipeline.stages if name in entries]
    return known + [name for name in entries if name not in pipeline.stages]


def sort_lock_file(root: Path, pipeline: Pipeline) -> bool:
    """Bring dvc.lock into plan order under DVC's repository lock; return whether it was not.

    DVC appends a new entry when its stage ends, and stages that run side by side end in any order: sorted, the flow and
    `dvc repro` leave the same bytes.
    """
    from dvc.repo import Repo
    from dvc.utils.serialize import dump_yaml, load_yaml, parse_yaml_for_update

    path = root / LOCK_FILE
    if not path.exists():
        return False
    with chdir(root), Repo(str(root), _wait_for_lock=True) as repo, repo.lock:
        stages = list(load_yaml(str(path)).get("stages", {}))
        if stages == in_plan_order(stages, pipeline):
            return False
        document: Any = parse_yaml_for_update(path.read_text(encoding="utf-8"), str(path))
        entries = document["stages"]
        for name in in_plan_order(list(entries), pipeline):
            entries[name] = entries.pop(name)
        partial = path.with_name(f".{LOCK_FILE}.partial")
        try:
            dump_yaml(str(partial), document)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    return True


def _status_of(repo: Any) -> DvcStatus:
    """As `Repo.status`, by the stages' own names (DVC's are relative to the working folder)."""
    with repo.lock:
        remove_torn_rwlock(repo)
        repo._reset()
        found = {_name(stage): stage.status() for stage in repo.index.stages}
    return {name: next(iter(changes.values())) for name, changes in found.items() if changes}


def _inputs(stage: Any, outs: Iterable[Any]) -> tuple[str, ...]:
    """The dependencies of a stage that are no output, hold none and lie in none."""
    made = [Path(out.fs_path) for out in outs]
    read = [(dep.def_path, Path(dep.fs_path)) for dep in stage.deps if not hasattr(dep, "params")]
    return tuple(
        name for name, path in read if not any(path.is_relative_to(one) or one.is_relative_to(path) for one in made)
    )


def _name(stage: Any) -> str:
    """The name in dvc.yaml; a `.dvc` file has only its address."""
    return str(getattr(stage, "name", "") or stage.addressing)


def _way_out(error: BaseException) -> str:
    """What to do where DVC does not say it: without git or DVC's folder, or with half a dvc.lock."""
    from dvc.exceptions import NotDvcRepoError
    from dvc.scm import SCMError
    from dvc.utils.strictyaml import YAMLValidationError

    if isinstance(error, NotDvcRepoError):
        return ": this folder has no .dvc/ yet: `git init && dvc init`, or without git `dvc init --no-scm`"
    if isinstance(error, SCMError):
        return (
            ": `git init` makes it one, or `dvc config core.no_scm true` does without (then no commits, tags and "
            "`dvc exp`); stages, results and caches are the same"
        )
    if isinstance(error, YAMLValidationError) and LOCK_FILE in str(error):
        return (
            f": it was edited or the disk was full when it was written: `git checkout {LOCK_FILE}`, or remove it: "
            f"what has run is then restored from the run cache"
        )
    return ""


def _reasons(error: BaseException) -> str:
    """The messages of an error and its causes, on one line."""
    texts, current = [], error
    while current is not None:
        texts.append(" ".join(str(current).split()))
        current = current.__cause__  # type: ignore[assignment]
    return ": ".join(dict.fromkeys(texts))
