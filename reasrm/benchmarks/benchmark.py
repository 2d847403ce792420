"""What a benchmark is: its rows, the items made of them, and the official rule that turns outcomes into a score.

A benchmark sees outcomes, never texts: an outcome says whether one comparison was decided rightly. Four words:

- *unit*: what the official rule counts once (a RewardBench row, one of RM-Bench's nine cells, a best-of-N group);
- *part*: a comparison of a unit that has several (each loser of a best-of-N group);
- *cell*: the smallest set of units over which the official rule averages (a subset, one cell of one domain, ...);
- *group*: units that depend on each other (same prompt); the cluster that is resampled for intervals.
"""

import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

import numpy as np

from reasrm.benchmarks.counts import Counts
from reasrm.datasets.hub import GitData, HubData
from reasrm.datasets.refused_rows import Row
from reasrm.records.benchmark_item import BenchmarkItem


class BenchmarkName(StrEnum):
    """The benchmarks we know."""

    REWARD_BENCH = "reward_bench"
    RM_BENCH = "rm_bench"
    RMB = "rmb"
    JUDGE_BENCH = "judge_bench"
    REWARD_BENCH_2 = "reward_bench_2"


class Mode(StrEnum):
    """By which rule a score is computed."""

    OFFICIAL = "official"
    """The benchmark's own rule."""
    AS_PUBLISHED = "as_published"
    """What RM-R1's scripts print, defects included; for comparison with published figures only."""


class UnreadableRule(StrEnum):
    """What a reply without a readable verdict is worth."""

    BENCHMARK = "benchmark"
    """What the benchmark (or, as published, RM-R1) says."""
    ZERO = "zero"
    HALF = "half"


class JudgeKind(StrEnum):
    """Which of a benchmark's rules a judge falls under."""

    GENERATIVE = "generative"
    """It writes; what it wrote may hold no verdict."""
    SCALAR = "scalar"
    """It scores each answer; equal scores are a tie."""


class RuleName(StrEnum):
    """Whose number a score is."""

    OFFICIAL = "official"
    AS_PUBLISHED = "as_published"
    NOT_OFFICIAL = "not_official"
    """The official rule asks for something else than these outcomes; the notes say what."""


class Rule(NamedTuple):
    """The rule that outcomes of some kind are scored by."""

    name: RuleName
    credit: float
    """What an unreadable verdict is worth."""
    reason: str
    """Why it is worth that, in words."""
    notes: tuple[str, ...] = ()
    """What must be known with the score, one sentence each."""


class Coverage(NamedTuple):
    """Rows of a subset that were scored, and how many the published data have."""

    found: int
    official: int


class Lack(NamedTuple):
    """What a group lacks so that no score can be computed."""

    unit: str
    """A unit that is there, to say where."""
    message: str


class OutcomeError(ValueError):
    """Outcomes that no score can be computed from; says file, line, value and way out."""


class Outcome(NamedTuple):
    """Whether one comparison, shown in one order, was decided rightly."""

    group: str
    stratum: str
    """Groups are resampled within their stratum."""
    cell: str
    unit: str
    part: str
    order: str
    """`first` (better answer shown first), `second`, or empty where the source does not say."""
    sample: int
    correct: int | None
    """1, 0, or None if there is no verdict."""
    asked: bool = True
    """Whether the judge was asked at all; a prompt that does not fit into its context never is."""


class Metric(NamedTuple):
    """One figure of a score, for the data and for each resampled set of it."""

    values: np.ndarray
    """[B]"""
    cells: list[int]
    """The cells it is made of."""
    plain: bool = False
    """Whether it is the plain mean over the units of its cells, unweighted."""


Path = tuple[str, ...]
"""Where a figure stands in the score: `("score",)`, `("sections", "Chat")`."""


@dataclass(frozen=True)
class CellTable:
    """Sums over the units of each cell, in one row per resampled set of data."""

    cells: list[str]
    sums: np.ndarray
    """[B, C] sum of the values of the units."""
    counts: np.ndarray
    """[B, C] number of units."""

    def micro(self, cells: list[int]) -> Metric:
        """The mean over all units of `cells`; NaN where there is none."""
        sums, counts = self.sums[:, cells].sum(axis=1), self.counts[:, cells].sum(axis=1)
        return Metric(ratio(sums, counts), cells, plain=True)

    def where(self, prefix: str) -> list[int]:
        """The cells whose name is `prefix` or begins with `prefix` and a slash."""
        return [i for i, cell in enumerate(self.cells) if cell == prefix or cell.startswith(f"{prefix}/")]


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Elementwise division, NaN where the denominator is zero."""
    result: np.ndarray = np.divide(
        numerator, denominator, out=np.full(np.shape(numerator), np.nan), where=np.asarray(denominator) > 0
    )
    return result


def mean_of(metrics: Sequence[Metric]) -> Metric:
    """The unweighted mean of figures."""
    values = np.stack([metric.values for metric in metrics])
    return Metric(values.mean(axis=0), sorted({cell for metric in metrics for cell in metric.cells}))


class Benchmark(ABC):
    """The rules of one benchmark; what most have in common stands here."""

    name: ClassVar[BenchmarkName]
    sections: ClassVar[tuple[str, ...]]
    """The official sections, in the benchmark's order."""
    source: ClassVar[HubData | GitData]
    """Where it is published."""
    layout: ClassVar[tuple[str, ...]]
    """Where its rows stand below a folder of files (`data/raw/README.md`); patterns match many files."""
    official_counts: ClassVar[Mapping[str, int]]
    """Rows of each subset in the published data."""
    has_credit: ClassVar[bool] = True
    """Whether the rule knows a worth of unreadable verdicts."""
    credits: ClassVar[tuple[float, ...]] = (0.0, 0.5)
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

    @abstractmethod
    def row_id(self, item: BenchmarkItem) -> str:
        """What identifies the item's row within the benchmark."""

    @abstractmethod
    def outcome_row(self, item: BenchmarkItem) -> dict[str, Any]:
        """The keys of the outcome row of `item` (`correct` not yet in it)."""

    @abstractmethod
    def outcomes(self, row: Row) -> list[Outcome]:
        """Read a row of an outcome file.

        Raises:
            RowRefusedError: a field is missing or has a value that the benchmark does not know.
        """

    @abstractmethod
    def score(self, table: CellTable, mode: Mode) -> dict[Path, Metric]:
        """The official figures; the headline stands under `("score",)`. Each is linear in the table's sums."""

    def rule(self, mode: Mode, judge: JudgeKind, counts: Counts) -> Rule:
        """The rule that applies to such outcomes.

        Raises:
            OutcomeError: no rule applies; says why and the way out.
        """
        return Rule(RuleName(mode.value), 0.0, "a tie loses")

    def unit_value(self, runs: Sequence[Sequence[int | None]], credit: float) -> float:
        """The value of a unit in [0, 1]: `runs` holds the outcomes of all parts, once per order or sample.

        The mean over orders of the product over parts: a unit of one part is worth the share of orders in which it was
        right; a best-of-N group wins an order if the best answer beats every loser in it.
        """
        return math.fsum(math.prod(credit if part is None else part for part in run) for run in runs) / len(runs)

    def prompt_of(self, unit: str) -> str:
        """What is judged whole or not at all: all units of it are needed for a score."""
        return unit

    def lack(self, units: Mapping[str, Collection[str]]) -> Lack | None:
        """What a group lacks, given its units with their parts; None if nothing."""
        return None

    def coverage(self, units: Counter[tuple[str, str]]) -> dict[str, Coverage]:
        """Each published subset against the units that were scored, which are given by stratum and cell."""
        found: Counter[str] = Counter()
        for (_, cell), number in units.items():
            found[cell] += number
        return {name: Coverage(found[name], official) for name, official in self.official_counts.items()}
