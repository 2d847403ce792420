"""Where paid replies and unfinished trainings are kept: in the checkout, unless the environment names other places.

`REASRM_LEDGERS` holds the paid replies of all clones that have it set, `REASRM_WORK` the folders from which killed
trainings go on; both are absolute paths, on storage that the machines share, say. Without the first, an experiment of
DVC's (`dvc exp run --queue` or `--temp`), whose checkout lies below the project's `.dvc/tmp/exps/` and ends with it,
keeps paid replies in that project's `ledgers/`. Replies of models that run here cost nothing: they stay in the
checkout, so that two experiments may judge at the same time.
"""

import os
from pathlib import Path

from reasrm.runtime.stage_main import ExitCode, StageError

FINGERPRINT_EXEMPT = "it says where replies and unfinished trainings are kept, which changes no byte of an output"
LEDGERS_VARIABLE = "REASRM_LEDGERS"
WORK_VARIABLE = "REASRM_WORK"
WORK = Path("work")
"""In a checkout: what its own commands write beside DVC's outputs. Locks, logs and live curves are always here."""
LEDGERS = Path("ledgers")
"""In a checkout."""
EXPERIMENTS = (".dvc", "tmp", "exps")
"""Below a project: where DVC lays the checkouts of experiments."""


class KeptFolderError(StageError):
    """A variable does not name a folder by an absolute path; says which, and what it holds."""

    exit_code = ExitCode.USAGE


def ledger_file(name: str, *, paid: bool, checkout: Path = Path()) -> Path:
    """The file of the ledger `name` of a checkout.

    Args:
        name: of the stage, with its variant.
        paid: whether its replies cost money, so that every checkout takes them from one place.
        checkout: the project's folder; the working folder, in a stage.

    Raises:
        KeptFolderError: the environment names a relative path.
    """
    return (ledgers_folder(checkout) if paid else checkout / LEDGERS) / f"{name}.jsonl"


def ledgers_folder(checkout: Path = Path()) -> Path:
    """Where paid replies are kept for a checkout; relative if that is its own `ledgers/` and `checkout` is relative.

    Raises:
        KeptFolderError: REASRM_LEDGERS is a relative path.
    """
    named = _named(LEDGERS_VARIABLE)
    if named is not None:
        return named
    project = project_of_experiment(checkout)
    return (checkout if project is None else project) / LEDGERS


def resume_root() -> Path:
    """Below which folder trainings keep what a killed run goes on from: REASRM_WORK, or the checkout's `work/`.

    Raises:
        KeptFolderError: REASRM_WORK is a relative path.
    """
    return _named(WORK_VARIABLE) or WORK


def require_kept_folders(checkout: Path) -> None:
    """Make sure that the environment names folders that mean the same everywhere, before anything runs.

    Raises:
        KeptFolderError: it does not.
    """
    ledgers_folder(checkout)
    resume_root()


def shares_work() -> bool:
    """Whether other checkouts may keep unfinished trainings in the same place."""
    return _named(WORK_VARIABLE) is not None


def project_of_experiment(checkout: Path = Path()) -> Path | None:
    """The project that runs the experiment whose checkout this is, or lies in; None if it is of no experiment."""
    parts = checkout.resolve().parts
    for place in range(1, len(parts) - len(EXPERIMENTS)):
        if parts[place : place + len(EXPERIMENTS)] == EXPERIMENTS:
            return Path(*parts[:place])
    return None


def _named(variable: str) -> Path | None:
    value = os.environ.get(variable, "")
    if not value:
        return None
    path = Path(value)
    if not path.is_absolute():
        raise KeptFolderError(
            f"{variable} is {value!r}, a relative path, which would mean another folder in each checkout: give an "
            f"absolute one (`export {variable}={path.absolute()}`), or unset it"
        )
    return path
