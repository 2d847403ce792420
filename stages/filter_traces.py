"""Keep the traces that are worth learning from; give every other one its reason.

A trace is kept if its verdict can be read and is right, if it has the structure that its type demands, if its
quotations stand in the answers they are ascribed to, and if it is neither too long, nor a near-duplicate, nor on a
question of a benchmark, nor betrays the second pass's hint. At the end the sides of the verdicts are balanced.

Reads:   data/traces/first.jsonl, data/traces/second.jsonl, data/benchmarks/, the pairs that `held_out` names
Writes:  data/traces/kept.jsonl (in the order of the pairs), data/traces/rejected.jsonl, data/traces/funnel.json
Run:     python -m stages.filter_traces      (or: dvc repro filter_traces)
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from reasrm.data_quality.decontamination import BenchmarkPrompts
from reasrm.data_quality.near_duplicates import NearDuplicates
from reasrm.data_quality.trace_filter import balance_sides, filter_traces, kept_trace
from reasrm.data_quality.trace_rules import Evidence, TraceRules
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.records.benchmark_folder import item_prompts
from reasrm.records.jsonl import read_records, write_records
from reasrm.records.pair import Message, PreferencePair
from reasrm.records.trace import OracleTrace
from reasrm.runtime.outputs import write_json
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import run_stage

TRACES = Path("data/traces")
BENCHMARKS = Path("data/benchmarks")


class FilterTracesParams(StageParams):
    """Section `filter_traces` of params.yaml."""

    section: ClassVar[str] = "filter_traces"

    prompt_variant: PromptVariant
    """The prompt that the oracle was shown: it decides which structure a trace must have."""
    max_characters: int = Field(gt=0)
    """Longer traces would be cut in training."""
    weights_tolerance: float | None = Field(ge=0)
    """How far the sum of a rubric's weights may be from 100; null takes rubrics without weights."""
    evidence: Evidence
    """What a trace must bring from each answer."""
    held_out: Path
    """What no trace may be about: the benchmarks' folder, or a file of pairs besides; for traces of other pairs than
    this run's, which may be among those for development."""
    duplicate_similarity: float | None = Field(gt=0, le=1)
    """Traces whose word n-grams are (by MinHash) at least so similar are near-duplicates; null takes them."""
    duplicate_ngram: int = Field(gt=0)
    duplicate_permutations: int = Field(gt=0)
    """Size of a MinHash: the estimate's standard error is about one over its square root."""
    overlap_ngram: int = Field(gt=0)
    overlap_share: float = Field(gt=0, le=1)
    """As in `collect_pairs`: share of a question's word n-grams that stand in one benchmark prompt."""
    largest_side_share: float = Field(ge=0.5, le=1)
    """The more frequent verdict is thinned out until it has at most this share of the kept traces."""
    seed: int
    """Decides, with each pair's hash, which traces of the more frequent side stay."""
    min_kept_share: float = Field(ge=0, le=1)
    """Fail if fewer of the pairs end with a kept trace: the oracle or a reader is broken."""

    def rules(self) -> TraceRules:
        """The rules for a trace by itself."""
        return TraceRules(self.prompt_variant, self.max_characters, self.weights_tolerance, self.evidence)

    def prompts(self, named: Iterable[tuple[str, tuple[Message, ...]]]) -> BenchmarkPrompts:
        """Prompts that no trace may be about."""
        return BenchmarkPrompts(named, self.overlap_ngram, self.overlap_share)

    def near_duplicates(self) -> NearDuplicates | None:
        """An empty memory of traces; None if near-duplicates are allowed."""
        if self.duplicate_similarity is None:
            return None
        return NearDuplicates(self.duplicate_similarity, self.duplicate_ngram, self.duplicate_permutations)


def held_out_prompts(place: Path) -> Iterator[tuple[str, tuple[Message, ...]]]:
    """The prompts of a file of pairs; none for the benchmarks' folder, whose prompts are held out anyway."""
    if place != BENCHMARKS:
        yield from ((f"pair {pair.id}", pair.prompt) for pair in read_records(place, PreferencePair))


def main() -> str:
    """Run the stage; returns its summary line."""
    params = FilterTracesParams.load()
    filtered = filter_traces(
        read_records(TRACES / "first.jsonl", OracleTrace),
        read_records(TRACES / "second.jsonl", OracleTrace),
        params.rules(),
        params.prompts(item_prompts(BENCHMARKS)),
        params.prompts(held_out_prompts(params.held_out)),
        params.near_duplicates(),
    )
    balance_sides(filtered, params.largest_side_share, params.seed)
    filtered.require_kept_share(params.min_kept_share)
    write_records(TRACES / "kept.jsonl", map(kept_trace, filtered.kept))
    write_records(TRACES / "rejected.jsonl", filtered.rejected)
    write_json(TRACES / "funnel.json", filtered.funnel())
    return f"{len(filtered.kept)} traces kept of {filtered.pairs} pairs, {len(filtered.rejected)} traces rejected"


if __name__ == "__main__":
    run_stage("filter_traces", main)
