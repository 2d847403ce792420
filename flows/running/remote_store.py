"""DVC's default remote as a run uses it: whether it can be read, and what is handed over at the end."""

from collections.abc import Iterable
from contextlib import chdir
from pathlib import Path

from flows.running.stage_outcome import FlowError
from flows.running.stage_process import REPRODUCE, StageProcesses, stage_environment


def require_remote(root: Path) -> str:
    """The name of the project's default remote, which can be read; empty where there is none.

    Raises:
        FlowError: it cannot be read, so that it is unknown what it holds: what another machine made would be made anew.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    with chdir(root), Repo(str(root)) as repo:
        name = str(repo.config["core"].get("remote") or "")
        if not name:
            return ""
        way_out = f"make it reachable, or leave it out with `reasrm run --no-pull` (`dvc remote list` shows {name})"
        try:
            remote = repo.cloud.get_remote(name)
            there = remote.fs.exists(remote.path)
        except (DvcException, OSError, ImportError) as error:
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
    process = processes.start([*REPRODUCE, "--only-push", *names], root, stage_environment())
    if process is None:
        return "the run was ended before"
    assert process.stdout is not None
    said = process.stdout.read()  # its stdin stays open: it ends when that closes
    process.wait()
    processes.forget(process)
    if process.returncode == 0:
        return ""
    lines = [line for line in said.splitlines() if line.strip()] or [f"it ended with status {process.returncode}"]
    return lines[-1].removeprefix("not pushed: ")
