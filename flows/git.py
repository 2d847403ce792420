"""Git by its own commands, refused in one line; no editor, no question asked."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from flows.running.stage_outcome import FlowError
from reasrm.records.harmless_text import harmless

QUIET = {"GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true"}


def git(root: Path, *words: str, stdin: str = "", environment: Mapping[str, str] | None = None) -> str:
    """Run git in `root`; returns what it prints, without the last line end.

    Raises:
        FlowError: there is no git, or it fails; the message has its own last words.
    """
    try:
        done = subprocess.run(
            ["git", *words],
            cwd=root,
            input=stdin,
            env={**os.environ, **QUIET, **(environment or {})},
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except FileNotFoundError as error:
        raise FlowError(f"git is not installed, which `git {words[0]}` needs") from error
    if done.returncode:
        said = " ".join(harmless(done.stderr).split()) or f"exit status {done.returncode}"
        raise FlowError(f"`git {' '.join(words)}` fails in {root}: {said}")
    return done.stdout.removesuffix("\n")


def commit_of(root: Path, ref: str) -> str | None:
    """The commit that `ref` means; None if there is none, or no git."""
    try:
        return git(root, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    except FlowError:
        return None


def is_ancestor(root: Path, old: str, new: str) -> bool:
    """Whether `new` is `old` or goes on from it."""
    return git(root, "rev-list", "--count", old, f"^{new}") == "0"


def text_at(root: Path, commit: str, path: str) -> str | None:
    """The text of a file in a commit; None if it is not there."""
    if not git(root, "ls-tree", "--name-only", commit, "--", path):
        return None
    return git(root, "show", f"{commit}:./{path}") + "\n"


def changed_files(root: Path, but: tuple[str, ...] = ()) -> list[str]:
    """The project's tracked files that are not as in the present commit, without those named in `but`."""
    found = git(root, "diff", "--name-only", "--relative", "--no-ext-diff", "-z", "HEAD", "--", ".").split("\0")
    return [name for name in found if name and name not in but]
