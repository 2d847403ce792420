"""The pipeline's commands, which `reasrm` finds beside dvc.yaml; everything heavy is imported where it is used."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from flows.ablations.tables import TableName
from flows.cli_options import RUNNING, SETTINGS, AsJson, Budget, Forced, Stages, project_root
from flows.nights.cli import nights
from flows.running.stage_outcome import PipelineError
from flows.running.terminal_console import TerminalConsole
from reasrm.records.harmless_text import json_text
from reasrm.runtime.stage_main import ExitCode
from reasrm.runtime.terminal import say, say_error, say_json

if TYPE_CHECKING:
    from flows.settings.profile import ProfileChoice

app = typer.Typer()
app.registered_commands += nights.registered_commands
profiles = typer.Typer(no_args_is_help=True, help="Choose the settings in params.yaml.")
app.add_typer(profiles, name="profile", rich_help_panel=SETTINGS)


@app.command(rich_help_panel=RUNNING)
def run(  # noqa: PLR0913  each is an option of the command
    to: Stages = None,
    force: Forced = None,
    profile: Annotated[
        str | None,
        typer.Option("--profile", "-p", metavar="'NAME +OVERLAY'", help="First `reasrm profile use` this one."),
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Stages at once (default: one per processor core).")] = None,
    gpus_per_stage: Annotated[int, typer.Option(min=1, help="GPUs for each stage that uses any.")] = 1,
    budget_usd: Budget = None,
    pull: Annotated[
        bool, typer.Option(help="Take from DVC's default remote what it holds, before anything runs.")
    ] = True,
    push: Annotated[bool, typer.Option("--push", help="Hand over to DVC's default remote what has run.")] = False,
    workers: Annotated[
        bool, typer.Option("--workers", help="Let the workers of Prefect's work pools run the stages, in their clones.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show every line that stages write.")] = False,
) -> None:
    """Bring everything up to date; only what changed runs. The same command goes on after a kill."""
    from flows.running.pipeline_run import RunOptions
    from flows.running.run import run_pipeline

    if profile is not None:
        _use(profile.split(), discard=False)
    options = RunOptions(
        project_root(), tuple(to or ()), tuple(force or ()), jobs, gpus_per_stage, budget_usd, pull, push, workers
    )
    raise typer.Exit(int(run_pipeline(options, verbose=verbose)))


@app.command(rich_help_panel=RUNNING)
def plan(
    to: Stages = None,
    force: Forced = None,
    device: Annotated[
        str, typer.Option(help="Plan for this device: h100-80gb:8, rtx4090, 24gb, cpu-32gb (default: this machine).")
    ] = "",
    model: Annotated[str, typer.Option(help="Plan for this model: a checkpoint's folder or a hub id.")] = "",
    rows: Annotated[bool, typer.Option("--rows", help="Measure all rows with the tokenizer.")] = False,
    must_fit: Annotated[bool, typer.Option("--must-fit", help="Fail if a stage does not fit the device.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say which stages would run, and why, whether each fits the device and how long it takes."""
    from concurrent.futures import ThreadPoolExecutor

    from flows.planning.plan import estimate_oracle_cost, make_plan, plan_document, preflight_of, show_plan
    from flows.planning.preflight import PreflightRequest, misfits, show_preflight
    from flows.settings.check import refuse, wrong_settings

    root = project_root()
    with ThreadPoolExecutor(1) as beside:
        wrong = beside.submit(wrong_settings, root)
        try:
            forecasts = make_plan(root, tuple(to or ()), tuple(force or ()))
        except PipelineError:
            refuse(wrong.result(), None)
            raise
        refuse(wrong.result(), (forecast.stage for forecast in forecasts))
    estimates = estimate_oracle_cost(root, forecasts)
    preflight, unknown = preflight_of(root, forecasts, PreflightRequest(device, model, rows), required=must_fit)
    if as_json:
        say_json(json_text(plan_document(forecasts, estimates, preflight, unknown), indent=1))
    else:
        console = TerminalConsole()
        show_plan(root, forecasts, estimates, console)
        if preflight is not None:
            show_preflight(preflight, console)
        if unknown:
            say_error("reasrm plan", f"memory, disk and hours are not estimated: {unknown}")
    if must_fit and preflight is not None and misfits(preflight):
        raise typer.Exit(int(ExitCode.FAILED))


@app.command(rich_help_panel=RUNNING)
def ablate(  # noqa: PLR0913  each is an option of the command
    table: Annotated[TableName, typer.Argument(help="The paper's table.", show_default=False)],
    seeds: Annotated[int, typer.Option(min=1, help="Training seeds, counted from those of params.yaml.")] = 3,
    only: Annotated[list[str] | None, typer.Option(metavar="ROW", help="Only this row; repeatable.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would run, and run nothing.")] = False,
    jobs: Annotated[int | None, typer.Option(min=1, help="Stages at once (default: one per processor core).")] = None,
    gpus_per_stage: Annotated[int, typer.Option(min=1, help="GPUs for each stage that uses any.")] = 1,
    budget_usd: Annotated[
        float | None, typer.Option(min=0, help="Most US dollars that a vendor's oracle may cost in each workspace.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train the rows of the paper's table 2 or 3 with several seeds, and print them beside the paper's.

    Each configuration and seed runs in a workspace below work/ablations/, on a copy of the present code and settings
    and with the project's DVC cache; the project's own params.yaml, dvc.lock and data stay as they are. The same
    command goes on after a stop. The table is also written to work/ablations/TABLE.json and TABLE.md.
    """
    from flows.ablations.ablate import ablate as ablate_table
    from flows.ablations.ablation_run import AblationOptions
    from flows.ablations.tables import TABLES

    rows = TABLES[table].only(only or [])
    options = AblationOptions(project_root(), rows, seeds, jobs, gpus_per_stage, budget_usd, quiet=as_json)
    raise typer.Exit(int(ablate_table(options, dry_run=dry_run)))


@app.command(rich_help_panel=RUNNING)
def improve(
    rounds: Annotated[int, typer.Option(min=1, help="Rounds in all, those run before among them.")] = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would run, and run nothing.")] = False,
    jobs: Annotated[int | None, typer.Option(min=1, help="Stages at once (default: one per processor core).")] = None,
    gpus_per_stage: Annotated[int, typer.Option(min=1, help="GPUs for each stage that uses any.")] = 1,
    budget_usd: Annotated[
        float | None, typer.Option(min=0, help="Most US dollars that the oracle may cost in each round.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let the judge learn from its hard cases among a policy's answers, round by round, if a gate finds it better.

    A round draws answers, picks what the judge is unsure of, asks the oracle about so many pairs in both orders, trains
    the judge on them, and compares it with the old one on held-out pairs and on the benchmarks. Each round runs in a
    workspace below work/improve/, and replies are paid for once. The same command goes on after a stop. What was
    decided is also written to work/improve/rounds.json.
    """
    from flows.improving.improve import improve as improve_judge
    from flows.improving.rounds import ImproveOptions
    from flows.workspaces.workspace_run import RunLimits

    limits = RunLimits(jobs, gpus_per_stage, budget_usd)
    options = ImproveOptions(project_root(), rounds, limits, quiet=as_json)
    raise typer.Exit(int(improve_judge(options, dry_run=dry_run)))


@app.command(rich_help_panel=RUNNING)
def status(as_json: AsJson = False) -> None:
    """Show which stages are up to date and what the last run did."""
    from flows.running.status import running_process, stage_statuses
    from flows.settings.profile import summary

    rows = stage_statuses(project_root())
    if as_json:
        say_json(json_text([row._asdict() for row in rows], indent=1))
        return
    process = running_process(project_root())
    table = Table(show_edge=False, title=f"running, process {process}" if process else None, title_justify="left")
    for column in ("stage", "now", "last run", "seconds"):
        table.add_column(column, justify="right" if column == "seconds" else "left")
    for row in rows:
        table.add_row(row.stage, row.state, row.last_outcome, f"{row.last_seconds:.1f}" if row.last_seconds else "")
    console = TerminalConsole()
    console.print(f"profile: {summary(project_root())}", soft_wrap=True, markup=False, highlight=False)
    console.print(table)


@app.command(rich_help_panel=RUNNING)
def cancel() -> None:
    """End the run in this checkout with all its stages; nothing is lost."""
    from flows.running.status import cancel as cancel_run

    say(cancel_run(project_root()))


@app.command(rich_help_panel=RUNNING)
def serve(
    cron: Annotated[
        str | None, typer.Option(help="When, as five cron fields in UTC (default: each night at one).")
    ] = None,
    to: Stages = None,
    budget_usd: Budget = None,
) -> None:
    """Run the pipeline on a schedule until ended; needs `reasrm ui`."""
    from flows.server.schedules import NIGHTLY
    from flows.server.schedules import serve as serve_schedule

    serve_schedule(project_root(), cron or NIGHTLY, tuple(to or ()), budget_usd)


@app.command(rich_help_panel=RUNNING)
def ui() -> None:
    """Start Prefect's server and UI on this machine (loopback, port 4200 or PREFECT_SERVER_API_PORT).

    The report in data/report is served beside it, on the next port or REASRM_REPORT_PORT.
    """
    from flows.server.prefect_server import start_ui_server

    start_ui_server(project_root())


@app.command(rich_help_panel=SETTINGS)
def doctor(
    deep: Annotated[
        bool,
        typer.Option(
            "--deep",
            help="Also load the tokenizer, measure all rows, ask accelerate's estimator, and read DVC's whole cache.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look at versions, GPUs, memory, disk, keys, server and settings before a run costs anything."""
    from flows.planning.doctor import Health, examine

    findings = examine(project_root(), deep=deep)
    if as_json:
        say_json(json_text([finding._asdict() for finding in findings], indent=1))
    else:
        console = TerminalConsole()
        style = {Health.GOOD: "green", Health.NOTE: "yellow", Health.BAD: "bold red"}
        for finding in findings:
            mark = Text(f"{finding.health:<5}", style=style[finding.health])
            console.print(mark, f"{finding.subject:<18} {finding.text}", soft_wrap=True)
    if any(finding.health is Health.BAD for finding in findings):
        raise typer.Exit(int(ExitCode.FAILED))


STACK = typer.Argument(metavar="NAME [+OVERLAY]...", help="A profile, then overlays, laid over it in order.")
Names = Annotated[list[str], STACK]
Files = Annotated[Path | None, typer.Option(help="The folder of your own files, for profiles that read files.")]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="A.B=VALUE", help="One setting, last of all.")]


@profiles.command("use")
def profile_use(
    names: Names,
    files: Files = None,
    settings: Settings = None,
    discard: Annotated[bool, typer.Option(help="Overwrite edits of params.yaml made by hand.")] = False,
) -> None:
    """Write params.yaml for a profile; `reasrm plan` then says what that would run."""
    _use(names, files, settings, discard=discard)


@profiles.command("list")
def profile_list() -> None:
    """List profiles and overlays; what is in use is marked."""
    from flows.settings.profile import current_choice
    from flows.settings.profile_layers import OVERLAYS, first_comment, overlay_names, profile_names

    root = project_root()
    used = current_choice(root)
    for name in profile_names(root):
        say(f"{'*' if name == used.name else ' '} {name:<20} {first_comment(root, name)}")
    for place, name in enumerate(overlay_names(root)):
        if place == 0:
            say("\nOverlays, over a profile: `reasrm profile use NAME +OVERLAY`")
        say(f"{'*' if name in used.overlays else ' '} {f'+{name}':<20} {first_comment(root, name, OVERLAYS)}")


@profiles.command("show")
def profile_show(names: Annotated[list[str] | None, STACK] = None, settings: Settings = None) -> None:
    """Print the params.yaml of a profile; without a name, of the one in use, and what was edited by hand."""
    from flows.settings.profile import compose, current_choice, edits_by_hand

    root = project_root()
    choice = _choice(names, None, settings) if names else current_choice(root)
    say(compose(root, choice).removesuffix("\n"))
    for edit in edits_by_hand(root) if not names else []:
        say(f"# edited by hand: {edit}")


@profiles.command("diff")
def profile_diff(names: Names, settings: Settings = None) -> None:
    """Say which settings of the present params.yaml a profile would change."""
    from flows.settings.profile import PARAMS, compose, differences
    from flows.settings.profile_layers import parsed, text_of

    root = project_root()
    wanted = parsed(compose(root, _choice(names, None, settings)), PARAMS)
    for change in differences("", parsed(text_of(root / PARAMS), PARAMS), wanted):
        say(change)


def _choice(names: list[str], files: Path | None, settings: list[str] | None) -> "ProfileChoice":
    from flows.settings.profile import named_choice

    given = None if files is None else str(files)
    return replace(named_choice(names), settings=tuple(settings or ()), files=given)


def _use(names: list[str], files: Path | None = None, settings: list[str] | None = None, *, discard: bool) -> None:
    from flows.settings.check import tell, wrong_settings
    from flows.settings.profile import use
    from flows.settings.profile_layers import overridden

    root = project_root()
    choice = _choice(names, files, settings)
    use(root, choice, discard=discard)
    say(f"params.yaml holds profile {choice.title}")
    for change in overridden(root, choice.overlays):
        say(f"  {change}")
    if wrong := wrong_settings(root):
        tell(wrong)
        say_error("reasrm", "params.yaml is written; `reasrm plan` and `reasrm run` refuse it until this is set right")
