"""The command reference of the documentation: typer's own description of each command, when the site is built.

A line `::: typer MODULE` of a page becomes the commands of that module's `app`. A hook of mkdocs and not a plugin: an
error in a command ends the build, and texts below a command's options (exit statuses, rows) are shown too.
"""

import importlib
import re
import sys
from pathlib import Path
from typing import Any

import typer
from typer.cli import get_docs_for_click

ROOT = Path(__file__).parents[1]
DIRECTIVE = re.compile(r"^::: typer (\S+)$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The page with its directives replaced; called by mkdocs for each page."""
    return DIRECTIVE.sub(lambda found: described_commands(found[1]), markdown)


def described_commands(module: str) -> str:
    """Markdown of every command of `module.app`, each a section of the third level."""
    sys.path.insert(0, str(ROOT))  # flows/ is not installed; the command finds it beside dvc.yaml
    group = typer.main.get_command(importlib.import_module(module).app)
    context = typer.Context(group, info_name="reasrm")
    return "\n".join(
        get_docs_for_click(obj=command, ctx=context, indent=2, call_prefix="reasrm")
        for command in getattr(group, "commands").values()  # noqa: B009  the type of a group is typer's own
    )
