"""What the workspaces' judgments come to: measured by `reasrm.scoring.ablation_table`, with the paper's figures beside.

The document is written to `work/ablations/<table>.json`; `flows.ablations.results` shows it.
"""

import json
import shlex
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.ablations.ablation_run import AblationOptions, score_settings
from flows.ablations.ablation_workspace import ABLATIONS, AblationWorkspace
from flows.ablations.budgets import trainings
from flows.ablations.tables import AblationRow
from flows.ablations.workspace_params import document_of
from flows.running.stage_outcome import FlowError
from flows.running.stage_process import stage_environment
from reasrm.records.harmless_text import json_text

VERSION = 1
MODULE = "reasrm.scoring.ablation_table"


def measured_table(
    options: AblationOptions, spaces: list[AblationWorkspace], command: list[str], settings: str
) -> dict[str, Any]:
    """The table as JSON: the measured rows and steps with titles and the paper's figures, seeds and command.

    Args:
        options: the table and its seeds.
        spaces: all workspaces, brought up to date.
        command: the command line that made them.
        settings: how params.yaml was made, in words.

    Raises:
        FlowError: the judgments cannot be measured; the message says which and why.
    """
    table = options.table
    found = measure(options.project, _request(options, spaces))
    rows = [
        {
            "row": row.name,
            "title": row.title,
            "judge": row.judge,
            "configuration": row.configuration,
            "paper": {"row": row.paper, "average": table.paper_value(row)} if row.paper else None,
            "trained": _trained(options.project, spaces, row),
            **found["rows"][row.name],
        }
        for row in table.rows
    ]
    for step in found["steps"]:
        first, second = (table.row(step[side]) for side in ("first", "second"))
        values = table.paper_value(first), table.paper_value(second)
        step["title"] = f"{first.title} - {second.title}"
        step["paper"] = None if None in values else round((values[0] or 0) - (values[1] or 0), 1)
    printed = table.paper
    return {
        "version": VERSION,
        "table": table.name,
        "title": table.title,
        "command": shlex.join(command),
        "settings": settings,
        "measured": datetime.now(UTC).strftime("%Y-%m-%d"),
        "paper": {
            "table": printed.number,
            "title": printed.title,
            "average_of": _averaged(printed.columns),
            "errata": [
                {"row": one.model, "printed": one.printed, "note": one.note}
                for one in printed.errata
                if one.column == printed.columns[-1] and one.model in {row.paper for row in table.rows}
            ],
        },
        "seeds": list(range(options.seeds)),
        "configurations": {name: list(table.configurations[name]) for name in table.used_configurations()},
        **{key: value for key, value in found.items() if key != "rows"},
        "rows": rows,
    }


def _request(options: AblationOptions, spaces: list[AblationWorkspace]) -> dict[str, Any]:
    """What is to be measured, as `reasrm.scoring.ablation_judgments.AblationRequest` takes it."""
    params = document_of(spaces[0].params)
    return {
        "rows": [
            {
                "name": row.name,
                "judgments": [str(root / "data/judgments" / row.judge) for root in _roots(spaces, row.configuration)],
                "benchmarks": [str(root / "data/benchmarks") for root in _roots(spaces, row.configuration)],
            }
            for row in options.table.rows
        ],
        "steps": options.table.steps,
        "covered": (params.get("collect_pairs") or {}).get("distill_slices"),
        **score_settings(params),
    }


def _trained(project: Path, spaces: list[AblationWorkspace], row: AblationRow) -> list[dict[str, Any]]:
    """The trainings of a row in all seeds' workspaces."""
    own = [one for one in spaces if one.configuration == row.configuration]
    return trainings(document_of(own[0].params), row.judge, [project / ABLATIONS / one.name for one in own])


def _roots(spaces: list[AblationWorkspace], configuration: str) -> list[Path]:
    """The folders of a configuration's workspaces, in the order of the seeds, from the project's folder."""
    return [ABLATIONS / one.name for one in spaces if one.configuration == configuration]


def measure(project: Path, request: Mapping[str, Any]) -> dict[str, Any]:
    """Ask `reasrm.scoring.ablation_table` for a table, in a process of its own.

    Args:
        project: the folder that relative paths start from.
        request: what to measure, as `reasrm.scoring.ablation_judgments.AblationRequest` takes it.

    Raises:
        FlowError: it cannot be measured; the message says why.
    """
    done = subprocess.run(
        [sys.executable, "-m", MODULE],
        cwd=project,
        env=stage_environment(),
        input=json_text(request),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it gave no reason"])[-1].removeprefix("ablation: ")
        raise FlowError(f"the judgments cannot be measured: {reason}")
    return dict(json.loads(done.stdout))


def _averaged(columns: tuple[str, ...]) -> str:
    """What the last column of the paper's table is the mean of."""
    return ", ".join(columns[:-1])
