"""RM-Bench (arXiv 2410.16184): 1,327 prompts, each with three styles of a right and of a wrong answer.

A row of `total_dataset.json`: `{"id": "chat/100", "prompt": "...", "chosen": [3 texts], "rejected": [3 texts],
"domain": "chat"}`; the styles are concise, detailed plain text, detailed Markdown. Cell (i, j) compares style i of the
better with style j of the worse answer.

Official rule (`scripts/utils.py`): *hard* is the mean of the cells above the diagonal (the worse answer has the more
elaborate style), *normal* of the diagonal, *easy* of those below; the two safety subsets are pooled by prompts; a
domain is the mean of its three difficulties; the score is the mean of the four domains. A tie loses: an unreadable
verdict is worth 0.

As published: RM-R1 asks for the nine cells in three rotations of the worse answers, (00, 11, 22), (01, 12, 20) and
(02, 10, 21), and its `process_final_result.py` reads the third file where it should read the second. So cell 01 takes
the outcomes of 02, 12 those of 10, and 20 those of 21; three cells are never looked at. That is `as_published` here.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import ClassVar

from reasrm.benchmarks.benchmark import Benchmark, Coverage, IncompleteGroup
from reasrm.benchmarks.cell_table import CellTable, FigurePath, Metric, mean_of
from reasrm.benchmarks.outcome import BenchmarkOutcome, read_outcome
from reasrm.benchmarks.scoring_rule import ScoringMode
from reasrm.datasets.hub import HubData
from reasrm.datasets.row_fields import (
    Refusal,
    Row,
    RowRefusedError,
    identifier,
    text,
    text_list,
    user_turn,
    whole_number,
)
from reasrm.records.benchmark_item import BenchmarkItem

STYLES = 3
CELLS = [f"{i}{j}" for i in range(STYLES) for j in range(STYLES)]
DIFFICULTIES = {"hard": ("01", "02", "12"), "normal": ("00", "11", "22"), "easy": ("10", "20", "21")}
SECTION_OF = {
    "chat": "chat", "math": "math", "code": "code", "safety-refuse": "safety", "safety-response": "safety",
}  # fmt: skip
READ_INSTEAD = {"01": "02", "12": "10", "20": "21"}
"""As published: whose outcomes RM-R1's script takes for a cell."""


class RmBench(Benchmark):
    """The rules of RM-Bench; a cell is one of the nine of a domain, a unit is that cell of one prompt."""

    name = "rm_bench"
    title = "RM-Bench"
    source = HubData("THU-KEG/RM-Bench", ("total_dataset.json",))
    layout = ("rm_bench/total_dataset.json",)
    sections = ("chat", "math", "code", "safety")
    official_counts: ClassVar[Mapping[str, int]] = {
        "chat": 129, "math": 529, "code": 228, "safety-refuse": 284, "safety-response": 157,
    }  # fmt: skip

    outcome_keys = ("id", "domain", "chosen_style", "rejected_style")
    outcome_examples = ('{"id": "chat/100", "domain": "chat", "chosen_style": 0, "rejected_style": 2, "correct": 0}',)

    def items(self, row: Row) -> list[BenchmarkItem]:
        """The nine pairs of a row."""
        domain, number = _domain(row), text(row, "id")
        prompt = user_turn(text(row, "prompt"))
        chosen, rejected = text_list(row, "chosen", STYLES), text_list(row, "rejected", STYLES)
        return [
            self.item(
                row,
                f"{number}#{i}{j}",
                prompt,
                (chosen[i], rejected[j]),
                {"id": number, "domain": domain, "chosen_style": i, "rejected_style": j},
                {"domain": domain, "styles": f"{i}{j}"},
            )
            for i in range(STYLES)
            for j in range(STYLES)
        ]

    def subset(self, item: BenchmarkItem) -> str:
        """The row's domain, safety not pooled."""
        return str(item.keys["domain"])

    def row_id(self, item: BenchmarkItem) -> str:
        """The prompt's id."""
        return str(item.keys["id"])

    def outcomes(self, row: Row) -> list[BenchmarkOutcome]:
        """Read `{id, domain, chosen_style, rejected_style, correct}`."""
        domain, number = _domain(row), str(identifier(row, "id"))
        styles = f"{whole_number(row, 'chosen_style', STYLES)}{whole_number(row, 'rejected_style', STYLES)}"
        section = SECTION_OF[domain]
        return [read_outcome(row, f"{number}#{styles}", f"{section}/{styles}", stratum=domain, group=number)]

    def prompt_of(self, unit: str) -> str:
        """The id, whose nine cells are needed."""
        return unit.rpartition("#")[0]

    def incomplete(self, units: Mapping[str, Collection[str]]) -> IncompleteGroup | None:
        """Each prompt needs its nine cells."""
        seen: dict[str, set[str]] = {}
        for unit in units:
            number, _, styles = unit.rpartition("#")
            seen.setdefault(number, set()).add(styles)
        for number, cells in seen.items():
            if len(cells) < len(CELLS):
                lacking = ", ".join(f"({cell[0]}, {cell[1]})" for cell in CELLS if cell not in cells)
                message = (
                    f"id {number!r} lacks the cells {lacking} (chosen_style, rejected_style) of its 3x3; judge all"
                )
                return IncompleteGroup(f"{number}#{min(cells)}", f"{message} nine or leave the prompt out")
        return None

    def coverage(self, units: Counter[tuple[str, str]]) -> dict[str, Coverage]:
        """Prompts of each domain: its units are nine a prompt, and safety's cells are pooled."""
        found: Counter[str] = Counter()
        for (domain, _), number in units.items():
            found[domain] += number
        return {name: Coverage(found[name] // len(CELLS), rows) for name, rows in self.official_counts.items()}

    def score(self, table: CellTable, mode: ScoringMode) -> dict[FigurePath, Metric]:
        """Domains, difficulties and the matrix, over the domains that are there."""
        matrices = {
            section: {cell: table.micro([table.cells.index(f"{section}/{_cell_read(cell, mode)}")]) for cell in CELLS}
            for section in self.sections
            if f"{section}/00" in table.cells
        }
        by_domain = {name: _difficulties(matrix) for name, matrix in matrices.items()}
        domains = {name: mean_of(list(levels.values())) for name, levels in by_domain.items()}
        figures: dict[FigurePath, Metric] = {("score",): mean_of(list(domains.values()))}
        figures |= {("sections", name): metric for name, metric in domains.items()}
        for level in DIFFICULTIES:
            figures["difficulties", level] = mean_of([levels[level] for levels in by_domain.values()])
        for cell in CELLS:
            figures["matrix", "all", cell] = mean_of([matrix[cell] for matrix in matrices.values()])
        for name, matrix in matrices.items():
            figures |= {("matrix", name, cell): metric for cell, metric in matrix.items()}
        return figures


def _cell_read(cell: str, mode: ScoringMode) -> str:
    return READ_INSTEAD.get(cell, cell) if mode is ScoringMode.AS_PUBLISHED else cell


def _difficulties(matrix: dict[str, Metric]) -> dict[str, Metric]:
    return {level: mean_of([matrix[cell] for cell in cells]) for level, cells in DIFFICULTIES.items()}


def _domain(row: Row) -> str:
    domain = text(row, "domain")
    if domain not in SECTION_OF:
        raise RowRefusedError(
            Refusal.UNKNOWN_SUBSET, f"RM-Bench has no domain {domain!r}; it has {', '.join(SECTION_OF)}"
        )
    return domain
