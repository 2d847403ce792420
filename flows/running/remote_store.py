"""DVC's default remote as a run uses it: whether it can be read, what is taken from it, what is handed over."""

import time
from collections.abc import Iterable
from contextlib import chdir
from pathlib import Path

from flows.running.reproduce import NOT_KEPT
from flows.running.stage_outcome import FlowError, StageOutcome, StageRun
from flows.running.stage_process import NOT_PUSHED_LINE, REPRODUCE, StageProcesses, stage_environment
from flows.running.supervisor import ENDED
from reasrm.records.harmless_text import harmless


def has_remote(root: Path) -> bool:
    """Whether DVC has a default remote.

    Raises:
        FlowError: DVC's settings cannot be read.
    """
    from dvc.config import Config
    from dvc.exceptions import DvcException

    try:
        return bool(Config(str(root / ".dvc"))["core"].get("remote"))
    except DvcException as error:
        raise FlowError(f"{root}: DVC's settings cannot be read: {' '.join(str(error).split())}") from error


def require_remote(root: Path) -> str:
    """The name of the project's default remote, which can be read; empty where there is none.

    Raises:
        FlowError: it cannot be read, so that it is unknown what it holds: what another machine made would be made anew.
    """
    from dvc.repo import Repo

    with chdir(root), Repo(str(root)) as repo:
        name = str(repo.config["core"].get("remote") or "")
        if not name:
            return ""
        way_out = f"make it reachable, or leave it out with `reasrm run --no-pull` (`dvc remote list` shows {name})"
        try:
            remote = repo.cloud.get_remote(name)
            there = remote.fs.exists(remote.path)
        except Exception as error:  # any: of DVC, fsspec, boto, the system
            raise FlowError(f"DVC's remote {name} cannot be read: {' '.join(str(error).split())}: {way_out}") from error
        if not there and remote.fs.protocol == "local":
            raise FlowError(
                f"DVC's remote {name} is the folder {remote.path}, which is not there: mount it, make it (mkdir), or "
                f"leave it out with `reasrm run --no-pull`"
            )
    return name


def push_rest(root: Path, names: Iterable[str], processes: StageProcesses) -> str:
    """Hand over to the remote what it lacks of these stages; returns why it could not be, or nothing.

    Args:
        root: the project.
        names: stages that are up to date.
        processes: where the pushing process can be ended.
    """
    code, said = _reproduce(root, ["--only-push", *names], processes)
    return "" if code == 0 else said.removeprefix(NOT_PUSHED_LINE)


def restore(
    root: Path,
    names: Iterable[str],
    processes: StageProcesses,
    options: Iterable[str] = (),
) -> StageRun | None:
    """Have the outputs of stages here without running any; None if one would have to run.

    Args:
        root: the project, which has a remote.
        names: the stages, parents first.
        processes: where the restoring process can be ended.
        options: `--push`, `--entries`, `--take` of `reproduce.py`.
    """
    start = time.monotonic()
    code, said = _reproduce(root, ["--only-restore", "--pull", *options, *names], processes)
    if code == NOT_KEPT:
        return None
    outcome = StageOutcome.RESTORED if code == 0 else StageOutcome.FAILED
    return StageRun(StageOutcome.STOPPED if processes.ending else outcome, time.monotonic() - start, said)


def _reproduce(root: Path, arguments: list[str], processes: StageProcesses) -> tuple[int, str]:
    """Run `reproduce.py` to its end; gives its exit status, and its last line if it failed."""
    process = processes.start([*REPRODUCE, *arguments], root, stage_environment())
    if process is None:
        return ENDED, "the run was ended before"
    assert process.stdout is not None
    said = process.stdout.read()  # its stdin stays open: it ends when that closes
    code = process.wait()
    processes.forget(process)
    lines = [line for line in said.splitlines() if line.strip()] or [f"it ended with status {code}"]
    return code, "" if code == 0 else harmless(lines[-1])
