"""Data sets from the hub and from git, at revisions that are resolved once and written down.

The first download of a data set takes the newest commit and writes its full hash to a file under `revisions/`, which is
committed, with the licence that its card states there; every later download takes that commit. So a data set that
changes upstream changes nothing here until someone deletes its line. A line may be written by hand, too:
`"owner/name": "<full hash>"`.
"""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reasrm.datasets.origins import NOT_KNOWN, NOT_STATED, DataOrigin
from reasrm.datasets.row_files import RowInFile, rows_of
from reasrm.records.harmless_text import harmless, one_line
from reasrm.records.json_parsing import NotJsonError, parse_json
from reasrm.runtime.kept_folders import WORK
from reasrm.runtime.outputs import write_json
from reasrm.runtime.stage_main import StageError
from reasrm.runtime.yaml_files import YamlError, parse_yaml

DOWNLOADS = WORK / "downloads"
"""Clones of git repositories; the hub's files stay in the hub's own cache."""
CARD = "README.md"
LONGEST_LICENCE = 100
"""Characters of its name."""
_HEAD = re.compile(r"\A\s*---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
"""The YAML at the beginning of a card."""
_FULL_HASH = re.compile(r"[0-9a-f]{40}")


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


def origin(source: HubData | GitData, revisions: Path) -> DataOrigin:
    """Revision and licence of a data set that has been downloaded, from the file `revisions`."""
    name = source.repo if isinstance(source, HubData) else source.url
    entry = _entries(revisions).get(name, {})
    return DataOrigin(name=name, revision=entry.get("revision", NOT_KNOWN), licence=entry.get("licence") or NOT_KNOWN)


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
                allow_patterns=[*source.patterns, CARD],
                local_files_only=constants.HF_HUB_OFFLINE,
            )
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        at = (
            f"at revision {written}" if written else f"({revisions} has no revision of it, so the newest was asked for)"
        )
        raise StageError(
            f"cannot get {source.repo} {at} from the hub ({type(error).__name__}: "
            f"{' '.join(str(error).split())[:300]}); check the network and HF_TOKEN; without a network, download it "
            f'elsewhere into the cache that HF_HOME names and write `"{source.repo}": "<its full hash>"` into '
            f"{revisions}, or use `source: files`"
        ) from error
    write_revision(revisions, source.repo, folder.name, licence_of_card(folder / CARD))
    return folder


def licence_of_card(card: Path) -> str:
    """What the head of a hub's card says of the licence; `not stated` if nothing, `not known` if there is no card."""
    if not card.is_file():
        return NOT_KNOWN
    written = _HEAD.match(card.read_text(encoding="utf-8", errors="replace"))
    try:
        head = parse_yaml(written.group(1), card) if written else None
    except YamlError:
        head = None
    if not isinstance(head, dict):
        return NOT_STATED
    named = [head.get("license"), head.get("license_name")]
    said = [text for one in named for text in (one if isinstance(one, list) else [one]) if isinstance(text, str)]
    return _shown(", ".join(dict.fromkeys(said))) or NOT_STATED


def _from_git(source: GitData, revisions: Path) -> Path:
    commit = read_revisions(revisions).get(source.url, source.commit)
    folder = DOWNLOADS / f"{source.url.rstrip('/').rsplit('/', 1)[-1]}-{commit[:12]}"
    if not (folder / ".complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for step in (("init", "--quiet"), ("fetch", "--quiet", "--depth", "1", source.url, commit)):
            _git(folder, source.url, *step)
        _git(folder, source.url, "checkout", "--quiet", "--detach", "FETCH_HEAD")
        (folder / ".complete").touch()
    licences = sorted(file.name for file in folder.iterdir() if file.name.upper().startswith(("LICENSE", "LICENCE")))
    write_revision(revisions, source.url, commit, f"its file {licences[0]}" if licences else NOT_STATED)
    return folder


def _git(folder: Path, url: str, *arguments: str) -> None:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise StageError(
            f"cannot get {url}: git {arguments[0]} says {done.stderr.strip()[:300]!r}; or use `source: files`"
        )


def read_revisions(file: Path) -> dict[str, str]:
    """Data set to full commit hash; empty if the file is not there.

    Raises:
        StageError: an entry is no full hash; says which.
    """
    return {name: entry["revision"] for name, entry in _entries(file).items()}


def write_revision(file: Path, name: str, commit: str, licence: str) -> None:
    """Write down the commit of one data set and the licence that it states there; what is known of it stays."""
    entries = _entries(file)
    known = entries.get(name, {})
    if licence == NOT_KNOWN and known.get("revision") == commit:
        licence = known.get("licence", NOT_KNOWN)
    entry = {"revision": commit, "licence": licence}
    if entries.get(name) != entry:
        write_json(file, {**entries, name: entry})


def _entries(file: Path) -> dict[str, dict[str, str]]:
    if not file.exists():
        return {}
    try:
        document = parse_json(file.read_bytes())
    except NotJsonError as error:
        raise StageError(f"{file}: {error}") from error
    if not isinstance(document, dict):
        raise StageError(f"{file}: must be an object of data sets and their revisions")
    return {str(name): _entry(file, name, value) for name, value in document.items()}


def _entry(file: Path, name: str, value: Any) -> dict[str, str]:
    entry = {"revision": value} if isinstance(value, str) else value
    revision = entry.get("revision") if isinstance(entry, dict) else None
    if not isinstance(revision, str) or not _FULL_HASH.fullmatch(revision):
        raise StageError(
            f"{file}: `{name}` must name a full commit hash (40 hex digits), it is {str(value)[:80]!r}; a tag or a "
            f"short hash may change what it means"
        )
    licence = entry.get("licence")
    return {"revision": revision} | ({"licence": _shown(licence)} if isinstance(licence, str) else {})


def _shown(licence: str) -> str:
    """A licence's name as others may have written it, fit to be shown anywhere."""
    return one_line(harmless(licence), LONGEST_LICENCE)
