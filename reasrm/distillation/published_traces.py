"""Traces that others published, or that lie in a folder, in place of an oracle's: read, accounted for, written.

Every row is a trace or refused with file, place and reason. Of several traces about one pair in one pass the first is
taken. Traces of the second pass stand in the second file where the first pass's is there too, else in the first: then
they are all that there is about their pair. The filter judges them like an oracle's.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from reasrm.datasets.folder_files import files_below
from reasrm.datasets.hub import HubData, download, origin
from reasrm.datasets.origins import NOT_KNOWN, NOT_STATED, DataOrigin, as_written
from reasrm.datasets.refused_rows import forget_refused, keep_refused
from reasrm.datasets.row_fields import Refusal, RowRefusedError
from reasrm.datasets.row_files import ENDINGS, RowInFile, rows_of_found
from reasrm.distillation.pipeline_passes import STAGE
from reasrm.distillation.trace_rows import ReadTrace, read_trace
from reasrm.judging.verdict import Verdict, read_verdict
from reasrm.records.jsonl import write_records
from reasrm.records.trace import OracleTrace, TraceOutcome, TracePass
from reasrm.runtime.outputs import write_json
from reasrm.runtime.stage_main import StageError

REVISIONS = Path("revisions/traces.json")
HUB_FILES = ("data/*.parquet", "*.parquet", "data/*.jsonl", "*.jsonl")
WRITTEN_BY = {"gaotang/RM-R1-Distill-SFT": "Claude 3.7 Sonnet, o3 where that was wrong (arXiv 2505.02387, appendix B)"}
"""Which models wrote a known data set; no row of it says which."""


class TraceSource(StrEnum):
    """Where the traces come from."""

    ORACLE = "oracle"
    """Asked for."""
    PUBLISHED = "published"
    """A data set of the hub, at a revision that is written down."""
    FILES = "files"
    """A folder."""


@dataclass
class TraceSet:
    """All rows of a source: each is in one of the two lists of traces or refused."""

    rows_in: int = 0
    traces: dict[TracePass, list[OracleTrace]] = field(default_factory=lambda: {which: [] for which in TracePass})
    refused: list[dict[str, Any]] = field(default_factory=list)
    """`{file, place, reason, detail}` of each row or file that is not used."""
    labelled_by_reply: int = 0
    """Traces of which nothing but their own verdict says that it is right."""

    def refuse(self, row: RowInFile, error: RowRefusedError) -> None:
        """Account for a row that is not used."""
        entry = {"file": row.file, "place": row.place, "reason": error.reason.value, "detail": error.detail}
        self.refused.append(entry)

    def reasons(self) -> Counter[str]:
        """Refused rows by reason; a file that nothing was read from is no row."""
        return Counter(one["reason"] for one in self.refused if one["reason"] != Refusal.FILE_NOT_READ)

    @property
    def usable_share(self) -> float:
        """Share of the rows that are traces, leaving those aside that say the same once more."""
        once = self.rows_in - self.reasons()[Refusal.DUPLICATE_ID]
        return sum(map(len, self.traces.values())) / once if once else 0.0


def trace_set(rows: Iterable[RowInFile], source: str, published: DataOrigin | None) -> TraceSet:
    """Read all rows; `source` is where the pairs are from, `published` what the rows are of (None: their files)."""
    found, read = TraceSet(), []
    model = (published.written_by if published else "") or NOT_STATED
    for row in rows:
        found.rows_in += row.fault is None or row.fault.reason is not Refusal.FILE_NOT_READ
        where = f"{published.name} at {published.revision}" if published else row.file
        try:
            if row.fault is not None:
                raise row.fault
            read.append((row, read_trace(row.row, source, where, model)))
        except RowRefusedError as error:
            found.refuse(row, error)
    _arrange(sorted(read, key=lambda one: one[1].kind), found)
    return found


def _arrange(read: Iterable[tuple[RowInFile, ReadTrace]], found: TraceSet) -> None:
    """Each pair's trace of each pass to the file it belongs into."""
    places: dict[tuple[str, TracePass], RowInFile] = {}
    taken = []
    for row, one in read:
        key = one.trace.pair.id, one.trace.oracle_pass
        if key in places:
            first = places[key]
            found.refuse(
                row, RowRefusedError(Refusal.DUPLICATE_ID, f"about the same pair as {first.file} at {first.place}")
            )
            continue
        places[key] = row
        taken.append(one)
    for one in taken:
        again = one.trace.oracle_pass is TracePass.SECOND and (one.trace.pair.id, TracePass.FIRST) in places
        found.traces[TracePass.SECOND if again else TracePass.FIRST].append(one.trace)
        found.labelled_by_reply += not one.labelled


def read_source(source: TraceSource, hub_set: str, reads: Path) -> tuple[TraceSet, DataOrigin]:
    """All traces of a source that is no oracle, and where they come from.

    Raises:
        StageError: it cannot be had, or holds no file.
    """
    if source is TraceSource.PUBLISHED:
        data, by = HubData(hub_set, HUB_FILES), WRITTEN_BY.get(hub_set, NOT_STATED)
        rows = list(download(data, reads))
        published = origin(data, reads).model_copy(update={"written_by": by})
        return trace_set(rows, hub_set, published), published
    return trace_set(_rows_below(reads), "traces", None), DataOrigin(
        name=reads.as_posix(), revision=NOT_KNOWN, licence=NOT_KNOWN, written_by=NOT_KNOWN
    )


def write_pass(
    which: TracePass, source: TraceSource, found: TraceSet, origins: DataOrigin, least_share: float, out: Path
) -> str:
    """Write a pass's traces, its refused rows and metrics; returns a summary.

    All that is refused stands beside the first pass's traces.

    Raises:
        StageError: no row is a trace, or fewer than `least_share` are; nothing is written then.
    """
    name, reasons, traces = f"{which}.refused.jsonl", found.reasons(), found.traces[which]
    if not found.traces[TracePass.FIRST] or found.usable_share < least_share:
        why = keep_refused(STAGE, name, found.refused)
        raise StageError(
            f"only {found.usable_share:.1%} of {found.rows_in} rows of {origins.name} are traces, `min_ok_share` is "
            f"{least_share:.0%}: {dict(reasons)}; {why}"
        )
    forget_refused(STAGE, name)
    refused = found.refused if which is TracePass.FIRST else []
    write_records(out, traces)
    write_json(refused_file(out), refused)
    write_json(out.with_suffix(".metrics.json"), _metrics(source, found, traces, refused) | as_written((origins,)))
    if which is TracePass.SECOND and not traces:
        return f"{which}: no traces: {origins.name} has none beside the first pass's, and no oracle is asked"
    said = f" ({', '.join(f'{reason} {count}' for reason, count in sorted(reasons.items()))})" if reasons else ""
    licence = f"revision {origins.revision}, licence {origins.licence}"
    rows = f"{found.rows_in} rows, {reasons.total()} refused{said}"
    own = (
        f", {found.labelled_by_reply} of all labelled by nothing but their own verdict"
        if found.labelled_by_reply
        else ""
    )
    return f"{which}: {len(traces)} traces of {origins.name} ({licence}): {rows}{own}"


def refused_file(out: Path) -> Path:
    """Where the rows stand that are no traces, beside the traces in `out`.

    A list in JSON: DVC warns of empty files, and an oracle's pass has none.
    """
    return out.with_suffix(".refused.json")


def _metrics(
    source: TraceSource, found: TraceSet, traces: list[OracleTrace], refused: list[dict[str, Any]]
) -> dict[str, Any]:
    verdicts = [(trace, read_verdict(trace.text)) for trace in traces if trace.outcome is TraceOutcome.OK]
    readable = [verdict.side is trace.better for trace, verdict in verdicts if isinstance(verdict, Verdict)]
    outcomes = Counter(trace.outcome for trace in traces)
    return {
        "source": source.value,
        "rows_in": found.rows_in,
        "refused": dict(sorted(found.reasons().items())) if refused else {},
        "files_not_read": sum(one["reason"] == Refusal.FILE_NOT_READ for one in refused),
        "labelled_by_reply": found.labelled_by_reply,
        "traces": len(traces),
        "outcomes": {outcome.value: outcomes[outcome] for outcome in TraceOutcome},
        "right": sum(readable),
        "wrong": len(readable) - sum(readable),
        "unreadable": len(verdicts) - len(readable),
    }


def _rows_below(folder: Path) -> Iterator[RowInFile]:
    files = files_below(folder)
    if not files:
        raise StageError(
            f"{folder} holds no file: put traces there ({', '.join(ENDINGS)}; data/raw/README.md shows the formats), "
            f"or name another folder as `reads` in section `{STAGE}_variants` of params.yaml"
        )
    for file in files:
        yield from rows_of_found(file)
