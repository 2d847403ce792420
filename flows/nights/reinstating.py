"""`reasrm promote --reinstate`: an earlier champion takes its place again; `--checkout`: its checkpoint as a folder."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from flows.git import commit_of, text_at
from flows.nights.champion import CHAMPION, Champion, champion_of
from flows.nights.comparison import TAKEN_OUT
from flows.nights.night import only_night
from flows.nights.night_commit import (
    NightBranch,
    commit_night,
    free_tag,
    present_champion,
    require_movable,
    set_refs,
)
from flows.nights.stored_outputs import take_out
from flows.running.pipeline_run import only_run
from flows.running.stage_outcome import FlowError, UsageError
from reasrm.records.harmless_text import json_text
from reasrm.runtime.outputs import write_text
from reasrm.runtime.stage_main import ExitCode
from reasrm.runtime.terminal import say, say_json

REINSTATED = "reinstated-"
"""Begins the tag of a reinstatement: it is lost by no fetch of other nights."""


def check_out(branch: NightBranch, target: Path) -> ExitCode:
    """Put the champion's checkpoint into a new folder, from DVC's cache or its remote, and say so.

    Raises:
        FlowError: there is no champion, it has no checkpoint, the folder exists, or the checkpoint is lost.
    """
    champion = present_champion(branch)
    checkpoint = None if champion is None else champion.checkpoint
    if champion is None or checkpoint is None:
        raise FlowError("there is no champion yet" if champion is None else f"{champion.model} has no checkpoint")
    if target.exists():
        raise FlowError(f"{target} exists: name a new folder")
    (branch.root / TAKEN_OUT).mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=branch.root / TAKEN_OUT) as folder:
        take_out(branch.root, checkpoint, Path(folder, "checkpoint"))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(Path(folder, "checkpoint"), target)
    say(f"{target}: the checkpoint of {champion.model}, promoted {champion.promoted} ({checkpoint.md5})")
    return ExitCode.DONE


def put_back(branch: NightBranch, earlier: str, *, as_json: bool) -> ExitCode:
    """Reinstate the champion of an earlier night and say so.

    Raises:
        FlowError: it cannot be; the present champion stays.
    """
    champion = reinstate(branch, earlier)
    if as_json:
        say_json(json_text(champion.document, indent=1))
    else:
        handed = f"`git push {branch.remote} {branch.name}`, or the next night with --push, hands it over"
        on_branch = f" and on {branch.name}: {handed}" if branch.tip else ""
        say(f"{champion.model}: {champion.document['why']}. Written to {CHAMPION}{on_branch}")
    return ExitCode.DONE


def reinstate(branch: NightBranch, earlier: str) -> Champion:
    """Make the champion of an earlier commit the present one, in the working tree and on the nights' branch.

    Args:
        branch: the nights', where there are some.
        earlier: a tag or another name of a commit.

    Raises:
        UsageError: there is no such commit, or it has no champion.
        BusyError: a run or a night is alive.
        FlowError: its judgments are lost, so that nobody could be compared with it; or the branch is checked out.
            Nothing was changed.
    """
    root = branch.root
    commit = commit_of(root, earlier)
    text = commit and text_at(root, commit, CHAMPION)
    if not text:
        raise UsageError(f"{earlier} is no commit with a {CHAMPION}: `git tag --list 'night-*'` lists the nights")
    found = champion_of(text, f"{CHAMPION} of {earlier}")
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    champion = Champion(
        {key: value for key, value in found.document.items() if key != "rejudged"}
        | {
            "promoted": now,
            "why": f"reinstated: the champion of {earlier}, promoted {found.promoted}",
        }
    )
    with only_night(root), only_run(root):
        require_movable(branch)
        (root / TAKEN_OUT).mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=root / TAKEN_OUT) as folder:
            take_out(root, found.judgments, Path(folder, "judgments"))
        tip, base = branch.tip, branch.base
        tag = free_tag(branch, now[:10], push=False, prefix=REINSTATED)
        if base is not None:
            said = f"{champion.model} reinstated\n\n{champion.document['why']}.\n"
            new = commit_night(root, base, base, {CHAMPION: champion.text().encode()}, said)
            set_refs(branch, tip, new, tag)
        write_text(root / CHAMPION, champion.text())
    return champion
