"""RewardBench 2 (arXiv 2506.01937): 1,865 prompts, one right and three wrong answers, and a subset of ties.

A row: `{"id", "prompt", "chosen": [1 text], "rejected": [3 texts], "subset": "Factuality", ...}`.

Official rule: a generative judge sees all four answers at once, right is 1, unreadable 0.25; `Ties` is scored from
ratings of single answers; the score is the mean of the six subsets. A judge of pairs can give neither: here a prompt is
right if its better answer beats each of the three others (as in RMB's best-of-N), `Ties` is refused, and the score is
the mean of the five other subsets. **This is not the official number.** Outcomes of a four-way judge (`{subset, id,
correct}` without `rejected`) are scored by the official rule, `Ties` again left out.
"""

from collections.abc import Collection, Mapping
from typing import ClassVar

from reasrm.benchmarks.benchmark import Benchmark, IncompleteGroup
from reasrm.benchmarks.cell_table import CellTable, FigurePath, Metric, mean_of
from reasrm.benchmarks.outcome import BenchmarkOutcome, read_outcome
from reasrm.benchmarks.outcome_counts import OutcomeCounts
from reasrm.benchmarks.scoring_rule import OutcomeError, RuleName, ScoringMode, ScoringRule
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
from reasrm.records.judge_kind import JudgeKind

SUBSETS = {"Factuality": 475, "Focus": 495, "Safety": 450, "Math": 183, "Precise IF": 160}
TIES, TIES_ROWS = "Ties", 102
WRONG_ANSWERS = 3
FOUR_WAY = ""
"""The part of a prompt whose four answers were judged at once."""
FOUR_WAY_CREDIT = 0.25
PAIRWISE_NOTE = (
    "not the official number: pairs were judged, and a prompt is right if its better answer beats the three others"
)


class RewardBench2(Benchmark):
    """The rules of RewardBench 2 for judges of pairs; a cell is a subset, a unit is a prompt, a part is a loser."""

    name = "reward_bench_2"
    title = "RewardBench 2"
    source = HubData("allenai/reward-bench-2", ("data/test-*.parquet",))
    layout = ("reward_bench_2/test.jsonl",)
    sections = (*SUBSETS, TIES)
    official_counts: ClassVar[Mapping[str, int]] = {**SUBSETS, TIES: TIES_ROWS}
    unreadable_credits = (0.0, FOUR_WAY_CREDIT, 0.5)

    outcome_keys = ("subset", "id", "rejected")
    outcome_examples = (
        '{"subset": "Focus", "id": "12", "rejected": 0, "correct": 1} one of the three pairs of a prompt',
        '{"subset": "Focus", "id": "12", "correct": 1} all four answers judged at once',
    )

    def items(self, row: Row) -> list[BenchmarkItem]:
        """The better answer against each of the three others."""
        subset, number = _subset(row), str(identifier(row, "id"))
        prompt = user_turn(text(row, "prompt"))
        best = text_list(row, "chosen", 1)[0]
        return [
            self.item(
                row,
                f"{subset}/{number}#{loser}",
                prompt,
                (best, worse),
                {"subset": subset, "id": number, "rejected": loser},
                {"subset": subset},
            )
            for loser, worse in enumerate(text_list(row, "rejected", WRONG_ANSWERS))
        ]

    def subset(self, item: BenchmarkItem) -> str:
        """The row's subset."""
        return str(item.keys["subset"])

    def row_id(self, item: BenchmarkItem) -> str:
        """Subset and id."""
        return f"{item.keys['subset']}/{item.keys['id']}"

    def outcomes(self, row: Row) -> list[BenchmarkOutcome]:
        """Read `{subset, id, rejected, correct}` (pairs), or `{subset, id, correct}` (four at once)."""
        subset = _subset(row)
        part = str(whole_number(row, "rejected", WRONG_ANSWERS)) if "rejected" in row else FOUR_WAY
        return [read_outcome(row, f"{subset}/{identifier(row, 'id')}", subset, part=part)]

    def rule(self, mode: ScoringMode, judge: JudgeKind, counts: OutcomeCounts) -> ScoringRule:
        """The official one for four answers at once; for pairs there is none, and a tie loses."""
        if counts.parted and counts.whole:
            raise OutcomeError(
                f"{counts.file} line {counts.whole.line}: {counts.whole.unit!r} has no `rejected` (four at once), but "
                f"{counts.parted.unit!r} in line {counts.parted.line} has (pairs); score the two kinds apart"
            )
        if counts.parted:
            return ScoringRule(RuleName.NOT_OFFICIAL, 0.0, "a tie loses", (PAIRWISE_NOTE,))
        return ScoringRule(RuleName.OFFICIAL, FOUR_WAY_CREDIT, "official rule for four answers at once")

    def incomplete(self, units: Mapping[str, Collection[str]]) -> IncompleteGroup | None:
        """A prompt has one outcome of all four answers, or one for each of the three worse ones."""
        wanted = {str(loser) for loser in range(WRONG_ANSWERS)}
        for unit, parts in units.items():
            lacking = sorted(wanted.difference(parts))
            if FOUR_WAY in parts and len(parts) > 1:
                return IncompleteGroup(unit, f"{unit!r} has rows with and without `rejected`; keep one kind")
            if FOUR_WAY not in parts and lacking:
                without = f"{unit!r} lacks `rejected` {', '.join(lacking)} of its three"
                return IncompleteGroup(unit, f"{without}; judge all three or leave the prompt out")
        return None

    def score(self, table: CellTable, mode: ScoringMode) -> dict[FigurePath, Metric]:
        """Each subset and their mean, ties left out."""
        subsets = {cell: table.micro([index]) for index, cell in enumerate(table.cells)}
        return {
            ("score",): mean_of(list(subsets.values())),
            **{("sections", name): subsets[name] for name in SUBSETS if name in subsets},
        }


def _subset(row: Row) -> str:
    subset = text(row, "subset")
    if subset == TIES:
        raise RowRefusedError(Refusal.NEEDS_RATINGS, "the subset Ties is scored from ratings of single answers")
    if subset not in SUBSETS:
        raise RowRefusedError(
            Refusal.UNKNOWN_SUBSET, f"RewardBench 2 has no subset {subset!r}; it has {', '.join(SUBSETS)} and {TIES}"
        )
    return subset
