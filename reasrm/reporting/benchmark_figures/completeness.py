"""Whether every row of every benchmark was used: counts against the official ones, refusals by reason, and the source.

`collect_benchmarks` writes the account to `data/benchmarks/completeness.json`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from reasrm.datasets.row_files import DataSource
from reasrm.records.benchmark_folder import ACCOUNT
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

    source: DataSource | None = None
    """Where the rows came from; None where the account does not say."""
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


def read_completeness(folder: Path, labels: Mapping[str, str]) -> tuple[CompletenessRow, ...]:
    """The account of each benchmark, in the order of `labels`.

    Raises:
        BadRecordError: the file is not what `collect_benchmarks` writes.
    """
    file = folder / ACCOUNT
    try:
        accounts = _ACCOUNTS.validate_json(file.read_bytes())
    except ValidationError as error:
        raise BadRecordError(f"{file}: not an account of benchmarks: {explain(error)}") from error
    order = [name for name in labels if name in accounts] + sorted(accounts.keys() - labels.keys())
    return tuple(CompletenessRow(name, labels.get(name, name), accounts[name]) for name in order)
