"""What a night takes from git's remote first: the nights of other clones, and new commits of what is checked out."""

from collections.abc import Mapping

from flows.git import changed_files, git, is_ancestor, text_at
from flows.nights.champion import CHAMPION
from flows.nights.night_commit import NightBranch, present_champion
from flows.running.stage_outcome import FlowError
from reasrm.runtime.outputs import write_text


def fetch_nights(branch: NightBranch) -> None:
    """Fetch the remote's nights, so that the next one goes on from them; this clone's branch stays.

    Raises:
        FlowError: the remote does not answer, or its nights and those of this clone went apart.
    """
    root, tip = branch.root, branch.tip
    if not git(root, "ls-remote", "--heads", branch.remote, branch.ref):
        return
    git(root, "fetch", "--quiet", branch.remote, f"+{branch.ref}:{branch.fetched}")
    if tip and not is_ancestor(root, tip, branch.fetched) and not is_ancestor(root, branch.fetched, tip):
        theirs = f"{branch.remote}/{branch.name}"
        raise FlowError(
            f"the nights of this clone ({branch.name}) and of the remote ({theirs}) went apart: `git branch --force "
            f"{branch.name} {theirs}` goes on from the remote's, and tags keep what was here; or name another --branch"
        )


def pull_results(branch: NightBranch, results: tuple[str, ...]) -> None:
    """Fast-forward the checked-out branch, with what a run writes in the way; the champion's pointer stays.

    Args:
        branch: the nights'.
        results: the tracked files that a run writes.

    Raises:
        FlowError: as `pull`.
    """
    pointer = branch.root / CHAMPION
    had_pointer = pointer.is_file()
    pull(branch, {name: _is_in_night(branch, name) for name in results})
    if had_pointer and (champion := present_champion(branch)) is not None:
        write_text(pointer, champion.text())


def _is_in_night(branch: NightBranch, name: str) -> bool:
    """Whether a file is as the last night committed it, so that it can be taken back without loss."""
    base, path = branch.base, branch.root / name
    if base is None or not path.is_file() or (text := text_at(branch.root, base, name)) is None:
        return False
    return text.encode() == path.read_bytes()


def pull(branch: NightBranch, results: Mapping[str, bool]) -> None:
    """Fast-forward the checked-out branch to its remote's; nothing is merged.

    A run changes dvc.lock, which would be in the way: what the nights' branch holds of it is taken back first, and a
    run restores it from DVC's run cache.

    Args:
        branch: the nights'.
        results: the files that a run writes, each with whether it may be taken back.

    Raises:
        FlowError: the branch cannot be fast-forwarded, or what is in the way is committed nowhere; all is as it was.
    """
    root = branch.root
    git(root, "fetch", "--quiet", branch.remote)
    upstream = git(root, "rev-parse", "--abbrev-ref", "@{upstream}")
    if is_ancestor(root, upstream, "HEAD"):
        return
    if not is_ancestor(root, "HEAD", upstream):
        raise FlowError(f"the checked-out branch and {upstream} went apart: `git rebase {upstream}`, or push it first")
    in_the_way = _in_the_way(branch, upstream, results)
    if lost := [name for name in in_the_way if not results.get(name, False)]:
        raise FlowError(
            f"{', '.join(lost)}: not as committed, nor as the last night on {branch.name} has it, so `git pull` would "
            f"lose it: commit it or take it back (`git restore`)"
        )
    contents = {name: (root / name).read_bytes() for name in in_the_way if (root / name).is_file()}
    for name in in_the_way:
        if text_at(root, "HEAD", name) is None:
            git(root, "rm", "--quiet", "--cached", "--ignore-unmatch", "--", name)
            (root / name).unlink()
        else:
            git(root, "restore", "--source=HEAD", "--staged", "--worktree", "--", name)
    try:
        git(root, "merge", "--quiet", "--ff-only", upstream)
    except FlowError:
        for name, content in contents.items():
            (root / name).write_bytes(content)
        raise


def _in_the_way(branch: NightBranch, upstream: str, results: Mapping[str, bool]) -> list[str]:
    """Files that differ from the present commit, or that it does not have and `upstream` brings."""
    root = branch.root
    new = (name for name in results if (root / name).exists() and text_at(root, "HEAD", name) is None)
    return [*changed_files(root), *(name for name in new if text_at(root, upstream, name) is not None)]
