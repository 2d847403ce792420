"""`reasrm ablate`: run each configuration with each seed in its workspace, one after the other, then measure.

Each is a run of `reasrm run` in a process of its own under the supervisor, so that nothing of it outlives this one. The
same command goes on after a stop: what a workspace has computed stays there and in DVC's cache.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.ablations.ablation_workspace import ABLATIONS, AblationWorkspace, ablation_workspace
from flows.ablations.tables import AblationTable
from flows.ablations.workspace_params import document_of, workspace_params
from flows.planning.plan import make_plan
from flows.planning.rerun_reasons import WillRun
from flows.running.stage_outcome import BusyError, FlowError
from flows.settings.check import refuse, wrong_settings
from flows.workspaces.workspace import asks_vendor, pays_oracle, refresh
from flows.workspaces.workspace_run import RunLimits, run_pipeline_in
from reasrm.runtime.process_lock import LockHeldError, hold
from reasrm.runtime.stage_main import ExitCode
from reasrm.runtime.terminal import say, say_error

PROGRAM = "reasrm ablate"
SCORE = "score"
SCORE_KEYS = ("headline", "unreadable", "resamples", "seed")
"""The settings of section `score` that the table is measured by."""


@dataclass(frozen=True)
class AblationOptions:
    """What to run and how."""

    project: Path
    table: AblationTable
    seeds: int
    """How many; the first is the project's own."""
    jobs: int | None = None
    """Stages at once; None for one per processor core."""
    gpus_per_stage: int = 1
    budget_usd: float | None = None
    """As of `reasrm run`, in each workspace; None for what params.yaml says."""
    quiet: bool = False
    """Keep standard output free, for JSON: what is told goes to standard error."""


def workspaces(options: AblationOptions) -> list[AblationWorkspace]:
    """The workspaces in the order in which they run: all seeds of a configuration, then the next.

    Raises:
        FlowError: params.yaml cannot be read, lacks what a row or the table needs, or spends money without limit.
    """
    found = []
    for configuration in options.table.used_configurations():
        overlays = options.table.configurations[configuration]
        for further in range(options.seeds):
            params = workspace_params(options.project, overlays, further)
            _require_judges(options.table, configuration, document_of(params))
            score_settings(document_of(params))
            _require_budget(options, document_of(params))
            judges = tuple(options.table.judges(configuration))
            found.append(ablation_workspace(options.project, configuration, further, judges, params))
    return found


def run_workspaces(options: AblationOptions, spaces: list[AblationWorkspace]) -> ExitCode:
    """Run every workspace; returns at the first that does not come to its end, with its exit status.

    All have the present code and settings before the first runs, so an edit meanwhile is in none of them.

    Raises:
        FlowError: a workspace cannot be made, or the table could not be measured by the settings, which are printed.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for workspace in spaces:
        refresh(workspace, shares_ledgers=asks_vendor(document_of(workspace.params)))
    refuse(wrong_settings(spaces[0].root), [SCORE])  # what measures at the end is looked at before hours of training
    for place, workspace in enumerate(spaces, start=1):
        where = f"{place} of {len(spaces)}: {ABLATIONS / workspace.name}"
        _tell(options, f"\n[{where}] {', '.join(workspace.judges)}")
        limits = RunLimits(options.jobs, options.gpus_per_stage, options.budget_usd)
        status = run_pipeline_in(workspace, limits, quiet=options.quiet)
        if status != ExitCode.DONE:
            say_error(
                PROGRAM, f"stopped in workspace {where} (exit status {status}); the same command goes on from there"
            )
            return ExitCode(status) if status in set(ExitCode) - {ExitCode.USAGE} else ExitCode.FAILED
    return ExitCode.DONE


def forecast(options: AblationOptions, spaces: list[AblationWorkspace]) -> list[dict[str, Any]]:
    """What would run in each workspace, which is brought up to date for that; nothing is run.

    Raises:
        FlowError: a workspace cannot be made, or its settings are wrong, which are printed.
    """
    found = []
    for place, workspace in enumerate(spaces, start=1):
        _tell(options, f"[{place} of {len(spaces)}] looking at {ABLATIONS / workspace.name}")
        refresh(workspace, shares_ledgers=asks_vendor(document_of(workspace.params)))
        plan = make_plan(workspace.root, tuple(workspace.targets))
        refuse(wrong_settings(workspace.root), [SCORE, *(one.stage for one in plan)])
        found.append(
            {
                "workspace": str(ABLATIONS / workspace.name),
                "judges": list(workspace.judges),
                "runs": [one.stage for one in plan if one.will_run is WillRun.YES],
                "may_run": [one.stage for one in plan if one.will_run is WillRun.MAYBE],
                "up_to_date": [one.stage for one in plan if one.will_run is WillRun.NO],
            }
        )
    return found


@contextmanager
def only_ablation(options: AblationOptions) -> Iterator[None]:
    """Refuse a second `reasrm ablate` of the same table, whose workspaces these are.

    Raises:
        BusyError: there is one.
    """
    table = options.table.name
    try:
        with hold(options.project / ABLATIONS / f"{table}.lock"):
            yield
    except LockHeldError as error:
        raise BusyError(
            f"another `{PROGRAM} {table}` is alive in {options.project} (process {error.process or '?'}): wait for it, "
            f"or end it with Ctrl-C"
        ) from error


def score_settings(params: dict[str, Any]) -> dict[str, Any]:
    """The settings that the table is measured by.

    Raises:
        FlowError: one is missing.
    """
    score = params.get(SCORE) or {}
    if missing := [key for key in SCORE_KEYS if key not in score]:
        raise FlowError(f"params.yaml: {SCORE}.{missing[0]} is missing; `reasrm profile show miniature` has it")
    return {key: score[key] for key in SCORE_KEYS}


def _require_judges(table: AblationTable, configuration: str, params: dict[str, Any]) -> None:
    """Do nothing if `judge_variants` has every judge that the rows need.

    Raises:
        FlowError: one is missing.
    """
    judges = params.get("judge_variants") or {}
    for row in table.rows:
        if row.configuration == configuration and row.judge not in judges:
            over = "".join(f" with +{overlay}" for overlay in table.configurations[configuration])
            raise FlowError(
                f"params.yaml{over} has no `judge_variants.{row.judge}`, which row {row.name} of {table.name} needs "
                f"(there are {', '.join(map(str, judges)) or 'none'}): add it, `reasrm profile show miniature` has it; "
                f"or name other rows with --only"
            )


def _require_budget(options: AblationOptions, params: dict[str, Any]) -> None:
    """Do nothing unless a vendor's oracle would be asked without limit, once per seed.

    Raises:
        FlowError: it would.
    """
    limit = (params.get("distill_traces_asking") or {}).get("budget_usd")
    if pays_oracle(params) and options.budget_usd is None and limit is None:
        raise FlowError(
            "params.yaml asks a vendor's oracle (distill_traces.endpoint), and each training seed has questions of "
            "its own: say with --budget-usd what it may cost in each workspace"
        )


def _tell(options: AblationOptions, text: str) -> None:
    if options.quiet:
        say_error(PROGRAM, text)
    else:
        say(text)
