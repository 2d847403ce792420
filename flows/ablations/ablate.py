"""The command `reasrm ablate` from its options to its exit status: forecast or run, measure, write, show."""

from flows.ablations.ablation_run import AblationOptions, forecast, only_ablation, run_workspaces, workspaces
from flows.ablations.ablation_workspace import ABLATIONS
from flows.ablations.measuring import measured_table
from flows.ablations.results import forecast_lines, markdown, show
from flows.ablations.tables import TABLES
from flows.running.terminal_console import TerminalConsole
from flows.settings.profile import summary
from reasrm.records.harmless_text import json_text
from reasrm.runtime.outputs import write_json, write_text
from reasrm.runtime.stage_main import ExitCode
from reasrm.runtime.terminal import say, say_json


def ablate(options: AblationOptions, *, dry_run: bool) -> ExitCode:
    """Run the workspaces of a table and print it, or say what would run.

    Raises:
        FlowError: it cannot start, or the judgments cannot be measured.
    """
    spaces = workspaces(options)
    with only_ablation(options):
        if dry_run:
            found = forecast(options, spaces)
            if options.quiet:
                say_json(json_text(found, indent=1))
            else:
                say("\n".join(forecast_lines(found)))
            return ExitCode.DONE
        settings = summary(options.project)  # before hours in which they may be edited
        code = run_workspaces(options, spaces)
        if code is not ExitCode.DONE:
            return code
        document = measured_table(options, spaces, command_of(options), settings)
        stem = options.table.name + ("-part" if is_part(options) else "")
        files = [options.project / ABLATIONS / f"{stem}.{kind}" for kind in ("json", "md")]
        write_json(files[0], document)
        write_text(files[1], markdown(document))
    if options.quiet:
        say_json(json_text(document, indent=1))
    else:
        show(document, TerminalConsole())
        say(f"\nWritten to {files[0]} and {files[1].name}")
    return ExitCode.DONE


def command_of(options: AblationOptions) -> list[str]:
    """The command line that makes the same table."""
    chosen = [row.name for row in options.table.rows]
    only = [word for name in chosen for word in ("--only", name)] if is_part(options) else []
    return ["reasrm", "ablate", options.table.name, "--seeds", str(options.seeds), *only]


def is_part(options: AblationOptions) -> bool:
    """Whether rows of the table are left out; then the whole table's files stay."""
    return len(options.table.rows) < len(TABLES[options.table.name].rows)
