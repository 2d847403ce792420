"""The command `reasrm cite`: what a paper needs of the run in this clone.

Light to import: what reads the run is imported when the command runs.
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from reasrm.runtime.stage_main import ExitCode, StageError
from reasrm.runtime.terminal import say, say_error, say_json

COMMAND = "reasrm cite"


def cite(
    as_what: Annotated[
        Literal["text", "latex", "bibtex", "json"],
        typer.Option(
            "--format", help="text for readers; latex: tables; bibtex: the paper and this software; json: all."
        ),
    ] = "text",
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write to this file.")] = None,
) -> None:
    """Say what a paper needs of the finished run: where it comes from, its tables, and whom to cite.

    Commit, hashes of the data, seeds, prompts and locked versions are those of dvc.lock and locks/; figures are those
    of data/report/metrics.json and data/probes, with their intervals. What makes the citation doubtful (edits that no
    commit has, figures out of date) stands in it and on standard error.

    Exit status: 0 written; 1 there is no finished run, or it cannot be read; 2 wrong usage.
    """
    from reasrm.citation.cited_run import cited_run
    from reasrm.citation.formats import CitationFormat, written
    from reasrm.publishing.project_state import project_root
    from reasrm.records.jsonl import BadRecordError
    from reasrm.runtime.outputs import write_text

    try:
        run = cited_run(project_root())
        text = written(run, CitationFormat(as_what))
        if out is not None:
            write_text(out, text)
        elif as_what == "json":
            say_json(text.rstrip("\n"))
        else:
            say(text.rstrip("\n"))
    except (StageError, BadRecordError) as error:
        say_error(COMMAND, error)
        raise typer.Exit(int(ExitCode.FAILED)) from error
    for doubt in run.doubts():
        say_error(COMMAND, f"note: {doubt}")
    if out is not None:
        say(f"{out}: {len(text.splitlines())} lines of {as_what}")
