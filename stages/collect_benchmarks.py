"""Collect the benchmarks: rows in the published schemas to comparisons to be judged, with an account of every row.

Reads:   the folder given with --files (source `files`), the hub (`hub`), or the miniature's own rows
Writes:  data/benchmarks/<benchmark>.jsonl, refused.jsonl (rows that are not used, with reasons), completeness.json
Run:     python -m stages.collect_benchmarks --files data/raw      (or: dvc repro collect_benchmarks)
"""

import argparse
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from reasrm.benchmarks.benchmark import BenchmarkName
from reasrm.benchmarks.collection import Collected, Selection, collect
from reasrm.benchmarks.registry import benchmark
from reasrm.datasets.hub import download
from reasrm.datasets.refused_rows import Refusal
from reasrm.datasets.row_files import SourceRow, files_beside, rows_below
from reasrm.miniature.benchmark_rows import benchmark_rows
from reasrm.records.benchmark_folder import REFUSED
from reasrm.records.jsonl import write_records
from reasrm.runtime.outputs import new_folder, write_json
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import StageError, run_stage

OUTPUT = Path("data/benchmarks")
REVISIONS = Path("revisions/benchmarks.json")
MINIATURE_ROWS = {
    BenchmarkName.REWARD_BENCH: ("reward_bench",),
    BenchmarkName.RM_BENCH: ("rm_bench",),
    BenchmarkName.RMB: ("rmb_pairwise", "rmb_bon"),
}


class Source(StrEnum):
    """Where rows come from."""

    MINIATURE = "miniature"
    FILES = "files"
    HUB = "hub"


class CollectBenchmarksParams(StageParams):
    """Section `collect_benchmarks` of params.yaml."""

    section: ClassVar[str] = "collect_benchmarks"

    source: Source
    benchmarks: tuple[BenchmarkName, ...] = Field(min_length=1)
    seed: int
    """Of the miniature's rows, and of the choices below."""
    training_shares: dict[BenchmarkName, Annotated[float, Field(ge=0, lt=1)]]
    """Per benchmark, the share of its questions that is left to training (`collect_pairs`); absent means none."""
    limits: dict[BenchmarkName, Annotated[int, Field(gt=0)]]
    """Per benchmark, the most rows that are used, spread over its subsets; absent means all."""

    @model_validator(mode="after")
    def _known_in_miniature(self) -> "CollectBenchmarksParams":
        lacking = [name.value for name in self.benchmarks if name not in MINIATURE_ROWS]
        if self.source is Source.MINIATURE and lacking:
            raise ValueError(f"the miniature has no rows of {', '.join(lacking)}")
        return self

    def selection(self, name: BenchmarkName) -> Selection:
        """What of a benchmark is left out on purpose."""
        return Selection(self.seed, self.training_shares.get(name, 0.0), self.limits.get(name))


def source_rows(params: CollectBenchmarksParams, name: BenchmarkName, files: Path) -> Iterator[SourceRow]:
    """The rows of one benchmark from the source that the parameters name."""
    if params.source is Source.FILES:
        yield from rows_below(files, benchmark(name).layout, name.value)
    elif params.source is Source.HUB:
        yield from download(benchmark(name).source, REVISIONS)
    else:
        rows = benchmark_rows(params.seed)
        for part in MINIATURE_ROWS[name]:
            for place, row in enumerate(rows[part]):
                yield SourceRow(f"miniature/{part}", place, row)


def collect_benchmark(params: CollectBenchmarksParams, name: BenchmarkName, files: Path) -> Collected:
    """One benchmark's items and account; files of its folder that nothing reads are listed among the refused."""
    collected = collect(benchmark(name), source_rows(params, name, files), params.selection(name))
    if not collected.items:
        raise StageError(f"{name.value}: none of its {collected.rows_in} rows can be used; see data/raw/README.md")
    if params.source is Source.FILES:
        for file in files_beside(files, benchmark(name).layout):
            collected.refuse(SourceRow(file, 0, None), Refusal.NOT_IN_LAYOUT, "this file is not read")
    return collected


def main() -> str:
    """Run the stage; returns its summary line."""
    parser = argparse.ArgumentParser(prog="collect_benchmarks")
    parser.add_argument("--files", type=Path, required=True, help="folder for `source: files`")
    files = parser.parse_args().files
    params = CollectBenchmarksParams.load()
    collected = [collect_benchmark(params, name, files) for name in sorted(params.benchmarks)]
    with new_folder(OUTPUT) as folder:
        for one in collected:
            write_records(folder / f"{one.benchmark.name.value}.jsonl", one.items)
        write_records(folder / REFUSED, [entry for one in collected for entry in one.refused])
        write_json(folder / "completeness.json", {one.benchmark.name.value: one.account() for one in collected})
    return "; ".join(
        f"{one.benchmark.name.value} {one.rows_in} rows, {len(one.items)} comparisons, {len(one.refused)} refused"
        for one in collected
    )


if __name__ == "__main__":
    run_stage("collect_benchmarks", main)
