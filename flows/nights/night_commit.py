"""The commit and the tag of a night, on a branch of its own: the checked-out branch, its index and its files stay.

The commit's tree is that of the present commit with the night's dvc.lock and pointer, made in an index of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from flows.git import changed_files, commit_of, git, is_ancestor, text_at
from flows.nights.champion import CHAMPION, Champion, champion_of, read_champion
from flows.running.stage_outcome import FlowError

TAG = "night-"
RAN = "Ran"
"""The trailer of a night's commit that names the commit which ran."""
NIGHTLY, ORIGIN = "nightly", "origin"
"""The branch and the remote of the nights, unless others are named."""


@dataclass(frozen=True)
class NightBranch:
    """Where the nights are committed."""

    root: Path
    name: str = NIGHTLY
    remote: str = ORIGIN
    """The git remote that it is pushed to and fetched from, if that is asked for."""

    @property
    def ref(self) -> str:
        """Its full name."""
        return f"refs/heads/{self.name}"

    @property
    def tip(self) -> str | None:
        """Its last commit in this clone; None if it has none."""
        return commit_of(self.root, self.ref)

    @property
    def fetched(self) -> str:
        """The full name of the remote's, as it was last fetched or pushed."""
        return f"refs/remotes/{self.remote}/{self.name}"

    @property
    def base(self) -> str | None:
        """The last night: of this clone, or of the remote where that goes on from it; None before the first night."""
        tip, fetched = self.tip, commit_of(self.root, self.fetched)
        if tip is None or fetched is None:
            return tip or fetched
        return fetched if is_ancestor(self.root, tip, fetched) else tip


def present_champion(branch: NightBranch) -> Champion | None:
    """The champion of the working tree or of the last night, whichever was promoted later.

    Raises:
        FlowError: a pointer cannot be read.
    """
    base = branch.base
    text = None if base is None else text_at(branch.root, base, CHAMPION)
    found = [
        read_champion(branch.root),
        champion_of(text, f"{base[:10]}:{CHAMPION}, of the last night") if base and text else None,
    ]
    return max((one for one in found if one), key=lambda one: one.since, default=None)


def commit_that_ran(root: Path, night: str) -> str:
    """The commit whose code a night ran, by its trailer; of a commit that is none of a night, that itself."""
    return git(root, "log", "-1", f"--format=%(trailers:key={RAN},valueonly)", night).strip() or night


def require_committable(branch: NightBranch, results: tuple[str, ...]) -> str:
    """The present commit, if a night on it can be committed: looked at before anything runs, and again after it.

    The last night's code must be in it: a night commits the tree that ran, and would take later files back without a
    word.

    Args:
        branch: the nights'.
        results: the tracked files that a run may change.

    Raises:
        FlowError: there is no commit, no identity, the branch is checked out, files are not as committed, or the commit
            lacks what the last night ran.
    """
    root, base = branch.root, branch.base
    head = require_as_committed(branch, results)
    if base is not None and not is_ancestor(root, ran := commit_that_ran(root, base), head):
        raise FlowError(
            f"the last commit of {branch.name}, {base[:10]}, holds the files of {ran[:10]}, which the present commit "
            f"{head[:10]} does not have, so a night would take them back: merge it (`git merge {ran[:10]}`), or name "
            f"another --branch"
        )
    return head


def require_as_committed(branch: NightBranch, results: tuple[str, ...]) -> str:
    """The present commit, if its files are those of the working tree and the branch may be moved.

    Raises:
        FlowError: there is no commit, no identity, the branch is checked out, or files are not as committed.
    """
    root = branch.root
    head = commit_of(root, "HEAD")
    if head is None:
        raise FlowError(f"{root} has no commit that a night could be based on: `git init`, `git add`, `git commit`")
    require_movable(branch)
    if changed := changed_files(root, results):
        raise FlowError(
            f"not as committed: {', '.join(changed)}. A night's commit must hold what it ran: commit them, or take "
            f"them back (`git restore`)"
        )
    return head


def require_movable(branch: NightBranch) -> None:
    """Do nothing if a commit can be put on the branch without moving what is checked out.

    Raises:
        FlowError: it has no name of a branch, git knows no identity, or it is checked out.
    """
    root = branch.root
    if git(root, "check-ref-format", "--branch", branch.name) != branch.name:
        raise FlowError(f"{branch.name} stands for another branch in git: name it itself")
    git(root, "var", "GIT_COMMITTER_IDENT")
    if f"branch {branch.ref}" in git(root, "worktree", "list", "--porcelain").splitlines():
        raise FlowError(
            f"the branch {branch.name} is checked out, and a night would move it under your feet: check out another, "
            f"or name another with --branch"
        )


def commit_night(root: Path, base: str | None, head: str, files: Mapping[str, bytes], message: str) -> str:
    """Make the night's commit; no branch has it yet. Without any change it is the last night's.

    Args:
        root: the project.
        base: the last night's commit, a parent; None before the first night.
        head: the commit that ran; the other parent, if the branch does not have it already.
        files: what is laid over its tree.
        message: the commit's.

    Raises:
        FlowError: git fails.
    """
    prefix = git(root, "rev-parse", "--show-prefix")
    with TemporaryDirectory() as folder:
        own = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
        git(root, "read-tree", head, environment=own)
        for name, content in files.items():
            (Path(folder) / "blob").write_bytes(content)
            blob = git(root, "hash-object", "-w", "--no-filters", str(Path(folder, "blob")))
            git(root, "update-index", "--add", "--cacheinfo", f"100644,{blob},{prefix}{name}", environment=own)
        tree = git(root, "write-tree", environment=own)
    parents = [head] if base is None else git(root, "merge-base", "--independent", base, head).splitlines()
    if len(parents) == 1 and tree == git(root, "rev-parse", f"{parents[0]}^{{tree}}"):
        return parents[0]
    ran = commit_that_ran(root, base) if base == head else head
    text = f"{message.rstrip()}\n\n{RAN}: {ran}\n"
    return git(root, "commit-tree", tree, *(f"-p{one}" for one in parents), "-F", "-", stdin=text)


def free_tag(branch: NightBranch, day: str, *, push: bool, prefix: str = TAG) -> str:
    """`night-<day>`, or with `-2`, `-3`, ... if that is taken here or, for a push, in the remote.

    Raises:
        FlowError: the remote does not answer.
    """
    taken = git(branch.root, "tag", "--list", f"{prefix}{day}*").splitlines()
    if push:
        listed = git(branch.root, "ls-remote", "--tags", "--refs", branch.remote, f"{prefix}{day}*")
        taken += [line.rpartition("/")[2] for line in listed.splitlines()]
    names = (f"{prefix}{day}{further}" for further in ("", *(f"-{number}" for number in range(2, len(taken) + 3))))
    return next(name for name in names if name not in taken)


def push_night(branch: NightBranch, commit: str, tag: str) -> None:
    """Push the commit as branch and tag, both or neither; before they exist here.

    Raises:
        FlowError: the remote refuses.
    """
    refs = (f"{commit}:{branch.ref}", f"{commit}:refs/tags/{tag}")
    git(branch.root, "push", "--quiet", "--atomic", branch.remote, *refs)


def set_refs(branch: NightBranch, tip: str | None, commit: str, tag: str | None) -> None:
    """Move the branch from `tip` to `commit` and create the tag, if any, both or neither.

    Raises:
        FlowError: somebody moved the branch meanwhile, or made the tag.
    """
    move = f"create {branch.ref} {commit}" if tip is None else f"update {branch.ref} {commit} {tip}"
    tagged = [f"create refs/tags/{tag} {commit}"] if tag else []
    lines = ("start", move, *tagged, "prepare", "commit", "")
    log = ("-m", f"reasrm: {tag or 'another champion'}", "--create-reflog")
    git(branch.root, "update-ref", *log, "--stdin", stdin="\n".join(lines))
