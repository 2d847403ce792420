"""`reasrm improve`: round after round in its workspace; each begins with the judge that the gates kept so far.

A round is a run of `reasrm run` up to its gate. The same command goes on after a stop or a kill: what a workspace has
computed stays there and in DVC's cache, and what was judged or paid stays in the project's ledgers, which all rounds
share.
"""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flows.improving.results import nothing_to_learn
from flows.improving.round_params import improve_settings, relabelled_sets, round_name, round_params, start_after
from flows.running.stage_outcome import BusyError, FlowError
from flows.settings.check import refuse, wrong_settings
from flows.workspaces.workspace import Workspace, refresh, unmade_inputs
from flows.workspaces.workspace_run import RunLimits, run_pipeline_in
from reasrm.runtime.outputs import write_json
from reasrm.runtime.process_lock import LockHeldError, hold
from reasrm.runtime.stage_main import ExitCode
from reasrm.runtime.terminal import say, say_error
from reasrm.runtime.yaml_files import parse_yaml

PROGRAM = "reasrm improve"
ROUNDS = Path("work/improve")
DECISION = "decision.json"


@dataclass(frozen=True)
class ImproveOptions:
    """What to run and how."""

    project: Path
    rounds: int
    """How many in all, those that were run before among them."""
    limits: RunLimits
    """Its budget is each round's."""
    quiet: bool = False
    """Keep standard output free, for JSON: what is told goes to standard error."""


class RoundStoppedError(FlowError):
    """A round did not come to its end; what it has is kept."""

    def __init__(self, workspace: Workspace, status: int) -> None:
        """Of the workspace and the exit status of its run."""
        known = set(ExitCode) - {ExitCode.USAGE, ExitCode.DONE}
        self.status = ExitCode(status) if status in known else ExitCode.FAILED
        super().__init__(f"stopped in {workspace.folder} (exit status {status}); the same command goes on from there")


def run_rounds(options: ImproveOptions) -> list[dict[str, Any]]:
    """Run every round; returns what was decided about each.

    Raises:
        RoundStoppedError: one did not come to its end.
        FlowError: a workspace cannot be made, settings are wrong, or an oracle would be paid without limit.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    decisions: list[dict[str, Any]] = []
    kept: list[int] = []
    for number in range(1, options.rounds + 1):
        workspace = round_workspace(options.project, number, kept)
        _require_budget(options, workspace)
        refresh(workspace, shares_ledgers=True)
        require_policy(workspace)
        refuse(wrong_settings(workspace.root), None)
        _tell(options, f"\n[round {number} of {options.rounds}: {workspace.folder}]")
        decision = _run_round(options, workspace, number)
        decisions.append(decision)
        kept += [number] if decision["kept"] else []
        _tell(options, f"{round_name(number)}: {'kept' if decision['kept'] else 'dropped'}: {decision['why']}")
    return decisions


def round_workspace(project: Path, number: int, kept: list[int]) -> Workspace:
    """The workspace of a round, up to its gate.

    Raises:
        FlowError: params.yaml cannot be read, or lacks what a round needs.
    """
    name = round_name(number)
    return Workspace(project, ROUNDS / name, (f"gate@{name}",), round_params(project, number, kept))


def _run_round(options: ImproveOptions, workspace: Workspace, number: int) -> dict[str, Any]:
    """Relabel, then run up to the gate if there is a label to learn from, within what is left of the budget."""
    limits, train = options.limits, relabelled_sets(number)[0]
    _run(replace(workspace, targets=(f"relabel@{train}",)), limits, options)
    relabelled = _read(workspace.root / "data/relabelled" / train / "metrics.json")
    if limits.budget_usd is not None:
        if relabelled["usd"] is None:
            raise FlowError("params.yaml: relabel: the model's price is not known, so no budget holds: give `prices`")
        limits = replace(limits, budget_usd=max(0.0, limits.budget_usd - relabelled["usd"]))
    if relabelled["outcomes"]["labelled"]:
        _run(workspace, limits, options)
        decision = _read(workspace.root / "data/gates" / f"{round_name(number)}.json")
    else:
        decision = nothing_to_learn(relabelled)
    decision = {"round": round_name(number), "workspace": str(workspace.folder), **decision}
    write_json(workspace.root / DECISION, decision)
    if decision["kept"] and improve_settings(options.project).arm is not None:
        _run(replace(workspace, targets=(f"policy@{round_name(number)}",)), limits, options)
    return decision


def _run(workspace: Workspace, limits: RunLimits, options: ImproveOptions) -> None:
    status = run_pipeline_in(workspace, limits, quiet=options.quiet)
    if status != ExitCode.DONE:
        raise RoundStoppedError(workspace, status)


@contextmanager
def only_loop(project: Path) -> Iterator[None]:
    """Refuse a second `reasrm improve` in the project.

    Raises:
        BusyError: there is one.
    """
    try:
        with hold(project / ROUNDS / "improve.lock"):
            yield
    except LockHeldError as error:
        raise BusyError(
            f"another `{PROGRAM}` is alive in {project} (process {error.process or '?'}): wait for it, or end it with "
            f"Ctrl-C"
        ) from error


def final_judge(options: ImproveOptions, decisions: list[dict[str, Any]]) -> str:
    """The judge that the rounds leave: the last one kept, or the one that they began with."""
    kept = [number for number, one in enumerate(decisions, start=1) if one["kept"]]
    return start_after(kept, improve_settings(options.project)).judge


def require_policy(workspace: Workspace) -> None:
    """Do nothing if the policy and its prompts are there, or a stage makes them.

    Raises:
        FlowError: one is not.
    """
    settings = parse_yaml(workspace.params, "params.yaml")["improve"]
    for name in unmade_inputs(workspace.root, workspace.targets):
        key = next((key for key in ("policy", "prompts") if settings[key] == name), None)
        if key is not None and not (workspace.root / name).exists():
            raise FlowError(
                f"params.yaml: improve.{key} is {name}: it is not there, and no stage makes it under these settings; "
                f"`reasrm profile use miniature +policy` has a policy and its prompts, or name your own"
            )


def _require_budget(options: ImproveOptions, workspace: Workspace) -> None:
    """Do nothing unless a vendor's oracle would be asked without a limit in dollars.

    Raises:
        FlowError: it would.
    """
    document = parse_yaml(workspace.params, "params.yaml")
    limit = (document.get("distill_traces_asking") or {}).get("budget_usd")
    if not document["relabel"].get("local") and options.limits.budget_usd is None and limit is None:
        raise FlowError(
            "params.yaml asks a vendor's oracle (relabel.local: false): say with --budget-usd what it may cost in each "
            "round"
        )


def _read(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text(encoding="utf-8")))


def _tell(options: ImproveOptions, text: str) -> None:
    if options.quiet:
        say_error(PROGRAM, text)
    else:
        say(text)
