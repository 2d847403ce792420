"""The tables that the paper prints, to be shown beside ours: figures of other models, never compared in level.

Source: arXiv 2505.02387v3, tables 1, 2, 3, 6, 7 and 8, typed row by row. A figure that contradicts the rest of its own
row or another table carries an erratum; only where the right figure follows from the row is it corrected.
"""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

FINGERPRINTED_FILES = ("paper_tables.json",)
"""Files beside this module whose content is part of its meaning."""

OURS_OF_THE_PAPER = "RM-R1"
"""How the names of the paper's own models begin."""


class Erratum(BaseModel):
    """A printed figure that cannot be right, or contradicts another one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    column: str
    printed: float
    corrected: float | None
    """The right figure where it follows from the others; None where it is not known and the printed one stands."""
    note: str


class PaperRow(BaseModel):
    """One printed row."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    values: tuple[float | None, ...]
    """One per column of the table; None where the paper prints a dash."""

    @property
    def of_the_paper(self) -> bool:
        """Whether the paper trained this model itself."""
        return self.model.startswith(OURS_OF_THE_PAPER) or self.model == "full: RM-R1"


class PaperTable(BaseModel):
    """One table of the paper."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    title: str
    unit: Literal["percent", "share"]
    """Percent of 0-100, or shares of 0-1, as printed."""
    columns: tuple[str, ...]
    rows: tuple[PaperRow, ...]
    note: str = ""
    errata: tuple[Erratum, ...] = ()

    @property
    def decimals(self) -> int:
        """Digits after the point, as printed."""
        return 1 if self.unit == "percent" else 3

    def shown(self, value: float) -> str:
        """A figure with as many digits as the paper prints."""
        return f"{value:.{self.decimals}f}"

    def figure(self, model: str, column: str) -> float | None:
        """The printed figure of a row; None where the paper prints a dash."""
        row = next(row for row in self.rows if row.model == model)
        return row.values[self.columns.index(column)]

    def erratum(self, model: str, column: str) -> Erratum | None:
        """What is known to be wrong with the figure in this cell."""
        return next((e for e in self.errata if (e.model, e.column) == (model, column)), None)


class PaperTables(BaseModel):
    """All tables with their source."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1]
    source: str
    tables: tuple[PaperTable, ...]

    def table(self, number: int) -> PaperTable:
        """The table that the paper numbers so."""
        return next(table for table in self.tables if table.number == number)


@cache
def paper_tables() -> PaperTables:
    """Read the tables that stand beside this module."""
    file = Path(__file__).with_name(FINGERPRINTED_FILES[0])
    return PaperTables.model_validate_json(file.read_bytes())
