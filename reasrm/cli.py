"""The command `reasrm`: thin and fast to start; everything heavy is imported where it is used.

`judge`, `probe`, `serve-judge`, `score`, `compare`, `oracle` and `fetch` work anywhere; `publish` and `cite` take what
a clone has made. Inside a clone (a folder with dvc.yaml and flows/, or below it) the pipeline's commands of
`flows/cli.py` are there too.
"""

import importlib
import sys
from pathlib import Path
from typing import Any

import typer

from reasrm.commands import judge, probe, serve_judge
from reasrm.commands.cite import cite
from reasrm.commands.compare import compare
from reasrm.commands.fetch import fetch
from reasrm.commands.oracle import oracle
from reasrm.commands.publish import publish
from reasrm.commands.score import ScoreCommand, score
from reasrm.runtime.extras import MissingExtraError, extras_named
from reasrm.runtime.stage_main import ExitCode, StageError, failure_of
from reasrm.runtime.terminal import exit_status, guard_streams, say_error

TOOLS = "Use its parts alone"
PIPELINE_COMMANDS = (
    "run", "plan", "ablate", "improve", "promote", "night", "status", "cancel", "clean", "serve", "ui", "doctor",
    "profile",
)  # fmt: skip
"""What `flows/cli.py` of a clone adds."""

app = typer.Typer(
    name="reasrm",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Train and evaluate reasoning reward models: preference pairs to oracle traces, SFT, GRPO, benchmarks and a "
    "report.",
    epilog="Exit status: 0 done, 1 failed, 2 wrong usage, 3 stopped with everything kept, 4 busy, 130 interrupted.",
)


app.command("judge", rich_help_panel=TOOLS, help=judge.HELP, epilog=judge.EPILOG)(judge.judge)
app.command("probe", rich_help_panel=TOOLS, help=probe.HELP, epilog=probe.EPILOG)(probe.probe)
app.command("serve-judge", rich_help_panel=TOOLS, help=serve_judge.HELP, epilog=serve_judge.EPILOG)(
    serve_judge.serve_judge
)
app.command("score", cls=ScoreCommand, rich_help_panel=TOOLS)(score)
app.command("compare", rich_help_panel=TOOLS)(compare)
app.command("oracle", rich_help_panel=TOOLS)(oracle)
app.command("fetch", rich_help_panel=TOOLS)(fetch)
app.command("publish", rich_help_panel=TOOLS)(publish)
app.command("cite", rich_help_panel=TOOLS)(cite)


def clone_around(folder: Path) -> Path | None:
    """The clone that `folder` is in: the nearest folder upwards with dvc.yaml and flows/cli.py; None outside of one."""
    return next((one for one in (folder, *folder.parents) if _is_clone(one)), None)


def _is_clone(folder: Path) -> bool:
    return (folder / "dvc.yaml").is_file() and (folder / "flows/cli.py").is_file()


def main() -> None:
    """The console script: run a command, tell our own errors in one line, end quietly if nobody reads on."""
    try:
        guard_streams()
        status = _run_command()
    except SystemExit as left:
        status = int(left.code or 0)
    except KeyboardInterrupt:
        status = ExitCode.INTERRUPTED
    sys.exit(exit_status(status))


def _run_command() -> int:
    """Run the command of the command line; returns the exit status, unless it leaves by itself."""
    command = " ".join(("reasrm", *sys.argv[1:2]))
    errors: tuple[type[Any], ...] = ()
    try:
        clone = clone_around(Path.cwd())
        if clone is None and sys.argv[1:2] and sys.argv[1] in PIPELINE_COMMANDS:
            say_error(
                "reasrm",
                f"`{command}` works in a clone of the project, and {Path.cwd()} is in none (no dvc.yaml with flows/ "
                f"beside it here or above): go to your clone",
            )
            return ExitCode.USAGE
        with extras_named():
            if clone is not None:
                sys.path.insert(0, str(clone))
                pipeline = importlib.import_module("flows.cli")
                app.add_typer(pipeline.app)
                errors = (importlib.import_module("flows.running.stage_outcome").FlowError,)
            app()
    except MissingExtraError as error:
        say_error("reasrm", error)
    except StageError as error:
        say_error("reasrm", error)
        return int(error.exit_code)
    except errors as error:
        say_error("reasrm", error)
        return int(error.exit_code)
    except OSError as error:
        failure = failure_of(error)  # a full disk, a folder that may not be read: no defect, wherever it strikes
        say_error(command, failure.reason if failure else error)
    return ExitCode.FAILED


if __name__ == "__main__":
    main()
