"""Bring one stage up to date in a process of its own: `dvc repro --single-item`, and what other machines have made.

Run:     python -P flows/running/reproduce.py [--force] [--pull] [--push] STAGE     (in the project's folder)
         python -P flows/running/reproduce.py --only-restore [--pull] [--push] STAGE...
         python -P flows/running/reproduce.py --only-push STAGE...
         python -P flows/running/reproduce.py --key STAGE

DVC takes an entry of dvc.lock with the present inputs for the answer even where its outputs are in neither cache nor
remote, and then runs the stage, although the run cache may hold outputs of the same inputs. Such an entry is removed
first. With --pull, what the remote holds is restored and not run; with --push, what has run goes there, its outputs
before the entry of the run cache that leads to them. DVC's repository lock lets one process push at a time.

With --only-restore the stages, parents first, are taken from where they are kept, and nothing is run. --key prints the
key of the run cache under which a stage's outputs stand: a hash of its command, what it reads, and its parameters.

Exit status: DVC's own; `NOT_PUSHED` where a stage is up to date and could not be pushed,
`NOT_KEPT` where one would have to run.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reasrm.runtime.terminal import say, say_error

NOT_PUSHED = 75
"""As `EX_TEMPFAIL` of sysexits.h: the same command may do it later."""
NOT_KEPT = 76
"""A stage would have to run and may not."""


ENTRY_PARTS = 3
"""Of an entry's place below `runs/`: prefix of the key, key, value."""


def main() -> int:
    """Parse the command line and obey; returns the exit status."""
    parser = argparse.ArgumentParser(description="Bring a stage up to date, or hand stages over to the remote.")
    parser.add_argument("stages", nargs="+")
    for option in ("--force", "--pull", "--push", "--only-push", "--only-restore", "--key"):
        parser.add_argument(option, action="store_true")
    asked = parser.parse_args()
    transfer_what_is_missing()
    write_whole_files()
    if asked.only_push:
        return push(asked.stages)
    if asked.only_restore:
        code = restore(asked.stages, pull=asked.pull)
        return push(asked.stages) if code == 0 and asked.push else code
    (name,) = asked.stages
    if asked.key:
        say(run_cache_key(name))
        return 0
    forget_lost_outputs(name, pull=asked.pull)
    code = reproduce(name, force=asked.force, pull=asked.pull)
    return push([name]) if code == 0 and asked.push else code


def reproduce(name: str, *, force: bool, pull: bool) -> int:
    """`dvc repro` of this stage alone; returns its exit status."""
    from dvc.cli import main as dvc

    options = [option for option, wanted in (("--force", force), ("--pull", pull and not force)) if wanted]
    return int(dvc(["--wait-for-lock", "repro", "--single-item", *options, name]))


def restore(names: list[str], *, pull: bool) -> int:
    """Take stages, parents first, from where they are kept; none is run, and the first that would gives `NOT_KEPT`.

    DVC removes a stage's old outputs before it looks for the new ones; so it is here.
    """
    from dvc.exceptions import DvcException
    from dvc.stage import run

    would_run: list[str] = []

    def refuse(stage: Any, *_: Any, **__: Any) -> None:
        would_run.append(stage.addressing)
        raise DvcException(f"{stage.addressing} is kept nowhere")

    run.cmd_run = refuse
    for name in names:
        forget_lost_outputs(name, pull=pull)
        if code := reproduce(name, force=False, pull=pull):
            return NOT_KEPT if would_run else code
    return 0


def run_cache_key(name: str) -> str:
    """Under which key the outputs of a stage's present inputs stand in the run cache; empty if an input is missing."""
    from dvc.stage.cache import _get_stage_hash

    with _project() as repo, repo.lock:
        stage = repo.stage.get_target(name)
        stage.save_deps(allow_missing=True)
        return str(_get_stage_hash(stage) or "")


def forget_lost_outputs(name: str, *, pull: bool) -> None:
    """Remove the stage's entry of dvc.lock if its inputs are the present ones and its outputs are nowhere.

    Args:
        name: the stage.
        pull: whether the remote counts as a place.
    """
    with _project() as repo, repo.lock:
        remove_torn_rwlock(repo)
        stage = repo.stage.get_target(name)
        entry_holds = not stage.changed(allow_missing=True)
        if entry_holds and stage.changed() and not _is_kept(repo, stage, pull=pull):
            stage.dvcfile._lockfile.remove_stage(stage)


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


def write_whole_files() -> None:
    """Let DVC write dvc.lock beside its place and move it there: a kill in between must not cost its entries."""
    from dvc.utils.serialize import _yaml

    def dump(path: Any, data: Any, dumper: Any, fs: Any = None, **arguments: Any) -> None:
        place = Path(path)
        partial = place.with_name(f".{place.name}.{os.getpid()}.partial")
        with partial.open("w", encoding="utf-8") as file:
            dumper(data, file, **arguments)
        partial.replace(place)

    _yaml._dump_data = dump


def push(names: list[str]) -> int:
    """Hand the stages' outputs over to the remote, then the run cache; says what could not be, with the reason."""
    from dvc.exceptions import DvcException

    try:
        with _project() as repo:
            repo.push(targets=names)
            with repo.lock:
                repo.stage_cache.push(None)
    except (DvcException, OSError) as error:
        say_error("not pushed", " ".join(str(error).split()))
        return NOT_PUSHED
    return 0


def transfer_what_is_missing() -> None:
    """Let DVC copy only those entries of a run cache that the other side lacks, and say so where a download fails.

    DVC copies all of them each time: with a remote that has seen a hundred nights, thousands before each stage. And it
    takes a download that broke off for outputs that nobody has, and runs the stage.
    """
    from dvc.data_cloud import DataCloud
    from dvc.exceptions import DownloadError
    from dvc.stage.cache import StageCache

    pull_objects = DataCloud.pull

    def pull(cloud: Any, *args: Any, **kwargs: Any) -> Any:
        result = pull_objects(cloud, *args, **kwargs)
        if result.failed:
            raise DownloadError(len(result.failed))
        return result

    DataCloud.pull = pull
    StageCache.transfer = _copy_new_entries


def _copy_new_entries(_: Any, source: Any, target: Any, force: bool = True) -> list[tuple[str, str]]:
    """As `StageCache.transfer`: entries of the run cache (`runs/KEY/VALUE`) from one place to another."""
    from dvc import fs

    there = _entries(source)
    new = sorted(there.keys() - _entries(target).keys())
    for entry in new:
        fs.generic.copy(source.fs, there[entry], target.fs, target.fs.join(target.path, "runs", *entry))
    return [(key, value) for _, key, value in new]


def _entries(place: Any) -> dict[tuple[str, str, str], str]:
    """Where each entry of a run cache lies, by its folders and name."""
    runs = place.fs.join(place.path, "runs")
    if not place.fs.exists(runs):
        return {}
    paths = ((tuple(place.fs.as_posix(path).split("/")[-ENTRY_PARTS:]), path) for path in place.fs.find(runs))
    return {entry: path for entry, path in paths if len(entry) == ENTRY_PARTS}


def _is_kept(repo: Any, stage: Any, *, pull: bool) -> bool:
    """Whether all outputs of the stage's entry are in the cache or, where it counts, in the remote."""
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


@contextmanager
def _project() -> Iterator[Any]:
    """The DVC project of the working folder; whoever holds its lock is waited for."""
    from dvc.repo import Repo

    with Repo(".", _wait_for_lock=True) as repo:
        yield repo


def _main_in_one_line() -> int:
    """As `main`; whatever DVC, a remote's library or the system raises is one line."""
    try:
        return main()
    except Exception as error:  # noqa: BLE001  any: of fsspec, boto, the system
        say_error("ERROR", f"{type(error).__name__}: {' '.join(str(error).split())}")
        return 1


if __name__ == "__main__":
    sys.exit(_main_in_one_line())
