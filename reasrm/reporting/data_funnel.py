"""What became of the data: pairs that were taken, asked about, answered rightly and kept, and why others were not.

Counted from the records themselves, so that the picture cannot disagree with what the next stage learns from.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from reasrm.datasets.origins import DataOrigin, OriginOf, read_origins
from reasrm.judging.verdict import Verdict, read_verdict
from reasrm.records.jsonl import BadRecordError, explain, read_records, read_rows
from reasrm.records.reply import Finish
from reasrm.records.trace import KeptTrace, OracleTrace, RejectedTrace, TraceOutcome, TracePass

PAIR_SETS = ("distill", "reinforce", "dev")
"""What pairs are for: distillation and SFT, reinforcement, and judging on while a model trains."""


class PassCost(BaseModel):
    """What one oracle pass used, from `data/traces/<pass>.metrics.json`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    input_tokens: int
    output_tokens: int
    usd: float | None
    """At the prices that the pass counted with; None where they are not known."""
    prices_as_of: str | None = None
    """Their day, or the library and version that they are from."""


class PublishedRows(BaseModel):
    """What became of the rows of published traces, from `data/traces/first.metrics.json`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    source: str
    """`published` or `files`."""
    rows_in: int
    refused: dict[str, int]
    """Rows that are no traces, by reason."""
    labelled_by_reply: int
    """Traces of which nothing but their own verdict says that it is right."""


@dataclass(frozen=True)
class PassCounts:
    """How one oracle pass ended."""

    oracle_pass: TracePass
    models: tuple[str, ...]
    """Dated ids of the models that were asked."""
    asked: int
    right: int
    """Replies with the right verdict."""
    wrong: int
    unreadable: Counter[str]
    """Complete replies without a verdict, by reason."""
    lost: Counter[str]
    """No usable reply, by outcome (truncated, refused, ...)."""
    cost: PassCost | None = None
    """None where the traces come from elsewhere."""


@dataclass(frozen=True)
class Funnel:
    """The way of the data from pairs to kept traces."""

    pairs: dict[str, int]
    """Pairs by what they are for."""
    sources: dict[str, dict[str, int]]
    """Pairs by source, for each of `PAIR_SETS`."""
    pairs_rejected: Counter[str]
    """Pairs left out at the entrance, by reason."""
    passes: tuple[PassCounts, ...]
    kept: Counter[TracePass]
    """Traces that SFT trains on, by the pass that gave them."""
    kept_sources: Counter[str]
    traces_rejected: dict[TracePass, Counter[str]]
    """Traces left out, by pass and reason."""
    published: PublishedRows | None = None
    """None where an oracle was asked."""
    origins: dict[OriginOf, tuple[DataOrigin, ...]] = field(default_factory=dict)
    """What comes from others, with revisions and licences."""

    @property
    def usd(self) -> float | None:
        """Dollars of all passes; None where one of them is not known."""
        known = [one.cost.usd for one in self.passes if one.cost is not None and one.cost.usd is not None]
        return sum(known) if known and len(known) == len(self.passes) else None

    @property
    def prices_as_of(self) -> str:
        """Day or origin of the prices behind `usd`."""
        return ", ".join(sorted({one.cost.prices_as_of for one in self.passes if one.cost and one.cost.prices_as_of}))

    @property
    def widest(self) -> int:
        """The largest number in the picture."""
        rows = 0 if self.published is None else self.published.rows_in
        return max(rows, *self.pairs.values(), *(counts.asked for counts in self.passes), self.kept.total())

    def losses(self) -> list[tuple[str, str, int]]:
        """Everything that was left out: where, why and how many."""
        rows = [("pairs", reason, count) for reason, count in sorted(self.pairs_rejected.items())]
        if self.published is not None:
            rows += [("published rows", reason, count) for reason, count in sorted(self.published.refused.items())]
        for counts in self.passes:
            where = f"{counts.oracle_pass} pass, no usable reply"
            rows += [(where, reason, count) for reason, count in sorted(counts.lost.items())]
        for oracle_pass, reasons in self.traces_rejected.items():
            where = f"{oracle_pass} pass, trace not kept"
            rows += [(where, reason, count) for reason, count in sorted(reasons.items())]
        return rows

    def source_names(self) -> list[str]:
        """All sources of pairs and of kept traces."""
        return sorted({name for counted in self.sources.values() for name in counted} | set(self.kept_sources))


def read_funnel(pairs: Path, traces: Path) -> Funnel:
    """Count the records below the two folders.

    Raises:
        BadRecordError: a line is not the record that it should be; says file and line.
    """
    sources = {name: Counter(row["source"] for _, row in read_rows(pairs / f"{name}.jsonl")) for name in PAIR_SETS}
    kept, kept_sources = Counter[TracePass](), Counter[str]()
    for trace in read_records(traces / "kept.jsonl", KeptTrace):
        kept[trace.oracle_pass] += 1
        kept_sources[trace.source] += 1
    rejected = {oracle_pass: Counter[str]() for oracle_pass in TracePass}
    for reject in read_records(traces / "rejected.jsonl", RejectedTrace):
        rejected[reject.trace.oracle_pass][reject.reason] += 1
    return Funnel(
        pairs={name: counted.total() for name, counted in sources.items()},
        sources={name: dict(counted) for name, counted in sources.items()},
        pairs_rejected=_reasons(pairs / "rejected.jsonl"),
        passes=tuple(
            count_pass(
                oracle_pass,
                read_records(traces / f"{oracle_pass}.jsonl", OracleTrace),
                _read_cost(traces / f"{oracle_pass}.metrics.json"),
            )
            for oracle_pass in TracePass
        ),
        kept=kept,
        kept_sources=kept_sources,
        traces_rejected=rejected,
        published=_read_published(traces / "first.metrics.json"),
        origins=read_origins(pairs.parent),
    )


def count_pass(oracle_pass: TracePass, traces: Iterable[OracleTrace], cost: PassCost | None = None) -> PassCounts:
    """Count how the requests of one pass ended; each trace counts exactly once."""
    models, lost, unreadable = set[str](), Counter[str](), Counter[str]()
    right = wrong = 0
    for trace in traces:
        models.add(trace.model)
        if trace.outcome is not TraceOutcome.OK:
            lost[trace.outcome.value] += 1
            continue
        verdict = read_verdict(trace.text, Finish.STOP)
        if not isinstance(verdict, Verdict):
            unreadable[verdict.value] += 1
        elif verdict.side is trace.better:
            right += 1
        else:
            wrong += 1
    asked = right + wrong + unreadable.total() + lost.total()
    return PassCounts(oracle_pass, tuple(sorted(models)), asked, right, wrong, unreadable, lost, cost)


def _read_published(file: Path) -> PublishedRows | None:
    if "source" not in (document := _metrics(file)):
        return None
    try:
        return PublishedRows.model_validate(document)
    except ValidationError as error:
        raise BadRecordError(f"{file}: not the metrics of published traces: {explain(error)}") from error


def _metrics(file: Path) -> dict[str, Any]:
    """A pass's metrics; empty where traces come without."""
    try:
        document = orjson.loads(file.read_bytes()) if file.is_file() else {}
    except orjson.JSONDecodeError as error:
        raise BadRecordError(f"{file}: not valid JSON ({error})") from error
    if not isinstance(document, dict):
        raise BadRecordError(f"{file}: not the metrics of an oracle pass, but {str(document)[:80]!r}")
    return document


def _read_cost(file: Path) -> PassCost | None:
    document = _metrics(file)
    try:
        return PassCost.model_validate(document) if file.is_file() and "source" not in document else None
    except ValidationError as error:
        raise BadRecordError(f"{file}: not the metrics of an oracle pass: {explain(error)}") from error


def _reasons(file: Path) -> Counter[str]:
    reasons = Counter[str]()
    for number, row in read_rows(file) if file.exists() else ():
        reasons[_reason(file, number, row)] += 1
    return reasons


def _reason(file: Path, number: int, row: Any) -> str:
    if not isinstance(row, dict) or not isinstance(row.get("reason"), str):
        raise BadRecordError(f"{file} line {number}: a rejected row needs a `reason`, found {str(row)[:80]!r}")
    return str(row["reason"])
