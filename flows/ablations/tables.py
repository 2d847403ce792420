"""Which rows and steps the paper's tables 2 and 3 have here, and which settings their judges come from.

A row is a judge of `judge_variants` under one configuration: the project's present params.yaml with overlays laid over
it. A step is a row minus another one, in the direction that the paper reports; whether it is so here, the run says.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from flows.running.stage_outcome import UsageError

if TYPE_CHECKING:
    from reasrm.reporting.paper_reference import PaperTable


class TableName(StrEnum):
    """The tables that `reasrm ablate` makes."""

    TABLE2 = "table2"
    TABLE3 = "table3"


@dataclass(frozen=True)
class AblationRow:
    """One row."""

    name: str
    """As `--only` and the JSON call it."""
    title: str
    judge: str
    """Its key in `judge_variants`."""
    configuration: str
    """The settings that it comes from, a key of `AblationTable.configurations`."""
    paper: str | None = None
    """The row of the paper's table that it stands beside; None where the paper has none."""


@dataclass(frozen=True)
class AblationTable:
    """One table."""

    name: TableName
    number: int
    """The paper's."""
    title: str
    configurations: dict[str, tuple[str, ...]]
    """Overlays over the present params.yaml, by the name of the configuration, which workspaces are called by."""
    rows: tuple[AblationRow, ...]
    steps: tuple[tuple[str, str], ...]
    """Names of rows: the first minus the second."""

    @property
    def paper(self) -> "PaperTable":
        """What the paper prints."""
        from reasrm.reporting.paper_reference import paper_tables

        return paper_tables().table(self.number)

    def row(self, name: str) -> AblationRow:
        """The row of that name."""
        return next(row for row in self.rows if row.name == name)

    def paper_value(self, row: AblationRow) -> float | None:
        """The paper's average for a row, in percent."""
        printed = next((one for one in self.paper.rows if one.model == row.paper), None)
        return printed.values[-1] if printed else None

    def only(self, names: Sequence[str]) -> "AblationTable":
        """The table with these rows alone, and the steps between them; with all where none is named.

        Raises:
            UsageError: a name is no row's.
        """
        known = [row.name for row in self.rows]
        if unknown := [name for name in names if name not in known]:
            raise UsageError(f"--only {unknown[0]}: {self.name} has no such row, only {', '.join(known)}")
        if not names:
            return self
        rows = tuple(row for row in self.rows if row.name in names)
        return replace(self, rows=rows, steps=tuple(step for step in self.steps if set(step) <= set(names)))

    def judges(self, configuration: str) -> list[str]:
        """The judges that are needed of one configuration, by their keys in `judge_variants`."""
        return [row.judge for row in self.rows if row.configuration == configuration]

    def used_configurations(self) -> list[str]:
        """The configurations that a row comes from, in order."""
        return [name for name in self.configurations if self.judges(name)]


def _rows(configuration: str, *rows: tuple[str, str, str | None]) -> tuple[AblationRow, ...]:
    """Rows that are called like their judges."""
    return tuple(AblationRow(judge, title, judge, configuration, paper) for judge, title, paper in rows)


ALL_TRACES = "sft-all_traces"
_TABLE2 = AblationTable(
    name=TableName.TABLE2,
    number=2,
    title="The recipe, part by part",
    configurations={"table2": ()},
    rows=_rows(
        "table2",
        ("base", "Base model", "Instruct (Original)"),
        ("grpo-cold_start", "Cold-start RL", "Instruct + Cold Start RL"),
        ("grpo-cold_start_rubrics", "Cold-start RL + rubrics", "Instruct + Cold Start RL + Rubrics"),
        ("grpo-cold_start_rubrics_qc", "Cold-start RL + rubrics + QC", "Instruct + Cold Start RL + Rubrics + QC"),
        ("grpo-full", "Distilled, then RL", "RM-R1"),
    ),
    steps=(
        ("grpo-cold_start", "base"),
        ("grpo-cold_start_rubrics", "grpo-cold_start"),
        ("grpo-cold_start_rubrics_qc", "grpo-cold_start_rubrics"),
        ("grpo-full", "grpo-cold_start_rubrics_qc"),
    ),
)
_TABLE3 = AblationTable(
    name=TableName.TABLE3,
    number=3,
    title="Fine-tuning on verdicts against learning to reason",
    configurations={"table3": ("table3",), "table3-all-traces": ("all-traces",)},
    rows=(
        *_rows(
            "table3",
            ("answer_sft-distilled", "Answer-only SFT, distilled pairs", "9k: Instruct + SFT"),
            ("sft", "Distilled", "9k: Instruct + Distilled"),
            ("answer_sft-all", "Answer-only SFT, all pairs", "full: Instruct + SFT"),
            ("answer_sft-after_sft", "Distilled, then answer-only SFT", "full: Instruct + Distilled + SFT"),
            ("grpo-full", "Distilled, then RL", "full: RM-R1"),
            ("scalar_rm", "ScalarRM", None),
        ),
        AblationRow(ALL_TRACES, "SFT on traces of all pairs", "sft", "table3-all-traces"),
    ),
    steps=(
        ("sft", "answer_sft-distilled"),
        ("answer_sft-after_sft", "answer_sft-all"),
        ("grpo-full", "answer_sft-after_sft"),
        ("grpo-full", "sft"),
        ("grpo-full", "scalar_rm"),
        ("grpo-full", ALL_TRACES),
    ),
)
TABLES = {table.name: table for table in (_TABLE2, _TABLE3)}
