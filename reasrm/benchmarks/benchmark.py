"""What a benchmark is: its rows, the items made of them, and the official rule that turns outcomes into a score.

One file defines one benchmark, and `registry.py` lists it; nothing else has to know it. Rows in the published schema
become items (`items`), which are judged; each judgment becomes an outcome row (`outcome_row`), which anyone may also
bring in a file; `outcomes` reads such rows, and `score` turns their sums into the official figures. Four terms:

- *unit*: what the official rule counts once (a RewardBench row, one of RM-Bench's nine cells, a best-of-N group);
- *part*: a comparison of a unit that has several (each loser of a best-of-N group);
- *cell*: the smallest set of units over which the official rule averages (a subset, one cell of one domain, ...);
- *group*: units that depend on each other (same prompt); the cluster that is resampled for intervals.
"""

import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from reasrm.benchmarks.cell_table import CellTable, FigurePath, Metric
from reasrm.benchmarks.outcome import BenchmarkOutcome
from reasrm.benchmarks.outcome_counts import OutcomeCounts
from reasrm.benchmarks.scoring_rule import RuleName, ScoringMode, ScoringRule
from reasrm.datasets.hub import GitData, HubData
from reasrm.datasets.row_fields import Row, prompt_group
from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.judge_kind import JudgeKind
from reasrm.records.pair import Message, PreferencePair

MINIATURE_COLUMNS = ("family", "slice")
"""Columns of rows that no published benchmark has: what a question of the miniature asks."""


class Coverage(NamedTuple):
    """Rows of a subset that were scored, and how many the published data have."""

    found: int
    official: int


class IncompleteGroup(NamedTuple):
    """What is missing so that no score can be computed."""

    unit: str
    """A unit that is there, to say where."""
    message: str


class Benchmark(ABC):
    """The rules of one benchmark; what most have in common stands here."""

    name: ClassVar[str]
    """In parameters, files and commands."""
    title: ClassVar[str]
    """The authors' own spelling, for readers."""
    sections: ClassVar[tuple[str, ...]]
    """The official sections, in the benchmark's order."""
    source: ClassVar[HubData | GitData]
    """Where it is published."""
    layout: ClassVar[tuple[str, ...]]
    """Where its rows stand below a folder of files (`data/raw/README.md`); patterns match many files."""
    official_counts: ClassVar[Mapping[str, int]]
    """Rows of each subset in the published data."""
    outcome_keys: ClassVar[tuple[str, ...]]
    """Keys of an item that its outcome row repeats."""
    outcome_examples: ClassVar[tuple[str, ...]]
    """Outcome rows as a user writes them, for `reasrm score --help`; what follows a row explains it."""
    unreadable_has_credit: ClassVar[bool] = True
    """Whether the rule knows a worth of unreadable verdicts."""
    unreadable_credits: ClassVar[tuple[float, ...]] = (0.0, 0.5)
    """Every worth that some rule or setting gives them."""
    never_asked: ClassVar[int | None] = 0
    """What a comparison counts that the judge was not asked about: wrong, or no verdict."""

    @abstractmethod
    def items(self, row: Row) -> list[BenchmarkItem]:
        """The comparisons that a row in the benchmark's own schema asks for.

        Raises:
            RowRefusedError: the row cannot be used.
        """

    @abstractmethod
    def subset(self, item: BenchmarkItem) -> str:
        """The subset (a key of `official_counts`) that the item's row belongs to."""

    def row_id(self, item: BenchmarkItem) -> str:
        """What identifies the item's row within the benchmark; the item's id where a row is one item."""
        return item.item_id

    def outcome_row(self, item: BenchmarkItem) -> dict[str, Any]:
        """The keys of the outcome row of `item` (`correct` not yet in it)."""
        return {field: item.keys[field] for field in self.outcome_keys}

    @abstractmethod
    def outcomes(self, row: Row) -> list[BenchmarkOutcome]:
        """Read a row of an outcome file.

        Raises:
            RowRefusedError: a field is missing or has a value that the benchmark does not know.
        """

    @abstractmethod
    def score(self, table: CellTable, mode: ScoringMode) -> dict[FigurePath, Metric]:
        """The official figures; the headline stands under `("score",)`. Each is linear in the table's sums."""

    def rule(self, mode: ScoringMode, judge: JudgeKind, counts: OutcomeCounts) -> ScoringRule:
        """The rule that applies to such outcomes.

        Raises:
            OutcomeError: no rule applies; says why and the way out.
        """
        return ScoringRule(RuleName(mode.value), 0.0, "a tie loses")

    def unit_value(self, runs: Sequence[Sequence[int | None]], credit: float) -> float:
        """The value of a unit in [0, 1]: `runs` holds the outcomes of all parts, once per order or sample.

        The mean over orders of the product over parts: a unit of one part is worth the share of orders in which it was
        right; a best-of-N group wins an order if the best answer beats every loser in it.
        """
        return math.fsum(math.prod(credit if part is None else part for part in run) for run in runs) / len(runs)

    def prompt_of(self, unit: str) -> str:
        """What is judged whole or not at all: all units of it are needed for a score."""
        return unit

    def incomplete(self, units: Mapping[str, Collection[str]]) -> IncompleteGroup | None:
        """What a group lacks, given its units with their parts; None if nothing."""
        return None

    def coverage(self, units: Counter[tuple[str, str]]) -> dict[str, Coverage]:
        """Each published subset against the units that were scored, which are given by stratum and cell."""
        found: Counter[str] = Counter()
        for (_, cell), number in units.items():
            found[cell] += number
        return {name: Coverage(found[name], official) for name, official in self.official_counts.items()}

    def item(
        self,
        row: Row,
        item_id: str,
        prompt: tuple[Message, ...],
        answers: tuple[str, str],
        keys: Mapping[str, str | int],
        labels: dict[str, str],
    ) -> BenchmarkItem:
        """A comparison of `row`: `answers` are the better and the worse one, `labels` are the pair's.

        Its group is the conversation, and a row's `family` and `slice` (columns of the miniature's rows) are kept in
        its keys.
        """
        better, worse = answers
        added = {key: row[key] for key in MINIATURE_COLUMNS if isinstance(row.get(key), str)}
        return BenchmarkItem(
            benchmark=self.name,
            item_id=item_id,
            group=prompt_group(prompt),
            pair=PreferencePair(prompt=prompt, chosen=better, rejected=worse, source=self.name, labels=labels),
            keys={**keys, **added},
        )
