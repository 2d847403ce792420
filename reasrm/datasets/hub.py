"""Data sets from the hub and from git, at revisions that are resolved once and written down.

The first download of a data set takes the newest commit and writes its full hash to a file under `revisions/`, which is
committed; every later download takes that commit. So a data set that changes upstream changes nothing here until
someone deletes its line.
"""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reasrm.datasets.row_files import RowInFile, rows_of
from reasrm.runtime.outputs import write_json
from reasrm.runtime.stage_main import StageError

DOWNLOADS = Path("work/downloads")
"""Clones of git repositories; the hub's files stay in the hub's own cache."""


@dataclass(frozen=True)
class HubData:
    """A data set of the hub."""

    repo: str
    patterns: tuple[str, ...]
    """The files that hold the rows."""


@dataclass(frozen=True)
class GitData:
    """A data set in a git repository."""

    url: str
    commit: str
    """The commit that was looked at when this was written; taken if none is written down."""
    patterns: tuple[str, ...]


def download(source: HubData | GitData, revisions: Path) -> Iterator[RowInFile]:
    """The rows of a data set at the revision in the file `revisions`, which is completed if it is not in there.

    Raises:
        StageError: it cannot be had, or no file of it matches.
    """
    folder = _from_hub(source, revisions) if isinstance(source, HubData) else _from_git(source, revisions)
    files = sorted({file for pattern in source.patterns for file in folder.glob(pattern) if file.is_file()})
    if not files:
        raise StageError(
            f"{source} has no file {' or '.join(source.patterns)}: its layout changed; use `source: files`"
        )
    for file in files:
        yield from rows_of(file, file.relative_to(folder).as_posix())


def _from_hub(source: HubData, revisions: Path) -> Path:
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    written = read_revisions(revisions).get(source.repo)
    try:
        folder = Path(
            snapshot_download(
                source.repo,
                repo_type="dataset",
                revision=written or "main",
                allow_patterns=list(source.patterns),
                local_files_only=constants.HF_HUB_OFFLINE,
            )
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise StageError(
            f"cannot get {source.repo} from the hub ({type(error).__name__}: {' '.join(str(error).split())[:300]}); "
            f"check the network and HF_TOKEN, or use `source: files`"
        ) from error
    if written is None:
        write_revision(revisions, source.repo, folder.name)
    return folder


def _from_git(source: GitData, revisions: Path) -> Path:
    commit = read_revisions(revisions).get(source.url, source.commit)
    folder = DOWNLOADS / f"{source.url.rstrip('/').rsplit('/', 1)[-1]}-{commit[:12]}"
    if not (folder / ".complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for step in (("init", "--quiet"), ("fetch", "--quiet", "--depth", "1", source.url, commit)):
            _git(folder, source.url, *step)
        _git(folder, source.url, "checkout", "--quiet", "--detach", "FETCH_HEAD")
        (folder / ".complete").touch()
    write_revision(revisions, source.url, commit)
    return folder


def _git(folder: Path, url: str, *arguments: str) -> None:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise StageError(
            f"cannot get {url}: git {arguments[0]} says {done.stderr.strip()[:300]!r}; or use `source: files`"
        )


def read_revisions(file: Path) -> dict[str, str]:
    """Data set to full commit hash; empty if the file is not there."""
    if not file.exists():
        return {}
    revisions: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return revisions


def write_revision(file: Path, name: str, commit: str) -> None:
    """Write down the commit of one data set."""
    revisions = read_revisions(file)
    if revisions.get(name) != commit:
        write_json(file, {**revisions, name: commit})
