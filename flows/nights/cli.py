"""The commands of the nights: `reasrm promote`, `reasrm night`, `reasrm clean`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli_options import RUNNING, AsJson, Budget, MinGain, Stages, project_root

nights = typer.Typer()


@nights.command(rich_help_panel=RUNNING)
def promote(
    model: Annotated[
        str | None, typer.Argument(help="A judged model, a key of judge_variants.", show_default=False)
    ] = None,
    against: Annotated[
        str, typer.Option(metavar="NAME", help="The champion, or a judged model of this workspace.")
    ] = "champion",
    min_gain: MinGain = 0.0,
    reinstate: Annotated[
        str | None,
        typer.Option(metavar="TAG", help="In place of MODEL: give the place back to the champion of an earlier night."),
    ] = None,
    checkout: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="In place of MODEL: put the champion's checkpoint into a new folder."),
    ] = None,
    branch: Annotated[str, typer.Option(help="The nights' branch, whose champion counts too.")] = "nightly",
    as_json: AsJson = False,
) -> None:
    """Make a judge the champion if it is shown to be better on the same questions.

    The gain is the difference of the mean official scores of `score.headline`, with a 95 % interval by a paired
    bootstrap over questions. The champion stands in champion.json; its judgments are taken from DVC's cache or remote.

    Exit status: 0 promoted; 6 compared and kept out; 1 they cannot be compared; 2 wrong usage; 4 a run is alive.
    """
    from flows.nights.night_commit import NightBranch
    from flows.nights.promote import promote as promote_judge
    from flows.nights.promotion import Rule
    from flows.nights.reinstating import check_out, put_back

    nights_branch = NightBranch(project_root(), branch)
    if sum(one is not None for one in (model, reinstate, checkout)) != 1:
        raise typer.BadParameter("name a model, an earlier night with --reinstate, or a folder with --checkout")
    if checkout is not None:
        raise typer.Exit(int(check_out(nights_branch, checkout)))
    if model is None:
        raise typer.Exit(int(put_back(nights_branch, str(reinstate), as_json=as_json)))
    raise typer.Exit(int(promote_judge(nights_branch, Rule(model, against, min_gain), as_json=as_json)))


@nights.command(rich_help_panel=RUNNING)
def night(  # noqa: PLR0913  each is an option of the command
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who is compared with the champion (default: its own model).")
    ] = None,
    min_gain: MinGain = 0.0,
    branch: Annotated[str, typer.Option(help="Where the night is committed; not the one that is checked out.")] = (
        "nightly"
    ),
    pull: Annotated[bool, typer.Option("--pull", help="First fast-forward the checked-out branch.")] = False,
    push: Annotated[bool, typer.Option("--push", help="Push branch and tag to git's remote.")] = False,
    remote: Annotated[str, typer.Option(help="Git's remote for --pull and --push.")] = "origin",
    keep: Annotated[int, typer.Option(min=0, help="Resume folders that stay of each stage.")] = 2,
    to: Stages = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Stages at once (default: one per processor core).")] = None,
    gpus_per_stage: Annotated[int, typer.Option(min=1, help="GPUs for each stage that uses any.")] = 1,
    budget_usd: Budget = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show every line that stages write.")] = False,
) -> None:
    """Run, gate, commit and tag: one night. Until the run and the comparison are done, nothing is committed.

    dvc.lock and champion.json are committed on a branch of their own and tagged night-DATE; what is checked out stays.
    With a DVC remote each stage looks there first, and everything is pushed before the commit names it.

    Exit status: 0 committed, whether the model was promoted or not; otherwise as of `reasrm run`, with no commit.
    """
    from flows.nights.night import NightOptions
    from flows.nights.night_command import run_night
    from flows.running.pipeline_run import RunOptions

    run_options = RunOptions(project_root(), tuple(to or ()), (), jobs, gpus_per_stage, budget_usd)
    options = NightOptions(run_options, model, min_gain, branch, remote, pull, push, keep)
    raise typer.Exit(int(run_night(options, verbose=verbose)))


@nights.command(rich_help_panel=RUNNING)
def clean(
    keep: Annotated[int, typer.Option(min=0, help="Resume folders that stay of each stage, the newest.")] = 2,
    cache: Annotated[
        bool, typer.Option("--cache", help="Also what DVC's cache holds for neither the workspace nor a tag.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be removed, and remove nothing.")] = False,
) -> None:
    """Remove what killed and given-up runs left in work/; ledgers never, and nothing while a run is alive."""
    from flows.nights.clean_command import clean_up

    clean_up(project_root(), keep, cache=cache, dry_run=dry_run)
