"""A night in its order: pull, run, gate, push, commit and tag, prune. What fails before the commit leaves nothing.

The same for the command (`reasrm night`) and for Prefect (`flows/nights/nightly.py`); they differ in how they run.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flows.dvc_graph import LOCK_FILE, read_pipeline
from flows.git import commit_of
from flows.nights.champion import CHAMPION, JUDGMENTS, Champion
from flows.nights.clean import clean, nothing_running
from flows.nights.night_commit import (
    NIGHTLY,
    ORIGIN,
    NightBranch,
    commit_night,
    free_tag,
    present_champion,
    push_night,
    require_as_committed,
    require_committable,
    set_refs,
)
from flows.nights.promote import decision_lines
from flows.nights.promotion import Decision, Rule, decide
from flows.nights.pulling import fetch_nights, pull_results
from flows.nights.stored_outputs import Lock, hand_over
from flows.running.pipeline_run import RunOptions, only_run
from flows.running.remote_store import has_remote, push_rest
from flows.running.stage_outcome import RESUME_HINT, BusyError, FlowError, UsageError
from flows.running.stage_process import StageProcesses
from reasrm.runtime.outputs import write_text
from reasrm.runtime.process_lock import LockHeldError, hold
from reasrm.runtime.stage_main import ExitCode

NIGHT_LOCK = Path("work/locks/night.lock")
RESULTS = (LOCK_FILE, CHAMPION)
"""The tracked files that a night changes in the working tree."""
NOTHING_CHANGED = "no commit, no tag, and the champion is as it was"


@dataclass(frozen=True)
class NightOptions:
    """What a night runs and where it puts it."""

    run: RunOptions
    model: str | None = None
    """Who is compared with the champion; None for the present version of the champion's own model."""
    min_gain: float = 0.0
    branch: str = NIGHTLY
    remote: str = ORIGIN
    """Git's."""
    pull: bool = False
    push: bool = False
    """Push branch and tag too. DVC's remote gets the data in any case, if there is one."""
    keep: int = 2
    """Resume folders that pruning leaves of each stage."""


class NightStoppedError(FlowError):
    """The run did not come to its end, so there is no night."""

    def __init__(self, status: ExitCode) -> None:
        """Of the run's exit status."""
        self.exit_code = status
        what = "stopped" if status is ExitCode.STOPPED_RESUMABLE else "did not come to its end"
        way_on = RESUME_HINT if status is ExitCode.STOPPED_RESUMABLE else "look at it, then the same command goes on"
        super().__init__(f"the run {what} (exit status {int(status)}): {way_on}")


class NightPushedError(FlowError):
    """The night is in the remote, and branch and tag could not be set here."""


@dataclass(frozen=True)
class Night:
    """What came of a night."""

    tag: str
    commit: str
    decision: Decision


Run = Callable[[RunOptions], ExitCode]
Tell = Callable[[str], None]


def hold_night(options: NightOptions, run: Run, tell: Tell) -> Night:
    """Hold a night; one at a time in a checkout.

    Args:
        options: of the night.
        run: brings the pipeline up to date.
        tell: gets a line for each step.

    Raises:
        NightStoppedError: the run failed or stopped; nothing was committed.
        NightPushedError: it is committed, in the remote alone.
        FlowError: something else is in the way; the message says what. Nothing was committed.
    """
    root = options.run.root
    branch = NightBranch(root, options.branch, options.remote)
    with only_night(root):
        with _telling_what_stays(root):
            day = datetime.now(UTC).strftime("%Y-%m-%d")
            head, rule = _begin(options, branch)
            status = run(options.run)
            if status is not ExitCode.DONE:
                raise NightStoppedError(status)
            with only_run(root):
                night = _gate_and_commit(options, rule, head, day, tell)
        tell(f"{night.tag}: {night.commit[:10]} on {options.branch}{', pushed' if options.push else ''}")
        _prune(options, tell)
        return night


def _begin(options: NightOptions, branch: NightBranch) -> tuple[str, Rule]:
    """Fetch, pull and look, while nobody works in the checkout; gives the commit that runs, and the gate's rule."""
    root = options.run.root
    with nothing_running(root):
        require_as_committed(branch, RESULTS)
        if options.pull or options.push:
            fetch_nights(branch)
        if options.pull:
            pull_results(branch, RESULTS)
        return require_committable(branch, RESULTS), _rule(options, present_champion(branch))


def _gate_and_commit(options: NightOptions, rule: Rule, head: str, day: str, tell: Tell) -> Night:
    """Decide about the run's model, and commit what came of it: data first, then the refs, then the pointer here."""
    root = options.run.root
    branch = NightBranch(root, options.branch, options.remote)
    if require_committable(branch, RESULTS) != head:
        raise FlowError("another commit was checked out during the run")
    base = branch.base
    decision = decide(root, rule, present_champion(branch))
    tell(". ".join(line.strip() for line in decision_lines(decision)))
    if has_remote(root):
        _push_data(root, decision)
    tag, tip = free_tag(branch, day, push=options.push), branch.tip
    if branch.base != base:
        raise FlowError(f"another night was committed on {branch.name} meanwhile: the same command again decides anew")
    commit = commit_night(root, base, head, night_files(decision), message(tag, decision))
    if options.push:
        push_night(branch, commit, tag)
    try:
        set_refs(branch, tip, commit, tag)
    except FlowError as error:
        if not options.push:
            raise
        raise NightPushedError(
            f"{tag} is pushed to {branch.remote}, but not set here: {error}. `git fetch --tags {branch.remote}` brings "
            f"it; the next night goes on from it"
        ) from error
    if (champion := decision.new or decision.old) is not None:
        write_text(root / CHAMPION, champion.text())
    return Night(tag, commit, decision)


def _push_data(root: Path, decision: Decision) -> None:
    """Hand over what dvc.lock names, the run cache, and what the champion's pointer names, before a commit names them.

    Raises:
        FlowError: the remote does not take all of it.
    """
    made = [name for name in read_pipeline(root).stages if name in Lock(decision.lock.decode()).stages]
    if refused := push_rest(root, made, StageProcesses()):
        raise FlowError(f"DVC's remote did not take the night's data: {refused}; `dvc remote list` shows where it is")
    for stored in decision.old.stored if decision.new is None and decision.old is not None else []:
        hand_over(root, stored)


def night_files(decision: Decision) -> dict[str, bytes]:
    """What a night commits: dvc.lock and, if there is a champion, the pointer."""
    champion = decision.new or decision.old
    return {LOCK_FILE: decision.lock, **({CHAMPION: champion.text().encode()} if champion else {})}


def message(tag: str, decision: Decision) -> str:
    """The night's commit message."""
    title = "promoted" if decision.new is not None else "kept out"
    return f"{tag}: {decision.rule.model} {title}\n\n{decision.why[0].upper()}{decision.why[1:]}.\n"


def _rule(options: NightOptions, old: Champion | None) -> Rule:
    model = options.model or (old and old.model)
    if not model:
        raise UsageError("there is no champion yet whose model could be compared: say which with --model")
    made = [out for stage in read_pipeline(options.run.root).stages.values() for out in stage.outputs]
    if f"{JUDGMENTS}{model}" not in made:
        known = ", ".join(out.removeprefix(JUDGMENTS) for out in made if out.startswith(JUDGMENTS))
        raise UsageError(f"no stage judges {model!r}, so a night could not compare it; there are: {known or 'none'}")
    return Rule(model, min_gain=options.min_gain)


def _prune(options: NightOptions, tell: Tell) -> None:
    """Remove old resume folders; the night stands whatever comes of it."""
    try:
        removed = clean(options.run.root, options.keep, dry_run=False)
    except (FlowError, OSError) as error:
        tell(f"not pruned: {error}")
    else:
        tell(f"pruned: {len(removed)} old resume folders")


@contextmanager
def _telling_what_stays(root: Path) -> Iterator[None]:
    """Let every refusal end with what it leaves."""
    before = commit_of(root, "HEAD")
    try:
        yield
    except NightPushedError:
        raise
    except FlowError as error:
        head = commit_of(root, "HEAD")
        pulled = f"; the checked-out branch was pulled to {head[:10]}" if head and head != before else ""
        error.args = (f"{error} ({NOTHING_CHANGED}{pulled})",)
        raise


@contextmanager
def only_night(root: Path) -> Iterator[None]:
    """Keep other nights and evaluations of this checkout out within the block.

    Raises:
        BusyError: one is alive.
    """
    try:
        with hold(root / NIGHT_LOCK):
            yield
    except LockHeldError as error:
        raise BusyError(
            f"another night or evaluation is alive in {root} (process {error.process or '?'}): wait for it, or end it "
            f"with Ctrl-C"
        ) from error
