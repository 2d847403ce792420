"""Bring one stage up to date in a process of its own: `dvc repro --single-item`, and what other machines have made.

Run:     python -m flows.running.reproduce [--force] [--pull] [--push] STAGE     (in the project's folder)
         python -m flows.running.reproduce --only-restore [--pull] [--push] [--entries FILE] STAGE...
         python -m flows.running.reproduce --only-restore --pull --take VALUE STAGE
         python -m flows.running.reproduce --only-push STAGE...
         python -m flows.running.reproduce --describe STAGE...

DVC takes an entry of dvc.lock with the present inputs for the answer even where its outputs are in neither cache nor
remote, and then runs the stage, although the run cache may hold outputs of the same inputs. Such an entry is removed
first. With --pull, what the remote holds is restored and not run; with --push, what has run goes there, its outputs
before the entry of the run cache that leads to them. DVC's repository lock lets one process push at a time.

With --only-restore the stages, parents first, are taken from where they are kept, and nothing is run. The entries of
--entries (`describe`) take their places in dvc.lock before, and so does the entry VALUE of the run cache with --take:
then just the outputs that they name are taken.

Exit status: DVC's own; `NOT_PUSHED` where a stage is up to date and could not be pushed, `NOT_KEPT` where one would
have to run.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flows.running.changed_dvc import can_be_restored, change_dvc, entry_path, is_kept, remove_torn_rwlock
from reasrm.records.harmless_text import json_text
from reasrm.runtime.terminal import say, say_error, say_json

NOT_PUSHED = 75
"""As `EX_TEMPFAIL` of sysexits.h: the same command may do it later."""
NOT_KEPT = 76
"""A stage would have to run and may not."""
BUSY_SECONDS, BUSY_IS_SAID_SECONDS = 0.5, 10.0
"""Between two tries to look at outputs that another stage is writing; and after how long it is said who writes."""


def main() -> int:
    """Parse the command line and obey; returns the exit status."""
    parser = argparse.ArgumentParser(description="Bring a stage up to date, or hand stages over to the remote.")
    parser.add_argument("stages", nargs="+")
    for option in ("--force", "--pull", "--push", "--only-push", "--only-restore", "--describe"):
        parser.add_argument(option, action="store_true")
    parser.add_argument("--entries", type=Path)
    parser.add_argument("--take", metavar="VALUE")
    asked = parser.parse_args()
    change_dvc(pull=asked.pull)
    if asked.describe:
        say_json(json_text({name: describe(name) for name in asked.stages}))
        return 0
    if asked.only_push:
        return push(asked.stages)
    if asked.only_restore:
        if asked.entries is not None:
            adopt(json.loads(asked.entries.read_text(encoding="utf-8")))
        if asked.take is not None and not take(asked.stages[0], asked.take):
            return NOT_KEPT
        code = restore(asked.stages, pull=asked.pull, strict=bool(asked.entries or asked.take))
    else:
        (name,) = asked.stages
        forget_lost_outputs(name, pull=asked.pull)
        code = reproduce(name, force=asked.force, pull=asked.pull)
    return push(asked.stages) if code == 0 and asked.push else code


def reproduce(name: str, *, force: bool, pull: bool) -> int:
    """`dvc repro` of this stage alone; returns its exit status."""
    from dvc.cli import main as dvc

    options = [option for option, wanted in (("--force", force), ("--pull", pull and not force)) if wanted]
    return int(dvc(["--wait-for-lock", "repro", "--single-item", *options, name]))


def restore(names: list[str], *, pull: bool, strict: bool) -> int:
    """Take stages, parents first, from where they are kept; none is run, and the first that would gives `NOT_KEPT`.

    A stage that is up to date is only read: others that run here may be reading its outputs. Of one that is kept
    nowhere the present outputs stay, which DVC removes before it looks.

    Args:
        names: the stages.
        pull: whether the remote is a place.
        strict: take what dvc.lock names, and no other outputs of the same inputs.
    """
    from dvc.exceptions import DvcException
    from dvc.stage import Stage, run

    would_run: list[str] = []
    remove_outs = Stage.remove_outs

    def refuse(stage: Any, *_: Any, **__: Any) -> None:
        would_run.append(stage.addressing)
        raise DvcException(f"{stage.addressing} is kept nowhere")

    def remove_if_kept(stage: Any, *arguments: Any, **options: Any) -> None:
        if not can_be_restored(stage, pull=pull):
            refuse(stage)
        remove_outs(stage, *arguments, **options)

    run.cmd_run, Stage.remove_outs = refuse, remove_if_kept
    for name in names:
        if not is_changed(name):
            continue
        if not strict:
            forget_lost_outputs(name, pull=pull)
        if code := reproduce(name, force=False, pull=pull):
            return NOT_KEPT if would_run else code
    return 0


def is_changed(name: str) -> bool:
    """Whether a stage is out of date or lacks outputs; waits for whoever writes them now."""
    return bool(_of_stage(name, lambda stage: stage.changed()))


def describe(name: str) -> dict[str, Any]:
    """What another machine has to know of a stage.

    `key`, under which the run cache has it: a hash of its command, what it reads and its parameters, as they stand in
    the working folder now. `entry`, that of dvc.lock (None before it has run), and `value`, its name in the run cache.
    """
    from dvc.stage.cache import _get_cache_hash, _get_stage_hash
    from dvc.stage.serialize import to_single_stage_lockfile

    def described(stage: Any) -> dict[str, Any]:
        entry = to_single_stage_lockfile(stage) if all(out.hash_info for out in stage.outs) else None
        stage.save_deps(allow_missing=True)
        value = None if entry is None else _get_cache_hash(entry)
        return {"key": _get_stage_hash(stage), "entry": entry, "value": value}

    return dict(_of_stage(name, described))


def adopt(entries: dict[str, Any]) -> None:
    """Let dvc.lock name these outputs of stages, by their entries."""
    from dvc.utils.serialize import modify_yaml

    with _project() as repo, repo.lock, modify_yaml("dvc.lock") as document:
        document.setdefault("schema", "2.0")
        stages = document.setdefault("stages", {})
        for name, entry in entries.items():
            if stages.get(name) != entry:
                stages[name] = entry


def take(name: str, value: str) -> bool:
    """Let dvc.lock name what the entry `value` of the run cache names, if the remote has it for the present inputs."""
    from dvc.stage.cache import _get_stage_hash

    def entry(stage: Any) -> Any:
        stage.save_deps()
        stage.repo.stage_cache.pull(None)
        return stage.repo.stage_cache._load_cache(_get_stage_hash(stage), value)

    found = _of_stage(name, entry)
    if found:
        adopt({name: found})
    return bool(found)


def forget_lost_outputs(name: str, *, pull: bool) -> None:
    """Remove the stage's entry of dvc.lock if its inputs are the present ones and its outputs are nowhere.

    Args:
        name: the stage.
        pull: whether the remote counts as a place.
    """

    def forget(stage: Any) -> None:
        entry_holds = not stage.changed(allow_missing=True)
        if entry_holds and stage.changed() and not is_kept(stage.repo, stage, pull=pull):
            stage.dvcfile._lockfile.remove_stage(stage)

    _of_stage(name, forget)


def push(names: list[str]) -> int:
    """Hand the stages' outputs over to the remote, then their entries of the run cache; says why if it cannot be."""
    try:
        with _project() as repo:
            repo.push(targets=names)
            with repo.lock:
                for name in names:
                    _push_entry(repo, repo.stage.get_target(name))
    except Exception as error:  # noqa: BLE001  any: of DVC, fsspec, boto, the system
        say_error("not pushed", f"{type(error).__name__}: {' '.join(str(error).split())}")
        return NOT_PUSHED
    return 0


def _push_entry(repo: Any, stage: Any) -> None:
    """Copy the entry of the run cache that leads to the stage's outputs, unless the remote has it."""
    from dvc import fs
    from dvc.stage.cache import _can_hash, _get_cache_hash, _get_stage_hash
    from dvc.stage.serialize import to_single_stage_lockfile

    if not _can_hash(stage):  # without inputs, say: DVC keeps no entry of it
        return
    key, value = _get_stage_hash(stage), _get_cache_hash(to_single_stage_lockfile(stage))
    here, there = repo.cache.legacy, repo.cloud.get_remote_odb(None, "push", hash_name="md5-dos2unix")
    source, target = entry_path(here, key, value), entry_path(there, key, value)
    if here.fs.exists(source) and not there.fs.exists(target):
        fs.generic.copy(here.fs, source, there.fs, target)


def _of_stage(name: str, read: Callable[[Any], Any]) -> Any:
    """What `read` says of a stage; while somebody writes what it looks at, it is asked again."""
    from dvc.lock import LockError

    start, said = time.monotonic(), False
    while True:
        try:
            with _project() as repo, repo.lock:
                remove_torn_rwlock(repo)
                return read(repo.stage.get_target(name))
        except LockError as busy:  # of an output that is being written; the repository's own lock is waited for
            if not said and time.monotonic() - start > BUSY_IS_SAID_SECONDS:
                said = True
                say(f"{name} waits: {' '.join(str(busy).split())}")
            time.sleep(BUSY_SECONDS)


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
