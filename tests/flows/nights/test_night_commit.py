"""The commit of a night by real git: its tree, its parents, its tag, and that what is checked out stays."""

from pathlib import Path

import pytest

from flows.nights.champion import CHAMPION, Champion, JudgedModel, champion_of, read_champion
from flows.nights.night_commit import (
    NightBranch,
    commit_night,
    commit_that_ran,
    free_tag,
    present_champion,
    push_night,
    require_committable,
    set_refs,
)
from flows.nights.promotion import require_champions
from flows.nights.pulling import fetch_nights, pull, pull_results
from flows.nights.reinstating import reinstate
from flows.nights.stored_outputs import StoredOutput
from flows.running.stage_outcome import FlowError
from tests.flows.toy_nights import git

MD5 = {"j": 32 * "1", "b": 32 * "2"}


def pointer(model: str, day: int | str = 1) -> str:
    """A champion's pointer, promoted on that day."""
    stored = {name: {"path": path, "md5": MD5[path]} for name, path in (("judgments", "j"), ("benchmarks", "b"))}
    document = {"version": 1, "model": model, "promoted": f"2026-01-0{day}T00:00:00Z", "checkpoint": None, **stored}
    return Champion(document).text()


@pytest.fixture
def branch(tmp_path: Path) -> NightBranch:
    """The nights of a project that lies in a folder of its repository, with a remote."""
    root = tmp_path / "repository/in here"
    root.mkdir(parents=True)
    git(root.parent, "init", "-q", "-b", "main")
    git(root, "config", "user.name", "t")
    git(root, "config", "user.email", "t@example.org")
    (root / "dvc.lock").write_text("old\n")
    (root / "code.py").write_text("x\n")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "project")
    git(tmp_path, "init", "-q", "--bare", "remote")
    git(root, "remote", "add", "origin", str(tmp_path / "remote"))
    return NightBranch(root)


def hold(branch: NightBranch, day: str, lock: str) -> tuple[str, str]:
    """Commit and tag a night; returns tag and commit."""
    head, tip = require_committable(branch, ("dvc.lock",)), branch.tip
    tag = free_tag(branch, day, push=False)
    commit = commit_night(branch.root, branch.base, head, {"dvc.lock": lock.encode()}, f"{tag}\n")
    set_refs(branch, tip, commit, tag)
    return tag, commit


def test_nights_follow_each_other_and_take_in_what_is_checked_out(branch: NightBranch) -> None:
    root = branch.root
    (root / "dvc.lock").write_text("from a run\n")
    seen = git(root, "status", "--porcelain"), git(root, "ls-files", "--stage"), git(root, "rev-parse", "HEAD")
    first, second = hold(branch, "2026-01-01", "1\n"), hold(branch, "2026-01-01", "2\n")
    assert (first[0], second[0]) == ("night-2026-01-01", "night-2026-01-01-2")
    assert (
        git(root, "status", "--porcelain"),
        git(root, "ls-files", "--stage"),
        git(root, "rev-parse", "HEAD"),
    ) == seen
    assert git(root, "show", "night-2026-01-01-2:./dvc.lock") == "2"
    assert git(root, "diff", "--name-only", "main", "nightly") == "in here/dvc.lock"
    assert git(root, "rev-parse", "nightly^@").split() == [first[1]]

    (root / "dvc.lock").write_text("old\n")
    (root / "code.py").write_text("y\n")
    git(root, "commit", "-q", "-m", "code", "code.py")
    third = hold(branch, "2026-01-02", "2\n")
    assert git(root, "rev-parse", "nightly^@").split() == [second[1], git(root, "rev-parse", "main")]
    assert git(root, "show", "nightly:./code.py") == "y"
    assert hold(branch, "2026-01-03", "2\n") == ("night-2026-01-03", third[1]), "without a change there is no commit"


def test_a_branch_that_moved_meanwhile_is_not_overwritten(branch: NightBranch) -> None:
    head = require_committable(branch, ())
    commit = commit_night(branch.root, branch.base, head, {"dvc.lock": b"1\n"}, "night\n")
    git(branch.root, "branch", "nightly")
    with pytest.raises(FlowError, match="nightly"):
        set_refs(branch, None, commit, "night-x")
    assert git(branch.root, "tag", "--list") == ""
    assert git(branch.root, "rev-parse", "nightly") == head


def test_a_pushed_night_takes_no_tag_of_another_clone_and_goes_whole_or_not_at_all(branch: NightBranch) -> None:
    root = branch.root
    git(root, "push", "-q", "origin", "main:refs/tags/night-2026-01-01")
    tag = free_tag(branch, "2026-01-01", push=True)
    assert tag == "night-2026-01-01-2"
    commit = commit_night(root, branch.base, require_committable(branch, ()), {"dvc.lock": b"1\n"}, "night\n")
    git(root, "push", "-q", "origin", f"{git(root, 'commit-tree', 'main^{tree}', '-m', 'x')}:refs/heads/nightly")
    with pytest.raises(FlowError, match=r"`git push .* fails"):
        push_night(branch, commit, tag)
    assert tag not in git(root, "ls-remote", "origin")


def test_a_pull_takes_back_only_what_the_last_night_has(branch: NightBranch) -> None:
    """Somebody merges the nights' branch; the checkout in which they are held has the same files, not committed."""
    root = branch.root
    git(root, "push", "-q", "-u", "origin", "main")
    head = require_committable(branch, ())
    files = {"dvc.lock": b"1\n", CHAMPION: b"{}\n"}
    commit = commit_night(root, branch.base, head, files, "night\n")
    set_refs(branch, None, commit, "night-x")
    git(root, "push", "-q", "origin", f"{commit}:refs/heads/main")
    for name, content in files.items():
        (root / name).write_bytes(content)

    with pytest.raises(FlowError, match=f"^{CHAMPION}: not as committed, nor as the last night"):
        pull(branch, {"dvc.lock": True, CHAMPION: False})
    assert git(root, "rev-parse", "HEAD") == head
    assert all((root / name).read_bytes() == content for name, content in files.items())
    pull(branch, dict.fromkeys(files, True))
    assert git(root, "rev-parse", "HEAD") == commit
    assert git(root, "status", "--porcelain") == ""
    assert (root / CHAMPION).read_bytes() == files[CHAMPION]

    (root / "dvc.lock").write_text("2\n")
    pull(branch, {"dvc.lock": False})
    assert (root / "dvc.lock").read_text() == "2\n", "nothing to pull, so nothing is in the way"


def test_a_pull_that_is_refused_takes_nothing_back(branch: NightBranch) -> None:
    root = branch.root
    git(root, "push", "-q", "-u", "origin", "main")
    _, night = hold(branch, "2026-01-01", "1\n")
    git(root, "push", "-q", "origin", f"{night}:refs/heads/main")
    for staged in (False, True):
        (root / "dvc.lock").write_text("1\n")
        git(root, *(("add", "dvc.lock") if staged else ("reset", "-q")))
        (root / "own.py").write_text("mine\n")
        git(root, "add", "own.py")
        git(root, "commit", "-q", "-m", "own", "own.py")
        seen = git(root, "status", "--porcelain"), git(root, "rev-parse", "HEAD")
        with pytest.raises(FlowError, match="the checked-out branch and origin/main went apart"):
            pull(branch, {"dvc.lock": True})
        assert (git(root, "status", "--porcelain"), git(root, "rev-parse", "HEAD")) == seen
        assert (root / "dvc.lock").read_text() == "1\n"
        git(root, "reset", "-q", "--soft", "HEAD^")
        git(root, "rm", "-q", "-f", "own.py")
    pull(branch, {"dvc.lock": True})
    assert git(root, "rev-parse", "HEAD") == night, "what is staged is taken back too"
    assert git(root, "status", "--porcelain") == ""


def test_a_pull_that_git_refuses_puts_back_what_it_took(branch: NightBranch) -> None:
    root = branch.root
    git(root, "push", "-q", "-u", "origin", "main")
    files = {"dvc.lock": b"1\n", "new.py": b"theirs\n"}
    commit = commit_night(root, None, require_committable(branch, ()), files, "theirs\n")
    git(root, "push", "-q", "origin", f"{commit}:refs/heads/main")
    (root / "dvc.lock").write_text("1\n")
    (root / "new.py").write_text("mine, which git has never seen\n")
    with pytest.raises(FlowError, match=r"new\.py"):
        pull(branch, {"dvc.lock": True})
    assert (root / "dvc.lock").read_text() == "1\n"
    assert (root / "new.py").read_text() == "mine, which git has never seen\n"


def test_nights_go_on_from_whichever_branch_is_further(branch: NightBranch) -> None:
    """Of this clone and the remote: after a night without --push, and after one that another clone pushed."""
    root = branch.root
    git(root, "push", "-q", "-u", "origin", "main")
    _, first = hold(branch, "2026-01-01", "1\n")
    git(root, "push", "-q", "origin", "nightly")
    _, second = hold(branch, "2026-01-02", "2\n")
    fetch_nights(branch)
    assert branch.base == second, "this clone's is ahead: a night that was not pushed"

    third = commit_night(root, second, require_committable(branch, ()), {"dvc.lock": b"3\n"}, "another clone's\n")
    git(root, "push", "-q", "origin", f"{third}:refs/heads/nightly")
    git(root, "update-ref", "-d", "refs/remotes/origin/nightly")
    assert branch.base == second
    fetch_nights(branch)
    assert (branch.tip, branch.base) == (second, third)
    _, fourth = hold(branch, "2026-01-04", "4\n")
    assert git(root, "rev-parse", "nightly^@").split() == [third]

    git(root, "push", "-q", "--force", "origin", f"{first}:refs/heads/nightly")
    git(root, "branch", "-q", "--force", "nightly", "main")
    apart = commit_night(root, None, require_committable(branch, ()), {"dvc.lock": b"5\n"}, "apart\n")
    git(root, "branch", "-q", "--force", "nightly", apart)
    with pytest.raises(FlowError, match=r"went apart: `git branch --force nightly origin/nightly` goes on from"):
        fetch_nights(branch)
    git(root, "branch", "-q", "--force", "nightly", "origin/nightly")
    fetch_nights(branch)
    assert branch.base == first
    assert git(root, "rev-parse", "night-2026-01-04") == fourth


def test_a_night_takes_no_commit_back_that_the_last_one_ran(branch: NightBranch) -> None:
    """Held on an older commit, on one that went apart, or on a branch of somebody's own: merged later it would."""
    root = branch.root
    (root / "feature.py").write_text("x\n")
    git(root, "add", "feature.py")
    git(root, "commit", "-q", "-m", "feature")
    ran = git(root, "rev-parse", "HEAD")
    hold(branch, "2026-01-01", "1\n")
    assert commit_that_ran(root, "nightly") == ran

    git(root, "checkout", "-q", "-b", "older", "HEAD~1")
    lacks = f"holds the files of {ran[:10]}, which the present commit .* does not have, .*`git merge {ran[:10]}`"
    with pytest.raises(FlowError, match=lacks):
        require_committable(branch, ())
    (root / "own.py").write_text("x\n")
    git(root, "add", "own.py")
    git(root, "commit", "-q", "-m", "apart")
    with pytest.raises(FlowError, match=lacks):
        require_committable(branch, ())
    git(root, "merge", "-q", "-m", "merge", "main")
    _, second = hold(branch, "2026-01-02", "2\n")
    assert set(git(root, "ls-tree", "--name-only", second).split()) == {"code.py", "dvc.lock", "feature.py", "own.py"}

    git(root, "branch", "mine", git(root, "commit-tree", "main^{tree}", "-p", "main", "-m", "mine"))
    with pytest.raises(FlowError, match="the last commit of mine"):
        require_committable(NightBranch(root, "mine"), ())
    with pytest.raises(FlowError, match="stands for another branch"):
        require_committable(NightBranch(root, "@{-1}"), ())


def test_a_pull_leaves_the_champion_that_the_nights_have(branch: NightBranch) -> None:
    """Somebody merged an earlier night, so that the checked-out commit has an older pointer."""
    root = branch.root
    (root / CHAMPION).write_text(pointer("m1", 1))
    git(root, "add", CHAMPION)
    git(root, "commit", "-q", "-m", "an earlier night's")
    git(root, "push", "-q", "-u", "origin", "main")
    later = git(root, "commit-tree", "main^{tree}", "-p", "main", "-m", "code of others")
    git(root, "push", "-q", "origin", f"{later}:refs/heads/main")
    text = pointer("m2", 2)
    head, tip = require_committable(branch, (CHAMPION,)), branch.tip
    set_refs(branch, tip, commit_night(root, branch.base, head, {CHAMPION: text.encode()}, "night\n"), "night-x")
    (root / CHAMPION).write_text(text)
    pull_results(branch, (CHAMPION,))
    assert git(root, "rev-parse", "HEAD") == later
    assert (root / CHAMPION).read_text() == text


def test_without_identity_or_commit_nothing_begins(branch: NightBranch, monkeypatch: pytest.MonkeyPatch) -> None:
    root = branch.root
    for name in ("name", "email"):
        git(root, "config", "--unset", f"user.{name}")
    git(root, "config", "user.useConfigOnly", "true")
    monkeypatch.setenv("HOME", str(root))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(root))
    with pytest.raises(FlowError, match="GIT_COMMITTER_IDENT"):
        require_committable(branch, ())
    empty = root.parent / "empty"
    empty.mkdir()
    git(empty, "init", "-q")
    with pytest.raises(FlowError, match="has no commit that a night could be based on"):
        require_committable(NightBranch(empty), ())


def test_nobody_is_reinstated_on_a_branch_that_is_checked_out(branch: NightBranch) -> None:
    root = branch.root
    (root / CHAMPION).write_text(pointer("x"))
    git(root, "add", CHAMPION)
    git(root, "commit", "-q", "-m", "champion")
    for name, why in (("main", "the branch main is checked out"), ("a..b", "check-ref-format")):
        seen = git(root, "rev-parse", "HEAD"), git(root, "status", "--porcelain"), (root / CHAMPION).read_bytes()
        with pytest.raises(FlowError, match=why):
            reinstate(NightBranch(root, name), "HEAD")
        after = git(root, "rev-parse", "HEAD"), git(root, "status", "--porcelain"), (root / CHAMPION).read_bytes()
        assert after[0] == seen[0]
        assert after[2] == seen[2]


def test_the_later_pointer_counts(branch: NightBranch) -> None:
    assert present_champion(branch) is None
    old, new = pointer("old", 1), pointer("new", 2)
    (branch.root / CHAMPION).write_text(old)
    head = require_committable(branch, (CHAMPION,))
    git(
        branch.root,
        "update-ref",
        "refs/remotes/origin/nightly",
        commit_night(branch.root, branch.base, head, {CHAMPION: new.encode()}, "n"),
    )
    found = present_champion(branch)
    assert found is not None
    assert found.model == "new", "a fresh clone has the branch as it was fetched"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "is no pointer to a champion"),
        ("[]", "lacks everything"),
        ('{"version": 1}', "lacks model, promoted, judgments, benchmarks"),
        (pointer("x").replace('"version": 1', '"version": 9'), "has version 9"),
        (pointer("x").replace('"md5": "1', '"sha": "1'), "is no pointer to a champion"),
        (pointer("x").replace('"md5": "1', '"md5": "../1'), r"it has '\.\./1"),
        (pointer("x", day="1 | "), "it has '2026-01-01 [|] T"),
        (pointer("![x](https://example.org)"), r"it has '!\[x\]\(https"),
    ],
)
def test_what_is_no_pointer_is_refused(text: str, why: str) -> None:
    with pytest.raises(FlowError, match=why):
        champion_of(text, "champion.json")


def test_a_pointer_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / CHAMPION).write_bytes(b"\xff\xfe{}")
    with pytest.raises(FlowError, match="is no pointer to a champion"):
        read_champion(tmp_path)


def test_of_two_pointers_of_one_promotion_the_rejudged_one_counts(branch: NightBranch) -> None:
    """Each clone has the pointer of the promotion; one has compared the champion on new questions since."""
    old = champion_of(pointer("x"), "")
    (branch.root / CHAMPION).write_text(old.text())
    rejudged = Champion(old.document | {"rejudged": "2026-01-03T00:00:00Z"})
    head = require_committable(branch, (CHAMPION,))
    commit = commit_night(branch.root, None, head, {CHAMPION: rejudged.text().encode()}, "n")
    git(branch.root, "update-ref", "refs/remotes/origin/nightly", commit)
    assert present_champion(branch) == rejudged


def test_only_the_champions_checkpoint_stands_for_the_champion() -> None:
    some = StoredOutput("x", "1")
    same, weak, service = (
        JudgedModel("other", some, some, checkpoint) for checkpoint in (some, StoredOutput("x", "2"), None)
    )
    champion = Champion({"model": "best", "promoted": "2026-01-01", "checkpoint": {"path": "y", "md5": "1"}})
    for other in (same, weak, service):
        require_champions(None, other)
    require_champions(champion, same)
    for other in (weak, service):
        with pytest.raises(FlowError, match="other has not the checkpoint of the champion best"):
            require_champions(champion, other)
