"""The command `reasrm improve` from its options to its exit status."""

from typing import Any

from flows.improving.results import show
from flows.improving.round_params import round_name
from flows.improving.rounds import (
    PROGRAM,
    ROUNDS,
    ImproveOptions,
    RoundStoppedError,
    final_judge,
    only_loop,
    require_policy,
    round_workspace,
    run_rounds,
)
from flows.planning.plan import make_plan
from flows.planning.rerun_reasons import WillRun
from flows.running.terminal_console import TerminalConsole
from flows.settings.check import refuse, wrong_settings
from flows.workspaces.workspace import refresh
from reasrm.records.harmless_text import json_text
from reasrm.runtime.outputs import write_json
from reasrm.runtime.stage_main import ExitCode
from reasrm.runtime.terminal import say, say_error, say_json
from reasrm.runtime.yaml_files import parse_yaml

VERSION = 1


def improve(options: ImproveOptions, *, dry_run: bool) -> ExitCode:
    """Run the rounds and print what they came to, or say what the first one would run.

    Raises:
        FlowError: it cannot start.
    """
    with only_loop(options.project):
        if dry_run:
            _show_forecast(options)
            return ExitCode.DONE
        try:
            decisions = run_rounds(options)
        except RoundStoppedError as stop:
            say_error(PROGRAM, stop)
            return stop.status
        judge = final_judge(options, decisions)
        document = {"version": VERSION, "judge": judge, "rounds": decisions}
        file = options.project / ROUNDS / "rounds.json"
        write_json(file, document)
    if options.quiet:
        say_json(json_text(document, indent=1))
    else:
        show(decisions, judge, TerminalConsole())
        say(f"Written to {file}")
    return ExitCode.DONE


def _show_forecast(options: ImproveOptions) -> None:
    """Say what the first round would run, and how much it may ask; later rounds depend on its decision."""
    workspace = round_workspace(options.project, 1, [])
    refresh(workspace, shares_ledgers=True)
    require_policy(workspace)
    plan = make_plan(workspace.root, workspace.targets)
    refuse(wrong_settings(workspace.root), [one.stage for one in plan])
    settings = parse_yaml(workspace.params, "params.yaml")["improve"]
    found: dict[str, Any] = {
        "workspace": str(workspace.folder),
        "runs": [one.stage for one in plan if one.will_run is WillRun.YES],
        "may_run": [one.stage for one in plan if one.will_run is WillRun.MAYBE],
        "up_to_date": [one.stage for one in plan if one.will_run is WillRun.NO],
        "most_questions": settings["most_train_questions"] + settings["most_held_out_questions"],
    }
    if options.quiet:
        say_json(json_text(found, indent=1))
        return
    say(f"{round_name(1)} in {workspace.folder}: at most {found['most_questions']:,} questions to the oracle")
    for what in ("runs", "may_run", "up_to_date"):
        say(f"  {what.replace('_', ' ')}: {', '.join(found[what]) or 'nothing'}")
    say("What ran before with the same inputs is restored from DVC's cache and not run.")
