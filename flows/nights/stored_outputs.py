"""What DVC stored, by its hash: so an old champion's judgments are had although no present stage makes them."""

from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.dvc_graph import LOCK_FILE
from flows.running.stage_outcome import FlowError
from reasrm.runtime.yaml_files import YamlError, parse_yaml


@dataclass(frozen=True)
class StoredOutput:
    """A file or folder that DVC keeps."""

    path: str
    """Where it lay in the project."""
    md5: str
    """DVC's hash of it; ends in `.dir` for a folder."""


class Lock:
    """The text of a dvc.lock, looked up by outputs."""

    def __init__(self, text: str, what: str = LOCK_FILE) -> None:
        """Read it.

        Args:
            text: the file's.
            what: what errors call it.

        Raises:
            FlowError: it is no YAML.
        """
        try:
            document = parse_yaml(text, what)
        except YamlError as error:
            raise FlowError(f"{what} cannot be read: {error}") from error
        self.stages: dict[str, Any] = (document or {}).get("stages") or {}

    def maker_of(self, path: str) -> str | None:
        """The stage whose output `path` is."""
        return next(
            (name for name, stage in self.stages.items() if any(out["path"] == path for out in stage.get("outs", []))),
            None,
        )

    def output(self, path: str) -> StoredOutput | None:
        """The output `path` as it was last made."""
        return self._entry(self.maker_of(path), "outs", path)

    def dependency(self, stage: str, path: str) -> StoredOutput | None:
        """What `stage` read under `path` when it last ran."""
        return self._entry(stage, "deps", path)

    def _entry(self, stage: str | None, kind: str, path: str) -> StoredOutput | None:
        entries = self.stages.get(stage or "", {}).get(kind, [])
        md5 = next((one["md5"] for one in entries if one["path"] == path and "md5" in one), None)
        return None if md5 is None else StoredOutput(path, str(md5))


def read_lock(root: Path) -> Lock:
    """The project's dvc.lock; empty before the first run.

    Raises:
        FlowError: it is no YAML.
    """
    path = root / LOCK_FILE
    return Lock(path.read_text(encoding="utf-8") if path.is_file() else "{}")


def cached_objects(root: Path, stored: StoredOutput) -> set[str]:
    """The hashes of what DVC stored, as far as the cache knows them: of a folder also those of its files."""
    from dvc.repo import Repo
    from dvc_data.hashfile import load
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_objects.errors import ObjectFormatError

    info = HashInfo("md5", stored.md5)
    if not info.isdir:
        return {stored.md5}
    with chdir(root), Repo(str(root)) as repo:
        try:
            folder: Any = load(repo.cache.local, info)
        except (OSError, ObjectFormatError):
            return {stored.md5}
        return {stored.md5, *(entry.value for _, _, entry in folder)}


def hand_over(root: Path, stored: StoredOutput) -> None:
    """Have what DVC stored in its default remote.

    Raises:
        FlowError: it is neither in the cache nor in the remote, or the remote does not take it.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc_data.hashfile import load
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_objects.errors import ObjectFormatError

    info = HashInfo("md5", stored.md5)
    with chdir(root), Repo(str(root), _wait_for_lock=True) as repo, repo.lock:
        try:
            objects = [info]
            if info.isdir:
                if not repo.cache.local.exists(stored.md5):
                    repo.cloud.pull([info])
                folder: Any = load(repo.cache.local, info)
                objects += [entry for _, _, entry in folder]
            if missing := repo.cloud.status(objects).missing:
                raise FlowError(
                    f"{_named(stored)}, which the champion's pointer names, is neither whole in DVC's cache nor in its "
                    f"remote: {len(missing)} objects are missing"
                )
            failed = repo.cloud.push(objects).failed
        except (OSError, ObjectFormatError, DvcException) as error:
            raise FlowError(f"{_named(stored)} cannot be handed over: {' '.join(str(error).split())}") from error
    if failed:
        raise FlowError(f"DVC's remote did not take {_named(stored)}: {len(failed)} objects")


def take_out(root: Path, stored: StoredOutput, target: Path) -> None:
    """Put what DVC stored into `target`, from the cache, or through it from the default remote.

    Raises:
        FlowError: neither has the whole of it, or the remote does not answer.
    """
    from dvc.config import NoRemoteError
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc_data.hashfile import check, load
    from dvc_data.hashfile.checkout import checkout
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_objects.errors import ObjectFormatError
    from dvc_objects.fs.local import localfs

    info = HashInfo("md5", stored.md5)
    with chdir(root), Repo(str(root), _wait_for_lock=True) as repo, repo.lock:
        cache = repo.cache.local

        def whole() -> Any:
            found: Any = load(cache, info)
            check(cache, found)
            return found

        try:
            found = whole()
        except (OSError, ObjectFormatError):
            try:
                repo.cloud.pull([info])
                if info.isdir:
                    folder: Any = load(cache, info)
                    repo.cloud.pull([entry for _, _, entry in folder])
                found = whole()
            except NoRemoteError as error:
                raise FlowError(f"{_named(stored)} is not in DVC's cache, and no default remote is set") from error
            except (OSError, ObjectFormatError, DvcException) as error:
                raise FlowError(
                    f"{_named(stored)} is neither in DVC's cache nor whole in the remote "
                    f"{repo.config['core'].get('remote')}: {' '.join(str(error).split())}"
                ) from error
        target.parent.mkdir(parents=True, exist_ok=True)
        checkout(str(target), localfs, found, cache, force=True)


def _named(stored: StoredOutput) -> str:
    return f"{stored.path} with the hash {stored.md5}"
