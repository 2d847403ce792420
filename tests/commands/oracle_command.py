"""The command `reasrm oracle` as the tests run it: through the real command line, in this process."""

from typer.testing import CliRunner, Result

from reasrm.cli import app

WIDE = {"COLUMNS": "1000"}
"""So that no message of the command line is broken in two."""


def invoke(arguments: list[str]) -> Result:
    """Run `reasrm oracle` with `arguments`; a defect is raised, not turned into an exit status."""
    return CliRunner().invoke(app, ["oracle", *arguments], env=WIDE, catch_exceptions=False)
