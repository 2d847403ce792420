"""The command `reasrm`: thin and fast to start; everything heavy is imported where it is used.

`judge`, `score`, `compare`, `oracle` and `fetch` work anywhere. Inside a clone (a folder with dvc.yaml and flows/, or
below it) the pipeline's commands of `flows/cli.py` are there too.
"""

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import typer

from reasrm.commands import judge
from reasrm.commands.compare import compare
from reasrm.commands.fetch import fetch
from reasrm.commands.oracle import oracle
from reasrm.commands.score import ScoreCommand, score
from reasrm.runtime.extras import MissingExtraError, extras_named

TOOLS = "Use its parts alone"
PIPELINE_COMMANDS = ("run", "plan", "status", "cancel", "serve", "ui", "doctor", "profile")
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
app.command("score", cls=ScoreCommand, rich_help_panel=TOOLS)(score)
app.command("compare", rich_help_panel=TOOLS)(compare)
app.command("oracle", rich_help_panel=TOOLS)(oracle)
app.command("fetch", rich_help_panel=TOOLS)(fetch)


def clone_around(folder: Path) -> Path | None:
    """The clone that `folder` is in: the nearest folder upwards with dvc.yaml and flows/cli.py; None outside of one."""
    return next((one for one in (folder, *folder.parents) if _is_clone(one)), None)


def _is_clone(folder: Path) -> bool:
    return (folder / "dvc.yaml").is_file() and (folder / "flows/cli.py").is_file()


def main() -> None:
    """The console script: run a command, tell our own errors in one line."""
    clone = clone_around(Path.cwd())
    errors: tuple[type[Any], ...] = ()
    if clone is None and sys.argv[1:2] and sys.argv[1] in PIPELINE_COMMANDS:
        print(
            f"reasrm: `reasrm {sys.argv[1]}` works in a clone of the project, and {Path.cwd()} is in none "
            f"(no dvc.yaml with flows/ beside it here or above): go to your clone",
            file=sys.stderr,
        )
        sys.exit(2)
    try:
        with extras_named():
            if clone is not None:
                sys.path.insert(0, str(clone))
                pipeline = importlib.import_module("flows.cli")
                app.add_typer(pipeline.app)
                errors = (pipeline.FlowError,)
            run_app()
    except MissingExtraError as error:
        print(f"reasrm: {error}", file=sys.stderr)
        sys.exit(1)
    except errors as error:
        print(f"reasrm: {error}", file=sys.stderr)
        sys.exit(int(error.exit_code))


def run_app() -> None:
    """Run a command; if whoever reads its output goes away (`| head`), leave without a traceback, with status 1."""
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered has no reader: the interpreter must not try to write it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    main()
