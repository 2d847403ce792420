"""The benchmarks' names for readers, and whether every row was used: official counts, refusals by reason.

`collect_benchmarks` writes the account to `data/benchmarks/completeness.json`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from reasrm.records.jsonl import BadRecordError, explain


class SubsetCount(BaseModel):
    """Rows of one subset against the published data."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    official: int
    found: int
    missing: int


class Account(BaseModel):
    """What became of one benchmark's rows."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    rows_in: int
    rows_used: int
    refused_by_reason: dict[str, int]
    items: int
    distinct_pairs: int
    complete: bool
    subsets: dict[str, SubsetCount]


@dataclass(frozen=True)
class CompletenessRow:
    """One benchmark's account for readers."""

    name: str
    label: str
    """The benchmark's name for readers."""
    account: Account

    @property
    def official(self) -> int:
        """Rows of the published data."""
        return sum(subset.official for subset in self.account.subsets.values())

    @property
    def empty_subsets(self) -> int:
        """Official subsets without a single row here."""
        return sum(1 for subset in self.account.subsets.values() if subset.official and not subset.found)


_ACCOUNTS = TypeAdapter(dict[str, Account])


BENCHMARK_LABELS = {
    "reward_bench": "RewardBench",
    "rm_bench": "RM-Bench",
    "rmb": "RMB",
    "judge_bench": "JudgeBench",
    "reward_bench_2": "RewardBench 2",
}
"""The benchmarks' own spelling, in the paper's order."""


def benchmark_labels(miniature: bool) -> dict[str, str]:
    """Names of all benchmarks for readers, in the paper's order.

    Args:
        miniature: whether the rows are the miniature's own, which share no more than the schema with the published
            ones: their names then say so.
    """
    return {name: f"mini-{label}" if miniature else label for name, label in BENCHMARK_LABELS.items()}


def read_completeness(folder: Path, labels: Mapping[str, str]) -> tuple[CompletenessRow, ...]:
    """The account of each benchmark, in the order of `labels`.

    Raises:
        BadRecordError: the file is not what `collect_benchmarks` writes.
    """
    file = folder / "completeness.json"
    try:
        accounts = _ACCOUNTS.validate_json(file.read_bytes())
    except ValidationError as error:
        raise BadRecordError(f"{file}: not an account of benchmarks: {explain(error)}") from error
    order = [name for name in labels if name in accounts] + sorted(accounts.keys() - labels.keys())
    return tuple(CompletenessRow(name, labels.get(name, name), accounts[name]) for name in order)
