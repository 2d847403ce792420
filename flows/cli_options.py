"""What the pipeline's commands share: options that mean the same in each, and the project that they are about."""

from pathlib import Path
from typing import Annotated

import typer

from flows.running.stage_outcome import FlowError

RUNNING, SETTINGS = "Run the pipeline", "Settings and machine"
"""Panels of the help."""

Stages = Annotated[
    list[str] | None, typer.Option(metavar="STAGE", help="Only this stage and what it needs; repeatable.")
]
Forced = Annotated[list[str] | None, typer.Option(metavar="STAGE", help="Run it even if nothing changed; repeatable.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
MinGain = Annotated[
    float, typer.Option(help="Points that the lower end of the gain's 95 % interval must exceed, in percent of score.")
]
Budget = Annotated[
    float | None,
    typer.Option(
        min=0,
        help="Most US dollars that the oracle may cost for the present questions, in all runs and both passes "
        "together; 0 sends nothing.",
    ),
]


def project_root() -> Path:
    """The project around the current folder: the nearest folder upwards with a dvc.yaml.

    Raises:
        FlowError: there is none.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "dvc.yaml").is_file():
            return folder
    raise FlowError(f"no dvc.yaml in {here} or above it: go to the project's folder")
