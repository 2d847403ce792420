"""Collect the benchmarks: rows in the published schemas to comparisons to be judged, with an account of every row.

Reads:   the folder given with --files (source `files`), the hub (`hub`), or the miniature's own rows
Writes:  data/benchmarks/<benchmark>.jsonl, refused.jsonl (rows that are not used, with reasons), completeness.json;
         if a benchmark has no usable row, work/collect_benchmarks/refused.jsonl alone
Run:     python -m stages.collect_benchmarks --files data/raw      (or: dvc repro collect_benchmarks)
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from reasrm.benchmarks.collection import CollectedBenchmark, RowSelection, collect, write_benchmarks
from reasrm.benchmarks.registry import BenchmarkName, benchmark, display_names
from reasrm.datasets.hub import download, origin
from reasrm.datasets.row_files import DataSource, RowInFile, rows_below
from reasrm.miniature.benchmark_rows import benchmark_rows
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import run_stage

OUTPUT = Path("data/benchmarks")
REVISIONS = Path("revisions/benchmarks.json")
MINIATURE_ROWS = {"reward_bench": ("reward_bench",), "rm_bench": ("rm_bench",), "rmb": ("rmb_pairwise", "rmb_bon")}
"""Benchmark to the miniature's sets of rows."""


class CollectBenchmarksParams(StageParams):
    """Section `collect_benchmarks` of params.yaml."""

    section: ClassVar[str] = "collect_benchmarks"

    source: DataSource
    benchmarks: tuple[BenchmarkName, ...] = Field(min_length=1)
    seed: int
    """Of the miniature's rows, and of the choices below."""
    training_shares: dict[BenchmarkName, Annotated[float, Field(ge=0, lt=1)]]
    """Per benchmark, the share of its questions that is left to training (`collect_pairs`); absent means none."""
    limits: dict[BenchmarkName, Annotated[int, Field(gt=0)]]
    """Per benchmark, the most rows that are used, spread over its subsets; absent means all."""

    @model_validator(mode="after")
    def _known_in_miniature(self) -> "CollectBenchmarksParams":
        lacking = [name for name in self.benchmarks if name not in MINIATURE_ROWS]
        if self.source is DataSource.MINIATURE and lacking:
            raise ValueError(f"the miniature has no rows of {', '.join(lacking)}")
        return self

    def selection(self, name: str) -> RowSelection:
        """What of a benchmark is left out on purpose."""
        return RowSelection(self.seed, self.training_shares.get(name, 0.0), self.limits.get(name))


def source_rows(params: CollectBenchmarksParams, name: str, files: Path) -> Iterator[RowInFile]:
    """The rows of one benchmark from the source that the parameters name."""
    if params.source is DataSource.FILES:
        yield from rows_below(files, benchmark(name).layout, name)
    elif params.source is DataSource.HUB:
        yield from download(benchmark(name).source, REVISIONS)
    else:
        rows = benchmark_rows(params.seed)
        for part in MINIATURE_ROWS[name]:
            for place, row in enumerate(rows[part]):
                yield RowInFile(f"miniature/{part}", place, row)


def collect_benchmark(params: CollectBenchmarksParams, name: str, files: Path) -> CollectedBenchmark:
    """One benchmark's items and account."""
    return collect(benchmark(name), source_rows(params, name, files), params.selection(name))


def main() -> str:
    """Run the stage; returns its summary line."""
    parser = argparse.ArgumentParser(prog="collect_benchmarks")
    parser.add_argument("--files", type=Path, required=True, help="folder for `source: files`")
    files = parser.parse_args().files
    params = CollectBenchmarksParams.load()
    collected = [collect_benchmark(params, name, files) for name in sorted(params.benchmarks)]
    hub = params.source is DataSource.HUB
    origins = {name: origin(benchmark(name).source, REVISIONS) for name in params.benchmarks} if hub else {}
    write_benchmarks(OUTPUT, collected, params.source, origins)
    titles = display_names(OUTPUT)
    return "; ".join(f"{titles[one.benchmark.name]} {summary(one)}" for one in collected)


def summary(collected: CollectedBenchmark) -> str:
    """What became of a benchmark's rows, in a few words."""
    unread = collected.files_not_read
    refused = f"{len(collected.refused) - len(unread)} refused"
    named = ", ".join([*unread[:3], "..."] if unread[3:] else unread)
    files = f", {len(unread)} files not read ({named})" if unread else ""
    return f"{collected.rows_in} rows, {len(collected.items)} comparisons, {refused}{files}"


if __name__ == "__main__":
    run_stage("collect_benchmarks", main)
