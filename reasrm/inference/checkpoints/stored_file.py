"""A file of a checkpoint that stands in for another: an empty one, a pointer, a web page, a link to nothing."""

from pathlib import Path

LFS_POINTER = b"version https://git-lfs.github.com/spec/"
"""What Git stores in place of a large file (git-lfs, docs/spec.md)."""
WEB_PAGE = (b"<!doctype html", b"<html")
HEAD = 512
"""Bytes that tell."""
FINGERPRINT_EXEMPT = "it only says why a file cannot be what its name says"
WAY_OUT = "get the whole checkpoint, for instance by `hf download NAME --local-dir FOLDER`"


def fault_of(file: Path) -> str:
    """Why `file` cannot be what its name says, in words that follow its name; empty if nothing speaks against it."""
    if file.is_symlink() and not file.exists():
        return f"is a link to {file.readlink()}, which is not there: copy the files themselves (`cp -L`)"
    try:
        with file.open("rb") as opened:
            head = opened.read(HEAD)
    except OSError as error:
        return f"cannot be opened ({error.strerror})"
    if not head:
        return "is empty"
    if head.startswith(LFS_POINTER):
        return "is a Git LFS pointer, not the file itself: `git lfs pull` where it was cloned fetches it"
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(WEB_PAGE):
        return "is a web page that was saved in place of the file"
    return ""
