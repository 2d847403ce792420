"""A night's data and DVC's remote: what others ran comes first, what was run goes there before the commit names it."""

from contextlib import chdir
from pathlib import Path

from flows.running.stage_outcome import FlowError


def fetch_runs(root: Path, last_night: str | None) -> str:
    """Fetch the run cache, and what the present dvc.lock and the last night's name; returns what to tell.

    Outputs that the remote lacks are no failure: their stages are restored from other runs, or run.

    Args:
        root: the project.
        last_night: the commit of it, if there was one; with its outputs the run cache can restore in a fresh clone.

    Raises:
        FlowError: the remote does not answer.
    """
    from dvc.exceptions import DownloadError, DvcException
    from dvc.repo import Repo

    try:
        with chdir(root), Repo(str(root), _wait_for_lock=True) as repo:
            number = repo.fetch(run_cache=True, workspace=True, revs=[last_night] if last_night else None)
    except DownloadError as error:
        return f"fetched from DVC's remote; {error.amount} objects that dvc.lock or the run cache names are not there"
    except (DvcException, OSError) as error:
        raise FlowError(_refused("fetch", error)) from error
    return f"fetched {number} objects from DVC's remote"


def push_runs(root: Path) -> str:
    """Push the run cache and the outputs that dvc.lock names; returns what to tell.

    Raises:
        FlowError: the remote does not take all of them.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with chdir(root), Repo(str(root), _wait_for_lock=True) as repo:
            number = repo.push(run_cache=True)
    except (DvcException, OSError) as error:
        raise FlowError(_refused("push", error)) from error
    return f"pushed {number} objects to DVC's remote"


def _refused(what: str, error: Exception) -> str:
    said = " ".join(str(error).split())
    return f"`dvc {what} --run-cache` fails: {said}; set the remote right (`dvc remote list`), then the same again"
