"""Collect preference pairs to learn from: for the oracle's traces, for reinforcement, and a few for development.

Reads:   the folder given with --files (source `files`), the hub (`hub`), or the miniature's training questions;
         data/benchmarks, whose prompts no pair may repeat
Writes:  data/pairs/{distill,reinforce,dev}.jsonl, rejected.jsonl (a reason each), funnel.json;
         if a purpose gets no pair, work/collect_pairs/rejected.jsonl alone
Run:     python -m stages.collect_pairs --files data/raw      (or: dvc repro collect_pairs)
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, field_validator, model_validator

from reasrm.data_quality.decontamination import BenchmarkPrompts
from reasrm.data_quality.pair_selection import PairCandidate, PairRules, select
from reasrm.data_quality.pair_sources import (
    HUB,
    candidates_from_files,
    candidates_from_hub,
    candidates_from_miniature,
    hub_origins,
)
from reasrm.datasets.origins import as_written
from reasrm.datasets.row_files import DataSource
from reasrm.miniature.slices import Slice
from reasrm.miniature.world import Split, training_pairs
from reasrm.records.benchmark_folder import item_prompts
from reasrm.records.pair import Purpose
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import run_stage

BENCHMARKS = Path("data/benchmarks")
OUTPUT = Path("data/pairs")
REVISIONS = Path("revisions/pairs.json")


class CollectPairsParams(StageParams):
    """Section `collect_pairs` of params.yaml."""

    section: ClassVar[str] = "collect_pairs"

    source: DataSource
    hub_sets: Annotated[tuple[str, ...], Field(min_length=1)]
    """The data sets to take, of source hub only."""
    seed: int
    counts: dict[Purpose, Annotated[int, Field(ge=0)]]
    """Pairs to make for each purpose; of the miniature only. `reinforce: 0` where all are distilled."""
    distill_slices: frozenset[Slice] | None
    """The slices of the miniature's world whose pairs are distilled; null for all. What is not among them only
    reinforcement and the benchmarks reach."""
    shares: dict[Purpose, Annotated[float, Field(ge=0, le=1)]]
    """Share of the questions for each purpose; for files and hub, where questions are given. `distill: 0` where the
    traces are published and no oracle is asked, `reinforce: 0` where all are distilled."""
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

    @field_validator("hub_sets")
    @classmethod
    def _known_sets(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [name for name in names if name not in HUB]:
            raise ValueError(
                f"{', '.join(unknown)} cannot be read by name, only {', '.join(HUB)}; put files of others "
                f"into a folder and use `source: files`"
            )
        return tuple(dict.fromkeys(names))

    @model_validator(mode="after")
    def _every_purpose(self) -> "CollectPairsParams":
        where, given = ("counts", self.counts) if self.source is DataSource.MINIATURE else ("shares", self.shares)
        unused, trained = self.unused(), {Purpose.DISTILL, Purpose.REINFORCE}
        lacking = [purpose.value for purpose in Purpose if purpose not in given]
        if lacking or Purpose.DEV in unused or trained <= unused:
            none = ", ".join(lacking) or ("dev" if Purpose.DEV in unused else "distill or reinforce")
            raise ValueError(f"`{where}` must say how much goes to {none}")
        return self

    def unused(self) -> frozenset[Purpose]:
        """Purposes that are to get nothing."""
        given = self.counts if self.source is DataSource.MINIATURE else self.shares
        return frozenset(purpose for purpose, much in given.items() if much == 0)

    def rules(self) -> PairRules:
        """The rules by which pairs are chosen."""
        return PairRules(self.seed, self.shares, self.limits, self.source_limits, self.skip_parts, self.max_chars)


def candidates(params: CollectPairsParams, files: Path) -> Iterator[PairCandidate]:
    """Every row of the source that the parameters name, in a fixed order."""
    if params.source is DataSource.FILES:
        return candidates_from_files(files)
    if params.source is DataSource.HUB:
        return candidates_from_hub(params.hub_sets, REVISIONS)
    counts = params.counts
    train = training_pairs(Split.TRAIN, counts[Purpose.DISTILL] + counts[Purpose.REINFORCE], params.seed)
    dev = training_pairs(Split.DEV, counts[Purpose.DEV], params.seed)
    return candidates_from_miniature(train, dev, counts[Purpose.DISTILL], params.distill_slices)


def main() -> str:
    """Run the stage; returns its summary line."""
    parser = argparse.ArgumentParser(prog="collect_pairs")
    parser.add_argument("--files", type=Path, required=True, help="folder for `source: files`")
    files = parser.parse_args().files
    params = CollectPairsParams.load()
    prompts = BenchmarkPrompts(item_prompts(BENCHMARKS), params.overlap_ngram, params.overlap_share)
    selected = select(candidates(params, files), params.rules(), prompts)
    origins = hub_origins(params.hub_sets, REVISIONS) if params.source is DataSource.HUB else ()
    rules = params.model_dump(mode="json", include={"overlap_ngram", "overlap_share", "max_chars"})
    selected.write(OUTPUT, {"rules": rules, **as_written(origins)}, params.unused())
    kept = ", ".join(f"{purpose.value} {len(pairs)}" for purpose, pairs in selected.pairs.items())
    unread = selected.files_not_read
    named = ", ".join([*unread[:3], "..."] if unread[3:] else unread)
    files_not_read = f"; {len(unread)} files not read ({named})" if unread else ""
    funnel = selected.funnel()
    reasons = ", ".join(f"{reason} {count}" for reason, count in funnel["by_reason"].items())
    rejected = f"{funnel['rejected']} rejected{f' ({reasons})' if reasons else ''}"
    return f"{funnel['rows_in']} rows; {kept}; {rejected}{files_not_read}"


if __name__ == "__main__":
    run_stage("collect_pairs", main)
