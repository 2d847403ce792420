"""Nights on toy stages with real git, DVC, remotes and Prefect: who is promoted, what is committed, what stays."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.nights.night import NIGHT_LOCK
from flows.running.pipeline_run import RUN_LOCK
from reasrm.runtime.process_lock import hold
from tests.flows.processes import LONG, survivors
from tests.flows.toy_nights import (
    BETTER,
    JUDGE,
    WORSE,
    Command,
    dvc,
    git,
    pointer,
    set_skill,
    state,
)
from tests.flows.toy_project import environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def promotions(port: int) -> list[str]:
    """The markdown artifacts of promotions at the server, the newest first."""
    import urllib.request

    question = {"artifacts": {"key": {"any_": ["promotion"]}}, "sort": "UPDATED_DESC"}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/artifacts/filter",
        data=json.dumps(question).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as reply:
        return [one["data"] for one in json.load(reply)]


def test_three_nights_better_equal_worse(project: Path, reasrm: Command, server_port: int) -> None:
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    head, index = git(project, "rev-parse", "HEAD"), git(project, "ls-files", "--stage")
    first = reasrm("night", "--model", JUDGE, "--push")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "promoted, the first champion" in first.stdout
    assert (git(project, "rev-parse", "HEAD"), git(project, "ls-files", "--stage")) == (head, index)
    assert git(project, "symbolic-ref", "--short", "HEAD") == "main"

    found = []
    for skill, steps in ((BETTER, 2), (BETTER, 3), (WORSE, 3)):
        set_skill(project, skill, steps=steps)
        done = reasrm("night", "--push")
        assert done.returncode == 0, done.stdout + done.stderr
        found.append(done.stdout)
    tags = [f"night-{day}", *(f"night-{day}-{number}" for number in (2, 3, 4))]
    if datetime.now(UTC).strftime("%Y-%m-%d") == day:
        assert git(project, "tag", "--list", "night-*").split() == tags
    else:
        tags = git(project, "for-each-ref", "--sort=creatordate", "--format=%(refname:short)", "refs/tags").split()

    assert f"{JUDGE}: promoted." in found[0]
    assert all("kept out; the champion stays" in one for one in found[1:])
    assert "gain over grpo-full: +0.00 points, 95 % [+0.00, +0.00]" in found[1]
    before, better, equal, worse = (pointer(project, tag) for tag in tags)
    assert before["gain"] is None
    assert better["gain"]["ci95"][0] > 0
    assert better["against"]["judgments"] == before["judgments"]
    assert better["figures"]["average"]["value"] > before["figures"]["average"]["value"]
    assert equal == worse == better
    assert (project / "champion.json").read_text() == git(project, "show", f"{tags[3]}:champion.json") + "\n"
    assert better["commit"] == git(project, "rev-parse", "main~2")
    assert better["judgments"]["md5"] in git(project, "show", f"{tags[1]}:dvc.lock")
    assert better["judgments"]["md5"] not in git(project, "show", f"{tags[3]}:dvc.lock")

    difference = json.loads(dvc(project, "metrics", "diff", "--json", tags[0], tags[1]))
    assert difference["data/scores.json"][JUDGE]["diff"] > 0.2
    assert json.loads(dvc(project, "metrics", "diff", "--json", tags[1], tags[2])) == {}
    assert (
        json.loads(dvc(project, "metrics", "diff", "--json", tags[2], tags[3]))["data/scores.json"][JUDGE]["diff"] < 0
    )

    assert (
        git(project.parent / "git", "rev-parse", "nightly") == git(project, "rev-parse", "nightly", tags[3]).split()[0]
    )
    assert "kept out" in promotions(server_port)[0]

    shutil.rmtree(project / ".dvc/cache")  # the old champion's judgments are in no workspace: they come from the remote
    again = reasrm("promote", JUDGE, "--json")
    assert again.returncode == 1, "the cache is gone, so the workspace is not up to date"
    clone = project.parent / "clone"
    git(project.parent, "clone", "-q", "-b", "nightly", str(project.parent / "git"), str(clone))
    (clone / "flows").symlink_to((project / "flows").resolve(), target_is_directory=True)
    dvc(clone, "pull", "-q", "--run-cache")
    elsewhere = reasrm("promote", JUDGE, "--json", cwd=clone)
    assert elsewhere.returncode == 6, elsewhere.stderr
    gain = json.loads(elsewhere.stdout)["gain"]
    assert gain["ci95"][1] < 0
    dvc(clone, "get", "-q", ".", f"data/judgments/{JUDGE}", "--rev", tags[1], "-o", "old")
    compared = reasrm("compare", JUDGE, "old", "--resamples", "200", "--json", cwd=clone)
    (report,) = json.loads(compared.stdout)
    assert (gain["value"], gain["ci95"]) == (report["score"]["a_minus_b"], report["score"]["ci95"])


def test_a_night_that_fails_or_stops_leaves_git_and_the_champion_alone(project: Path, reasrm: Command) -> None:
    before = state(project)
    for status, words in ((1, "did not come to its end"), (3, "stopped")):
        (project / "exit").write_text(str(status))
        done = reasrm("night", "--model", JUDGE, "--push")
        assert done.returncode == status, done.stdout + done.stderr
        assert f"the run {words} (exit status {status})" in done.stderr
        assert "(no commit, no tag, and the champion is as it was)" in done.stderr
        assert state(project) == before
        assert git(project, "ls-remote", "origin").count("refs/") == 1
    (project / "exit").unlink()
    assert reasrm("night", "--model", JUDGE).returncode == 0


def test_a_killed_night_leaves_git_alone_and_the_next_one_goes_on(
    project: Path, reasrm: Command, server_port: int
) -> None:
    before = state(project)
    (project / "hang").touch()
    surroundings = environment() | {"PREFECT_SERVER_API_PORT": str(server_port)}
    command = [sys.executable, "-m", "reasrm.cli", "night", "--model", JUDGE]
    night = subprocess.Popen(command, cwd=project, env=surroundings, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + LONG
    while not (project / "hangs").exists() or not (project / "hangs").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.kill(night.pid, signal.SIGKILL)
    night.wait()
    assert not survivors([int((project / "hangs").read_text())])
    assert state(project) == before
    (project / "hang").unlink()
    done = reasrm("night", "--model", JUDGE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert git(project, "tag", "--list").startswith("night-")


def test_a_night_whose_remotes_refuse_commits_nothing(project: Path, reasrm: Command) -> None:
    before = state(project)
    hook = project.parent / "git/hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho not today >&2\nexit 1\n")
    hook.chmod(0o755)
    done = reasrm("night", "--model", JUDGE, "--push")
    assert done.returncode == 1
    assert "not today" in done.stderr
    assert state(project) == before

    shutil.rmtree(project.parent / "dvc")
    (project.parent / "dvc").write_text("no folder\n")
    done = reasrm("night", "--model", JUDGE)
    assert done.returncode == 1
    assert "DVC's remote did not take the night's data" in done.stderr or "cannot be read" in done.stderr
    assert state(project) == before


def test_a_night_that_is_pushed_says_so_and_the_next_goes_on_from_it(project: Path, reasrm: Command) -> None:
    """Somebody moves the nights' branch of this clone between the push and the setting of it, or a kill ends that."""
    remote = project.parent / "git"
    hook = remote / "hooks/post-receive"
    hook.write_text(f"#!/bin/sh\nunset GIT_DIR\ngit -C '{project}' branch nightly main\n")
    hook.chmod(0o755)
    done = reasrm("night", "--model", JUDGE, "--push")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "is pushed to origin, but not set here" in done.stderr
    assert "`git fetch --tags origin` brings it" in done.stderr
    assert "no commit, no tag" not in done.stderr
    first = git(remote, "rev-parse", "nightly")
    assert git(project, "rev-parse", "nightly") == git(project, "rev-parse", "main")
    hook.unlink()

    set_skill(project, BETTER)
    done = reasrm("night", "--push")
    assert done.returncode == 0, done.stdout + done.stderr
    assert git(project, "rev-parse", "nightly^1") == first
    assert git(project, "rev-parse", "nightly") == git(remote, "rev-parse", "nightly")


def test_what_cannot_be_committed_is_refused_before_anything_runs(project: Path, reasrm: Command) -> None:
    (project / "params.yaml").write_text((project / "params.yaml").read_text() + "more: 1\n")
    done = reasrm("night", "--model", JUDGE)
    assert done.returncode == 1
    assert "not as committed: params.yaml" in done.stderr
    git(project, "restore", "params.yaml")

    git(project, "branch", "nightly")
    git(project, "checkout", "-q", "nightly")
    done = reasrm("night", "--model", JUDGE)
    assert done.returncode == 1
    assert "the branch nightly is checked out" in done.stderr
    git(project, "checkout", "-q", "main")

    done = reasrm("night")
    assert done.returncode == 2
    assert "no champion yet" in done.stderr

    done = reasrm("night", "--model", "typo")
    assert done.returncode == 2
    assert f"no stage judges 'typo', so a night could not compare it; there are: {JUDGE}" in done.stderr

    with hold(project / NIGHT_LOCK):
        done = reasrm("night", "--model", JUDGE)
    assert done.returncode == 4
    assert "another night or evaluation is alive" in done.stderr

    # A run is alive: its code and its dvc.lock must not change under it.
    head = git(project, "rev-parse", "HEAD")
    later = git(project, "commit-tree", "main^{tree}", "-p", "main", "-m", "code of others")
    git(project, "push", "-q", "origin", f"{later}:refs/heads/main")
    with hold(project / RUN_LOCK):
        done = reasrm("night", "--model", JUDGE, "--pull")
    assert done.returncode == 4
    assert "another run of the pipeline is alive" in done.stderr
    assert git(project, "rev-parse", "HEAD") == head
    assert not (project / "stages.run").exists()


def test_a_night_pulls_first_and_goes_on_from_the_nights_of_another_clone(project: Path, reasrm: Command) -> None:
    assert reasrm("night", "--model", JUDGE, "--push").returncode == 0
    clone = project.parent / "clone"
    git(project.parent, "clone", "-q", "-b", "main", str(project.parent / "git"), str(clone))
    (clone / "flows").symlink_to((project / "flows").resolve(), target_is_directory=True)
    (clone / "data/raw").mkdir(parents=True, exist_ok=True)
    git(clone, "config", "user.name", "t")
    git(clone, "config", "user.email", "t@example.org")
    set_skill(clone, BETTER)
    git(clone, "push", "-q")
    done = reasrm("night", "--pull", "--push", cwd=clone)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{JUDGE}: promoted." in done.stdout
    assert "Restored" in done.stdout, "what the first clone ran is not run again"

    set_skill(clone, WORSE)
    git(clone, "push", "-q")
    done = reasrm("night", "--pull", "--push")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "kept out; the champion stays" in done.stdout
    assert git(project, "rev-parse", "main") == git(clone, "rev-parse", "main")
    nights = git(project, "log", "--first-parent", "--format=%s", "nightly").splitlines()
    assert [one.partition(": ")[2] for one in nights[:3]] == [
        f"{JUDGE} kept out",
        f"{JUDGE} promoted",
        f"{JUDGE} promoted",
    ]
