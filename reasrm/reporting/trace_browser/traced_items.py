"""The items of the benchmarks, each with every judgment and every probe's answer that there is about it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from reasrm.probes.measures_file import MEASURES, READINGS, read_measures
from reasrm.records.benchmark_folder import all_items
from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.harmless_text import harmless
from reasrm.records.jsonl import BadRecordError, read_records, read_rows
from reasrm.records.judgment import Judgment
from reasrm.records.probe_row import ProbeRow


class TraceFolders(NamedTuple):
    """Where the trace browser reads; the fields' names are those of the folders below `data/`."""

    benchmarks: Path
    judgments: Path
    probes: Path
    """May be absent: then no model was probed."""


REASONS = f"reason_verdict{READINGS}"
"""Where it stands whether a judgment's reasons agree with its verdict."""


class JudgedBy(NamedTuple):
    """A judgment, whose it is, and whether its reasons are known to speak against its verdict."""

    model: str
    judgment: Judgment
    contradicted: bool = False


class ProbedAs(NamedTuple):
    """A probe's query about an item, and whom it was put to."""

    model: str
    row: ProbeRow


@dataclass(frozen=True)
class TracedItem:
    """An item with all that was said about it."""

    item: BenchmarkItem
    judged: list[JudgedBy] = field(default_factory=list)
    """Model by model; of a model in the order of its file."""
    probed: list[ProbedAs] = field(default_factory=list)

    @property
    def family(self) -> str:
        """Empty where the rows name none."""
        return str(self.item.keys.get("family", ""))


def judged_models(judgments: Path, first: Iterable[str]) -> list[str]:
    """The models below `judgments`: those of `first` in its order, then the others by name."""
    present = {file.parent.name for file in judgments.glob("*/*.jsonl")}
    known = [model for model in first if model in present]
    return known + sorted(present - set(known))


def read_traced_items(folders: TraceFolders, models: Sequence[str]) -> list[TracedItem]:
    """The items that one of `models` judged, in the benchmarks' order.

    Raises:
        BadRecordError: a file is not what its stage writes, or is about an item that is not there; says which.
    """
    items = {(item.benchmark, item.item_id): TracedItem(item) for item in all_items(folders.benchmarks)}
    for model in models:
        contradicted = _contradicted(folders.probes / model / REASONS)
        for file in sorted((folders.judgments / model).glob("*.jsonl")):
            for one in read_records(file, Judgment):
                against = (one.benchmark, one.item_id, one.better) in contradicted
                _item_of(one, items, file).judged.append(JudgedBy(model, one, against))
        for file in _query_files(folders.probes / model):
            for row in read_records(file, ProbeRow):
                _item_of(row, items, file).probed.append(ProbedAs(model, row))
    return [one for one in items.values() if one.judged]


def models_with_reasons(folders: TraceFolders, models: Sequence[str]) -> list[str]:
    """Those of `models` of which it is known whether reasons agree with verdicts."""
    return [model for model in models if (folders.probes / model / REASONS).is_file()]


def probe_titles(folders: TraceFolders, models: Sequence[str]) -> dict[str, str]:
    """What readers call each probe that one of `models` was put to, by its name."""
    files = (folders.probes / model / MEASURES for model in models)
    found = [read_measures(file) for file in files if file.is_file()]
    return {name: probe.title for measures in found for name, probe in measures.probes.items()}


def _query_files(folder: Path) -> list[Path]:
    """A model's files of what probes asked."""
    return sorted(file for file in folder.glob("*.jsonl") if not file.name.endswith(READINGS))


def _contradicted(file: Path) -> set[tuple[str, str, str]]:
    """Benchmark, item and order of the judgments whose reasons speak against the verdict; none without the file."""
    if not file.is_file():
        return set()
    found = set()
    for number, row in read_rows(file):
        if not isinstance(row, dict) or not {"benchmark", "item_id", "better", "agree"} <= row.keys():
            raise BadRecordError(f"{file} line {number}: needs benchmark, item_id, better and agree; probe again")
        if row["agree"] is False:  # null: undecidable
            found.add((row["benchmark"], row["item_id"], row["better"]))
    return found


def _item_of(record: Judgment | ProbeRow, items: Mapping[tuple[str, str], TracedItem], file: Path) -> TracedItem:
    found = items.get((record.benchmark, record.item_id))
    if found is None:
        raise BadRecordError(
            f"{file}: is about {harmless(record.benchmark)} {harmless(record.item_id)!r}, which is not among the "
            f"benchmarks' items; the items changed since: run `dvc repro judge@{file.parent.name}`"
        )
    return found
