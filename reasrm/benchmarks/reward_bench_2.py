"""RewardBench 2 (arXiv 2506.01937): 1,865 prompts, one right and three wrong answers, and a subset of ties.

A row: `{"id", "prompt", "chosen": [1 text], "rejected": [3 texts], "subset": "Factuality", ...}`.

Official rule: a generative judge sees all four answers at once, right is 1, unreadable 0.25; `Ties` is scored from
ratings of single answers; the score is the mean of the six subsets. A judge of pairs can give neither: here a prompt is
right if its better answer beats each of the three others (as in RMB's best-of-N), `Ties` is refused, and the score is
the mean of the five other subsets. **This is not the official number.** Outcomes of a four-way judge (`{subset, id,
correct}` without `rejected`) are scored by the official rule, `Ties` again left out.
"""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from reasrm.benchmarks.benchmark import (
    Benchmark,
    BenchmarkName,
    CellTable,
    JudgeKind,
    Lack,
    Metric,
    Mode,
    Outcome,
    OutcomeError,
    Path,
    Rule,
    RuleName,
    mean_of,
)
from reasrm.benchmarks.counts import Counts
from reasrm.benchmarks.outcome_rows import outcome_of
from reasrm.datasets.hub import GitData, HubData
from reasrm.datasets.refused_rows import Refusal, Row, RowRefusedError
from reasrm.datasets.row_fields import key, pair_of, place, prompt_group, text, texts, with_family
from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.pair import Message, Role

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

    name = BenchmarkName.REWARD_BENCH_2
    source: ClassVar[HubData | GitData] = HubData("allenai/reward-bench-2", ("data/test-*.parquet",))
    layout: ClassVar[tuple[str, ...]] = ("reward_bench_2/test.jsonl",)
    sections: ClassVar[tuple[str, ...]] = (*SUBSETS, TIES)
    official_counts: ClassVar[Mapping[str, int]] = {**SUBSETS, TIES: TIES_ROWS}
    credits: ClassVar[tuple[float, ...]] = (0.0, FOUR_WAY_CREDIT, 0.5)

    def items(self, row: Row) -> list[BenchmarkItem]:
        """The better answer against each of the three others."""
        subset, number = _subset(row), str(key(row, "id"))
        prompt = (Message(role=Role.USER, content=text(row, "prompt")),)
        best = texts(row, "chosen", 1)[0]
        return [
            BenchmarkItem(
                benchmark=self.name,
                item_id=f"{subset}/{number}#{loser}",
                group=prompt_group(prompt),
                pair=pair_of(prompt, best, worse, self.name, {"subset": subset}),
                keys=with_family({"subset": subset, "id": number, "rejected": loser}, row),
            )
            for loser, worse in enumerate(texts(row, "rejected", WRONG_ANSWERS))
        ]

    def subset(self, item: BenchmarkItem) -> str:
        """The row's subset."""
        return str(item.keys["subset"])

    def row_id(self, item: BenchmarkItem) -> str:
        """Subset and id."""
        return f"{item.keys['subset']}/{item.keys['id']}"

    def outcome_row(self, item: BenchmarkItem) -> dict[str, Any]:
        """`{subset, id, rejected}`."""
        return {field: item.keys[field] for field in ("subset", "id", "rejected")}

    def outcomes(self, row: Row) -> list[Outcome]:
        """Read `{subset, id, rejected, correct}` (pairs), or `{subset, id, correct}` (four at once)."""
        subset = _subset(row)
        part = str(place(row, "rejected", WRONG_ANSWERS)) if "rejected" in row else FOUR_WAY
        return [outcome_of(row, f"{subset}/{key(row, 'id')}", subset, part=part)]

    def rule(self, mode: Mode, judge: JudgeKind, counts: Counts) -> Rule:
        """The official one for four answers at once; for pairs there is none, and a tie loses."""
        if counts.parted and counts.whole:
            raise OutcomeError(
                f"{counts.file} line {counts.whole.line}: {counts.whole.unit!r} has no `rejected` (four at once), but "
                f"{counts.parted.unit!r} in line {counts.parted.line} has (pairs); score the two kinds apart"
            )
        if counts.parted:
            return Rule(RuleName.NOT_OFFICIAL, 0.0, "a tie loses", (PAIRWISE_NOTE,))
        return Rule(RuleName.OFFICIAL, FOUR_WAY_CREDIT, "official rule for four answers at once")

    def lack(self, units: Mapping[str, Collection[str]]) -> Lack | None:
        """A prompt has one outcome of all four answers, or one for each of the three worse ones."""
        wanted = {str(loser) for loser in range(WRONG_ANSWERS)}
        for unit, parts in units.items():
            lacking = sorted(wanted.difference(parts))
            if FOUR_WAY in parts and len(parts) > 1:
                return Lack(unit, f"{unit!r} has rows with and without `rejected`; keep one kind")
            if FOUR_WAY not in parts and lacking:
                without = f"{unit!r} lacks `rejected` {', '.join(lacking)} of its three"
                return Lack(unit, f"{without}; judge all three or leave the prompt out")
        return None

    def score(self, table: CellTable, mode: Mode) -> dict[Path, Metric]:
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
