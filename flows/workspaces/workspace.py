"""A workspace: a copy of the project's code with settings of its own, in which `reasrm run` runs like anywhere else.

It is a DVC project without version control below `work/`, whose cache is the project's. So what the project or another
workspace has computed from the same inputs is restored and not computed again, and the project's params.yaml, dvc.lock
and `data/` are not touched. Copied are the files that say what the stages mean; linked is what a user keeps: their own
files that stages read, the revisions of published data, and the ledgers of paid replies.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.dvc_graph import read_pipeline
from flows.running.stage_outcome import BusyError, FlowError
from flows.running.status import running_process
from reasrm.runtime.kept_folders import LEDGERS

COPIED = ("reasrm", "stages", "flows", "locks", "profiles", "dvc.yaml", ".dvcignore")
LINKED = ("revisions",)
"""What the first download writes: one revision for all seeds, where the project looks for it too."""
COMPILED = "__pycache__"


@dataclass(frozen=True)
class Workspace:
    """One state of the pipeline."""

    project: Path
    folder: Path
    """Its place in the project."""
    targets: tuple[str, ...]
    """The stages to run, as `reasrm run --to` takes them; what they need runs too, and nothing else."""
    params: str
    """The text of its params.yaml."""

    @property
    def name(self) -> str:
        """Its folder's name."""
        return self.folder.name

    @property
    def root(self) -> Path:
        """Its folder."""
        return self.project / self.folder


def refresh(workspace: Workspace, *, shares_ledgers: bool) -> None:
    """Bring the workspace's code, settings and links up to the project's; what it has computed stays.

    Args:
        workspace: which, made if it is not there.
        shares_ledgers: whether replies are paid for, so that none may be asked for twice.

    Raises:
        BusyError: somebody runs the pipeline in it, under whom nothing is changed.
        FlowError: the pipeline cannot be read, or reads a file by a path that means something else in the workspace.
    """
    root = workspace.root
    if (process := running_process(root)) is not None:
        raise BusyError(
            f"a run of the pipeline is alive in {root} (process {process}): wait for it, or `reasrm cancel`"
        )
    root.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        copy_anew(workspace.project / name, root / name)
    _write_if_new(root / "params.yaml", workspace.params.encode())
    _share_cache(workspace.project, root)
    for name in LINKED:
        _link(workspace.project, root, name)
    if shares_ledgers:
        (workspace.project / LEDGERS).mkdir(exist_ok=True)
        _link(workspace.project, root, LEDGERS.name)
    elif (root / LEDGERS).is_symlink():
        (root / LEDGERS).unlink()
    for name in unmade_inputs(root, workspace.targets):
        if Path(name).is_absolute():
            continue
        if ".." in Path(name).parts:
            raise FlowError(
                f"params.yaml names {name}, which is outside of the project: a workspace finds it by an absolute path "
                f"alone, so write that"
            )
        if not _is_within(name, (*COPIED, *LINKED)):
            _link(workspace.project, root, name)


def copy_anew(source: Path, target: Path) -> None:
    """Make `target` the same as `source`, a file or folder or nothing; what is the same keeps its time of change."""
    if source.is_dir():
        wanted = set(_files(source))
        for name in wanted:
            _write_if_new(target / name, (source / name).read_bytes())
        for gone in set(_files(target)) - wanted:
            (target / gone).unlink()
    elif source.is_file():
        _write_if_new(target, source.read_bytes())
    elif target.is_dir():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)


def pays_oracle(params: Mapping[str, Any]) -> bool:
    """Whether traces come from a vendor's oracle under these settings."""
    oracle = params.get("distill_traces") or {}
    return (oracle.get("source"), oracle.get("endpoint")) == ("oracle", "environment")


def asks_vendor(params: Mapping[str, Any]) -> bool:
    """Whether replies cost money under these settings: an oracle's or a judge's."""
    return pays_oracle(params) or (params.get("judge") or {}).get("engine") == "api"


def unmade_inputs(root: Path, targets: Sequence[str]) -> Iterator[str]:
    """What the stages read that are to run, and no stage makes."""
    pipeline = read_pipeline(root)
    needed = pipeline.above(pipeline.matching(targets))
    yield from dict.fromkeys(
        name for stage in pipeline.stages.values() if stage.name in needed for name in stage.inputs
    )


def _share_cache(project: Path, root: Path) -> None:
    """Make `root` a DVC project without version control that has the cache of `project` and its kind of links.

    Raises:
        FlowError: DVC cannot read the project's settings, or cannot write where the cache is.
    """
    from dvc.config import Config
    from dvc.config_schema import RelPath
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    folder = root / ".dvc"
    folder.mkdir(exist_ok=True)
    (folder / "config").unlink(missing_ok=True)  # half a file, of a run that was killed, could not be read
    try:
        with Repo(str(project)) as repo:
            cache = {key: value for key, value in repo.config["cache"].items() if key in {"type", "shared"} and value}
            place = Path(repo.cache.local_cache_dir).resolve()
        # DVC writes its configuration as ASCII: by a relative path the project's own may hold any character.
        cache["dir"] = RelPath(str(place))
        with Config(str(folder.resolve()), validate=False).edit("repo") as config:
            config["core"] = {"no_scm": True, "analytics": False, "autostage": False}
            config["cache"] = cache
    except DvcException as error:
        raise FlowError(f"{project}: DVC's cache cannot be shared: {' '.join(str(error).split())}") from error
    except UnicodeEncodeError as error:
        raise FlowError(
            f"{project}: DVC's cache cannot be shared: DVC writes paths in ASCII alone, and its cache is in {place}; "
            f"`dvc cache dir` moves it"
        ) from error


def _link(project: Path, root: Path, name: str) -> None:
    """Let `name` in the workspace be what it is in the project, if it is there."""
    source, target = project / name, root / name
    within_a_link = any((root / parent).is_symlink() for parent in Path(name).parents)
    if not source.exists() or within_a_link:  # what lies in a linked folder is the project's own
        return
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    target.unlink(missing_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.symlink_to(source.resolve(), target_is_directory=source.is_dir())


def _is_within(name: str, folders: tuple[str, ...]) -> bool:
    return any(Path(name).is_relative_to(folder) for folder in folders)


def _files(folder: Path) -> Iterator[Path]:
    """The files of a folder by their relative paths, without what Python compiles."""
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        if COMPILED not in name.parts and path.is_file():
            yield name


def _write_if_new(path: Path, content: bytes) -> None:
    if not path.is_file() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
