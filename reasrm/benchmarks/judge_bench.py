"""JudgeBench (arXiv 2410.12784): pairs of answers of one model with an objectively right and a wrong one.

A row: `{"pair_id", "original_id", "source": "mmlu-pro-law", "question", "response_model", "response_A", "response_B",
"label": "A>B"}`; two splits, answers by GPT-4o (350 rows) and by Claude 3.5 Sonnet (270).

Official rule (`utils/metrics.py`): each pair is judged in both orders; an order that agrees with the label adds one,
one that says the opposite takes one away, no verdict does nothing; the pair is right if the sum is above zero. So right
and unreadable is right, right and wrong is not. Reported: the share of right pairs per source group and over all.
Outcomes of one order are scored by the same sum, but that is not the official number: it asks for no consistency.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import ClassVar

from reasrm.benchmarks.benchmark import Benchmark, Coverage
from reasrm.benchmarks.cell_table import CellTable, FigurePath, Metric
from reasrm.benchmarks.outcome import ORDERS, BenchmarkOutcome, read_correct, read_outcome
from reasrm.benchmarks.outcome_counts import OutcomeCounts
from reasrm.benchmarks.scoring_rule import RuleName, ScoringMode, ScoringRule
from reasrm.datasets.hub import HubData
from reasrm.datasets.row_fields import Refusal, Row, RowRefusedError, quoted, required, text, user_turn
from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.judge_kind import JudgeKind

SOURCES = ("mmlu-pro", "livebench-reasoning", "livebench-math", "livecodebench")
SPLIT_OF_MODEL = {"gpt": "gpt", "claude": "claude"}
"""How the name of the answering model begins, to the split."""
MMLU_PRO_SUBJECTS = frozenset((
    "biology", "business", "chemistry", "computer science", "economics", "engineering", "health", "history", "law",
    "math", "other", "philosophy", "physics", "psychology",
))  # fmt: skip


class JudgeBench(Benchmark):
    """The rules of JudgeBench; a cell is a source group of one split, a unit is a pair."""

    name = "judge_bench"
    title = "JudgeBench"
    source = HubData("ScalerLab/JudgeBench", ("data/gpt*", "data/claude*"))
    layout = ("judge_bench/gpt.jsonl", "judge_bench/claude.jsonl")
    sections = SOURCES
    unreadable_has_credit = False
    never_asked = None
    official_counts: ClassVar[Mapping[str, int]] = {
        "gpt/mmlu-pro": 154, "gpt/livebench-reasoning": 98, "gpt/livebench-math": 56, "gpt/livecodebench": 42,
        "claude/mmlu-pro": 154, "claude/livebench-reasoning": 51, "claude/livebench-math": 34,
        "claude/livecodebench": 31,
    }  # fmt: skip

    outcome_keys = ("pair_id", "source", "split")
    outcome_examples = ('{"pair_id": "2d98...", "source": "mmlu-pro-law", "correct_first": 1, "correct_second": 0}',)

    def items(self, row: Row) -> list[BenchmarkItem]:
        """The pair of a row, its better answer by the label."""
        number, source, split = text(row, "pair_id"), text(row, "source"), _split(row)
        _group_of(source)
        prompt = user_turn(text(row, "question"))
        answers = text(row, "response_A"), text(row, "response_B")
        label = text(row, "label")
        if label not in ("A>B", "B>A"):
            raise RowRefusedError(Refusal.WRONG_TYPE, f"`label` must be A>B or B>A, it is {quoted(label)}")
        better_first = answers if label == "A>B" else answers[::-1]
        keys = {"pair_id": number, "source": source, "split": split}
        return [self.item(row, number, prompt, better_first, keys, {"source": source, "split": split})]

    def subset(self, item: BenchmarkItem) -> str:
        """Split and source group."""
        return f"{item.keys['split']}/{_group_of(str(item.keys['source']))}"

    def outcomes(self, row: Row) -> list[BenchmarkOutcome]:
        """Read `{pair_id, source, correct_first, correct_second}` (both orders), or `correct` with one order a row."""
        number, source = text(row, "pair_id"), _group_of(text(row, "source"))
        cell = f"{_known_split(row)}/{source}" if "split" in row else source
        if "correct" in row:
            return [read_outcome(row, number, cell)]
        pair = read_outcome({**row, "correct": None, "order": ""}, number, cell)
        return [pair._replace(order=order, correct=read_correct(row, f"correct_{order}")) for order in ORDERS]

    def rule(self, mode: ScoringMode, judge: JudgeKind, counts: OutcomeCounts) -> ScoringRule:
        """Official only with one judgment of each pair in each order."""
        reason = "neither for nor against its pair"
        if counts.one_order == 0 and counts.rows_per_comparison == len(ORDERS):
            return ScoringRule(RuleName.OFFICIAL, 0.0, reason)
        seen = "one order" if counts.one_order else f"{counts.rows_per_comparison} rows a pair"
        note = f"not the official number, which needs one judgment in each of both orders: this is {seen}"
        return ScoringRule(RuleName.NOT_OFFICIAL, 0.0, reason, (note,))

    def unit_value(self, runs: Sequence[Sequence[int | None]], credit: float) -> float:
        """1 if more orders are right than wrong; `credit` is no part of the rule."""
        return float(sum({1: 1, 0: -1, None: 0}[part] for run in runs for part in run) > 0)

    def coverage(self, units: Counter[tuple[str, str]]) -> dict[str, Coverage]:
        """The source groups of the splits that were judged; of both together where rows name no split."""
        named = super().coverage(units)
        judged = {cell.split("/")[0] for _, cell in units if "/" in cell}
        found = {name: share for name, share in named.items() if name.split("/")[0] in judged}
        for source in SOURCES if any("/" not in cell for _, cell in units) else ():
            number = sum(count for (_, cell), count in units.items() if cell == source)
            official = sum(rows for name, rows in self.official_counts.items() if name.endswith(f"/{source}"))
            found[f"{source} (no split named)"] = Coverage(number, official)
        return found

    def score(self, table: CellTable, mode: ScoringMode) -> dict[FigurePath, Metric]:
        """The share of right pairs over all, per source group, and per split where it is known."""
        everything = list(range(len(table.cells)))
        by_source = {source: [i for i in everything if table.cells[i].endswith(source)] for source in SOURCES}
        by_split = {split: table.where(split) for split in SPLIT_OF_MODEL.values()}
        return {
            ("score",): table.micro(everything),
            **{("sections", source): table.micro(cells) for source, cells in by_source.items() if cells},
            **{("splits", split): table.micro(cells) for split, cells in by_split.items() if cells},
            **{
                ("splits_by_source", cell): table.micro([index])
                for index, cell in enumerate(table.cells)
                if cell not in SOURCES
            },
        }


def _group_of(source: str) -> str:
    """The source group of a source."""
    if source in SOURCES:
        return source
    if source.startswith("mmlu-pro-") and source.removeprefix("mmlu-pro-") in MMLU_PRO_SUBJECTS:
        return "mmlu-pro"
    raise RowRefusedError(
        Refusal.UNKNOWN_SUBSET,
        f"JudgeBench has no source {source!r}; it has mmlu-pro-<subject>, livebench-reasoning, livebench-math, "
        f"livecodebench",
    )


def _split(row: Row) -> str:
    model = str(required(row, "response_model"))
    for beginning, split in SPLIT_OF_MODEL.items():
        if model.startswith(beginning):
            return split
    raise RowRefusedError(Refusal.UNKNOWN_SUBSET, f"answers by {model!r}: neither of the splits gpt and claude")


def _known_split(row: Row) -> str:
    split = text(row, "split")
    if split not in SPLIT_OF_MODEL.values():
        raise RowRefusedError(Refusal.UNKNOWN_SUBSET, f"`split` must be gpt or claude, it is {quoted(split)}")
    return split
