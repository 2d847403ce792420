"""Where DVC behaves otherwise in the process that brings a stage up to date (`reproduce.py`), and why.

Each function replaces a method of the DVC version that the lock pins; `tests/flows/running/test_remote_store.py` says
what must come of it (docs/decisions/022).
"""

import json
import os
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ENTRY = re.compile(r"(?P<prefix>[0-9a-f]{2})/(?P<key>[0-9a-f]{64})/(?P<value>[0-9a-f]{64})$")
"""An entry's place below `runs/`; what a killed copy left has another name."""


def change_dvc(*, pull: bool) -> None:
    """Change it; see the functions.

    Args:
        pull: whether the remote counts as a place where outputs are kept.
    """
    _tell_broken_downloads()
    _write_whole_files()
    _know_reused_process_numbers()
    _copy_new_entries_only()
    _take_an_entry_whose_outputs_are_kept(pull)


def is_kept(repo: Any, stage: Any, *, pull: bool) -> bool:
    """Whether all outputs that the stage's entry names are in the cache or, where it counts, in the remote."""
    from dvc.exceptions import CollectCacheError

    if stage.outs_cached():
        return True
    if not pull:
        return False
    try:
        used = stage.get_used_objs()
    except CollectCacheError:  # a folder whose list of files is nowhere
        return False
    return not any(repo.cloud.status(objects).missing for objects in used.values())


def can_be_restored(stage: Any, *, pull: bool) -> bool:
    """Whether DVC will restore a stage that is out of date and not run it; decides as `StageCache.restore` does.

    Args:
        stage: DVC's, about to be brought up to date; the run cache of the remote is here.
        pull: whether the remote counts as a place.
    """
    from dvc.stage.cache import _can_hash

    if not _can_hash(stage):
        return False
    if not stage.changed_stage() and stage.deps_cached() and all(out.hash_info for out in stage.outs):
        return is_kept(stage.repo, stage, pull=pull)
    known = [(dep, dep.hash_info, dep.meta) for dep in stage.deps]
    try:
        stage.save_deps()
        return stage.repo.stage_cache._load(stage) is not None
    finally:  # DVC asks the same again, of the stage as dvc.lock has it
        for dep, hash_info, meta in known:
            dep.hash_info, dep.meta = hash_info, meta


def remove_torn_rwlock(repo: Any) -> None:
    """Remove DVC's list of files in use if whoever wrote it was killed meanwhile: no command of DVC would work again.

    Args:
        repo: DVC's, whose lock is held, so that nobody writes the list now.
    """
    path = Path(repo.tmp_dir, "rwlock")
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except ValueError:
        path.unlink()


def _tell_broken_downloads() -> None:
    """A download that broke off fails; DVC takes it for outputs that nobody has, and runs the stage."""
    from dvc.data_cloud import DataCloud
    from dvc.exceptions import DownloadError

    pull_objects = DataCloud.pull

    def pull(cloud: Any, *args: Any, **kwargs: Any) -> Any:
        result = pull_objects(cloud, *args, **kwargs)
        if result.failed:
            raise DownloadError(len(result.failed))
        return result

    DataCloud.pull = pull


def _write_whole_files() -> None:
    """dvc.lock is written beside its place and moved there: no kill costs its entries, and nobody reads a half."""
    from dvc.utils.serialize import _common, _yaml

    def dump(path: Any, data: Any, dumper: Any, fs: Any = None, **arguments: Any) -> None:
        place = Path(path)
        partial = place.with_name(f".{place.name}.{os.getpid()}.partial")
        try:
            with partial.open("w", encoding="utf-8") as file:
                dumper(data, file, **arguments)
            partial.replace(place)
        finally:
            partial.unlink(missing_ok=True)

    _common._dump_data = _yaml._dump_data = dump  # that of `modify_yaml`, and that of `dump_yaml`


def _know_reused_process_numbers() -> None:
    """A process that is none of DVC's holds no file: it has the number of one that was killed, after a restart, say."""
    from dvc import rwlock

    psutil = rwlock.psutil

    def is_of_dvc(number: int) -> bool:
        try:
            words = psutil.Process(number).cmdline()
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True
        return any("dvc" in word or "flows.running.reproduce" in word for word in words)

    rwlock.psutil = SimpleNamespace(pid_exists=is_of_dvc)


def _copy_new_entries_only() -> None:
    """Of a run cache only what the other side lacks is copied: DVC copies all, thousands after a hundred nights."""
    from dvc import fs
    from dvc.stage.cache import StageCache

    def transfer(_: Any, source: Any, target: Any, force: bool = True) -> list[tuple[str, str]]:
        there = _entries(source)
        new = sorted(there.keys() - _entries(target).keys())
        for key, value in new:
            fs.generic.copy(source.fs, there[key, value], target.fs, entry_path(target, key, value))
        return new

    StageCache.transfer = transfer


def _take_an_entry_whose_outputs_are_kept(pull: bool) -> None:
    """Of several entries of one key the newest counts whose outputs are kept; DVC tries the newest one alone."""
    from dvc.stage.cache import StageCache, _get_stage_hash

    def load(cache: Any, stage: Any) -> Any:
        key = _get_stage_hash(stage)
        folder = Path(cache._get_cache_dir(key))
        if not folder.is_dir():
            return None
        values = [path for path in folder.iterdir() if ENTRY.search(path.as_posix())]
        for path in sorted(values, key=lambda path: path.stat().st_mtime_ns, reverse=True):
            entry = cache._load_cache(key, path.name)
            if entry and is_kept(cache.repo, cache._create_stage(entry, wdir=stage.wdir), pull=pull):
                return entry
        return None

    StageCache._load = load


def entry_path(place: Any, key: str, value: str) -> str:
    """Where an entry of the run cache stands in a cache or a remote."""
    return str(place.fs.join(place.path, "runs", key[:2], key, value))


def _entries(place: Any) -> dict[tuple[str, str], str]:
    """Where each entry of a run cache lies, by key and value."""
    runs = place.fs.join(place.path, "runs")
    if not place.fs.exists(runs):
        return {}
    found = ((ENTRY.search(place.fs.as_posix(path)), path) for path in place.fs.find(runs))
    return {(match["key"], match["value"]): path for match, path in found if match}
