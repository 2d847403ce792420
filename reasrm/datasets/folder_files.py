"""The files below a folder: those that rows can be read from, and for each other one why not.

Every file has its line in the account. Links to files are read; links to folders are not followed: DVC does not see
what is behind them, so a change there would rerun nothing. (The folder that is asked for may be one.) Hidden files and
folders are companions of something else (`._a.jsonl` of macOS, `.ipynb_checkpoints`, locks of editors).
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

LFS_POINTER = b"version https://git-lfs.github.com/spec/"
COMPANIONS = (".", "~$")
"""How names of hidden files and of locks begin."""


class FolderFile(NamedTuple):
    """A file as it was found."""

    path: Path
    name: str
    """Relative to the folder, in printable characters; records and messages have this."""
    why_not: str = ""
    """Why nothing can be read from it; empty if something can."""


def files_below(folder: Path, part: str = "") -> list[FolderFile]:
    """All files below `part` of `folder`, in a fixed order; links to folders and unreadable folders are among them."""
    found = [FolderFile(path, printable(path.relative_to(folder)), why_not) for path, why_not in _walk(folder / part)]
    return sorted(found, key=lambda file: file.path)


def printable(path: Path) -> str:
    """A path as text that can be written and shown, whatever bytes its names hold."""
    return printable_text(os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace"))


def printable_text(text: str) -> str:
    """A text whose control characters are written as escapes."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _walk(top: Path) -> Iterator[tuple[Path, str]]:
    unlisted: list[OSError] = []
    for place, folders, files in os.walk(top, onerror=unlisted.append):
        for name in list(folders):
            path = Path(place, name)
            if path.is_symlink():
                yield path, "a link to a folder, which is not followed: put the folder here, or links to its files"
            elif name.startswith(COMPANIONS):
                folders.remove(name)
                yield path, "a hidden folder"
        if not folders and not files and Path(place) != top and Path(place).suffix:
            yield Path(place), "an empty folder"
        for name in files:
            yield Path(place, name), _why_not(Path(place, name))
    for error in unlisted:
        if Path(error.filename) != top or top.exists():
            yield Path(error.filename), f"a folder that cannot be listed ({error.strerror})"


def _why_not(path: Path) -> str:
    if path.name.startswith(COMPANIONS):
        return "a hidden file"
    try:
        now = path.stat()
        if not stat.S_ISREG(now.st_mode):
            return "no regular file"
        if not now.st_size:
            return "empty"
        with path.open("rb") as file:
            pointer = file.read(len(LFS_POINTER)) == LFS_POINTER
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return "a pointer of Git LFS: `git lfs pull` gets the file" if pointer else ""
