"""Collect preference pairs to learn from: for the oracle's traces, for reinforcement, and a few for development.

Reads:   the folder given with --files (source `files`), the hub (`hub`), or the miniature's training questions;
         data/benchmarks, whose prompts no pair may repeat
Writes:  data/pairs/{distill,reinforce,dev}.jsonl, rejected.jsonl (a reason each), funnel.json
Run:     python -m stages.collect_pairs --files data/raw      (or: dvc repro collect_pairs)
"""

import argparse
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, ValidationError, model_validator

from reasrm.data_quality.decontamination import BenchmarkPrompts
from reasrm.data_quality.pair_selection import Candidate, Purpose, Rules, Selected, select
from reasrm.datasets.hub import HubData, download
from reasrm.datasets.preference_schemas import preference_pair
from reasrm.datasets.refused_rows import RowRefusedError
from reasrm.datasets.row_files import SourceRow, rows_of
from reasrm.miniature.world import Split, training_pairs
from reasrm.records.benchmark_folder import item_prompts
from reasrm.records.jsonl import explain, write_records
from reasrm.runtime.outputs import new_folder, write_json
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import StageError, run_stage

BENCHMARKS = Path("data/benchmarks")
OUTPUT = Path("data/pairs")
REVISIONS = Path("revisions/pairs.json")
FILES = {"rmb": "rmb/RMB_dataset/Pairwise_set/**/*.json", "pairs": "pairs/**/*.jsonl"}
"""Source name to where its rows stand below the folder."""
HUB = (
    HubData("Skywork/Skywork-Reward-Preference-80K-v0.2", ("data/*.parquet",)),
    HubData("Vezora/Code-Preference-Pairs", ("*.jsonl",)),
    HubData("xinlai/Math-Step-DPO-10K", ("data/*.parquet",)),
)
"""The paper's three sources (section 3.1)."""


class Source(StrEnum):
    """Where pairs come from."""

    MINIATURE = "miniature"
    FILES = "files"
    HUB = "hub"


class CollectPairsParams(StageParams):
    """Section `collect_pairs` of params.yaml."""

    section: ClassVar[str] = "collect_pairs"

    source: Source
    seed: int
    counts: dict[Purpose, Annotated[int, Field(gt=0)]]
    """Pairs to make for each purpose; of the miniature only."""
    shares: dict[Purpose, Annotated[float, Field(ge=0, le=1)]]
    """Share of the questions for each purpose; for files and hub, where questions are given."""
    limits: dict[Purpose, Annotated[int, Field(gt=0)]]
    """The most pairs of a purpose; absent means all."""
    source_limits: dict[str, Annotated[int, Field(gt=0)]]
    """The most pairs of a source (`Vezora/Code-Preference-Pairs`: 8000); absent means all."""
    skip_parts: frozenset[str]
    """Parts of a source to leave out, by the row's own `source` (the paper leaves out `magpie_ultra`)."""
    max_chars: Annotated[int, Field(gt=0)] | None
    """Longer pairs (conversation and both answers, in characters) are rejected; null takes all."""
    overlap_ngram: int = Field(gt=0)
    """Length in words of the n-grams by which overlaps with benchmark prompts are found."""
    overlap_share: float = Field(gt=0, le=1)
    """Share of a pair's n-grams in one benchmark prompt from which on it is removed."""

    @model_validator(mode="after")
    def _every_purpose(self) -> "CollectPairsParams":
        given = self.counts if self.source is Source.MINIATURE else self.shares
        lacking = [purpose.value for purpose in Purpose if not given.get(purpose)]
        if lacking:
            where = "counts" if self.source is Source.MINIATURE else "shares"
            raise ValueError(f"`{where}` must say how much goes to {', '.join(lacking)}")
        return self

    def rules(self) -> Rules:
        """The rules by which pairs are chosen."""
        return Rules(self.seed, self.shares, self.limits, self.source_limits, self.skip_parts, self.max_chars)


def candidates(params: CollectPairsParams, files: Path) -> Iterator[Candidate]:
    """Every row of the sources, in a fixed order."""
    if params.source is Source.MINIATURE:
        yield from _miniature(params)
    elif params.source is Source.FILES:
        yield from _files(files)
    else:
        for source in HUB:
            for row in download(source, REVISIONS):
                yield _candidate(row, source.repo)


def _miniature(params: CollectPairsParams) -> Iterator[Candidate]:
    """One row of training pairs cut in two, so that none is both distilled and reinforced; dev has own questions."""
    counts = params.counts
    train = training_pairs(Split.TRAIN, counts[Purpose.DISTILL] + counts[Purpose.REINFORCE], params.seed)
    for place, pair in enumerate(train):
        purpose = Purpose.DISTILL if place < counts[Purpose.DISTILL] else Purpose.REINFORCE
        yield Candidate("miniature/train", place, pair.source, pair, purpose=purpose)
    for place, pair in enumerate(training_pairs(Split.DEV, counts[Purpose.DEV], params.seed)):
        yield Candidate("miniature/dev", place, pair.source, pair, purpose=Purpose.DEV)


def _files(folder: Path) -> Iterator[Candidate]:
    found = {name: sorted(folder.glob(pattern)) for name, pattern in FILES.items()}
    if not any(found.values()):
        raise StageError(
            f"{folder} has neither {' nor '.join(FILES.values())}: put pairs there (data/raw/README.md shows the "
            f"layout) or choose another `source` in section `collect_pairs` of params.yaml"
        )
    for name, paths in found.items():
        for path in paths:
            for row in rows_of(path, path.relative_to(folder).as_posix()):
                yield _candidate(row, name)


def _candidate(row: SourceRow, source: str) -> Candidate:
    try:
        return Candidate(row.file, row.place, source, preference_pair(row.row, source))
    except RowRefusedError as error:
        return Candidate(row.file, row.place, source, None, str(error))
    except ValidationError as error:
        return Candidate(row.file, row.place, source, None, explain(error))


def write_pairs(selected: Selected, rules: dict[str, object]) -> None:
    """Write all outputs at once."""
    with new_folder(OUTPUT) as folder:
        for purpose, pairs in selected.pairs.items():
            write_records(folder / f"{purpose.value}.jsonl", pairs)
        write_records(folder / "rejected.jsonl", selected.rejected)
        write_json(folder / "funnel.json", {**selected.funnel(), "rules": rules})


def main() -> str:
    """Run the stage; returns its summary line."""
    parser = argparse.ArgumentParser(prog="collect_pairs")
    parser.add_argument("--files", type=Path, required=True, help="folder for `source: files`")
    files = parser.parse_args().files
    params = CollectPairsParams.load()
    prompts = BenchmarkPrompts(item_prompts(BENCHMARKS), params.overlap_ngram, params.overlap_share)
    selected = select(candidates(params, files), params.rules(), prompts)
    empty = [purpose.value for purpose, pairs in selected.pairs.items() if not pairs]
    if empty:
        raise StageError(f"no pair is left for {', '.join(empty)}: {selected.funnel()['by_reason']}")
    write_pairs(selected, params.model_dump(mode="json", include={"overlap_ngram", "overlap_share", "max_chars"}))
    kept = ", ".join(f"{purpose.value} {len(pairs)}" for purpose, pairs in selected.pairs.items())
    return f"{selected.rows_by_source.total()} rows; {kept}; {len(selected.rejected)} rejected"


if __name__ == "__main__":
    run_stage("collect_pairs", main)
