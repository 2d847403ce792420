"""Keep the traces that are worth learning from; give every other one its reason.

A trace is kept if its verdict can be read and is right, if it has the structure that its type demands, if its
quotations stand in the answers they are ascribed to, and if it is neither too long, nor a near-duplicate, nor on a
question of a benchmark, nor betrays the second pass's hint. At the end the sides of the verdicts are balanced.

Reads:   data/traces/first.jsonl, data/traces/second.jsonl, data/benchmarks/
Writes:  data/traces/kept.jsonl (in the order of the pairs), data/traces/rejected.jsonl, data/traces/funnel.json
Run:     python -m stages.filter_traces      (or: dvc repro filter_traces)
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from reasrm.data_quality.decontamination import BenchmarkPrompts
from reasrm.data_quality.near_duplicates import NearDuplicates
from reasrm.data_quality.trace_rules import Reason, TraceRules, fault
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.trace_structure import read_structure
from reasrm.records.benchmark_folder import item_prompts
from reasrm.records.comparison import Side, show
from reasrm.records.content_hash import unit_interval
from reasrm.records.jsonl import read_records, write_records
from reasrm.records.trace import KeptTrace, OracleTrace, RejectedTrace
from reasrm.runtime.outputs import write_json
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import StageError, run_stage

TRACES = Path("data/traces")
BENCHMARKS = Path("data/benchmarks")


class FilterTracesParams(StageParams):
    """Section `filter_traces` of params.yaml."""

    section: ClassVar[str] = "filter_traces"

    prompt_variant: PromptVariant
    """The prompt that the oracle was shown: it decides which structure a trace must have."""
    max_characters: int = Field(gt=0)
    """Longer traces would be cut in training."""
    weights_tolerance: float = Field(ge=0)
    """How far the sum of a rubric's weights may be from 100."""
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
        return TraceRules(self.prompt_variant, self.max_characters, self.weights_tolerance)

    def near_duplicates(self) -> NearDuplicates | None:
        """An empty memory of traces; None if near-duplicates are allowed."""
        if self.duplicate_similarity is None:
            return None
        return NearDuplicates(self.duplicate_similarity, self.duplicate_ngram, self.duplicate_permutations)


@dataclass
class Filtered:
    """Every trace is in exactly one of the two lists."""

    kept: list[OracleTrace] = field(default_factory=list)
    rejected: list[RejectedTrace] = field(default_factory=list)
    pairs: int = 0

    def reject(self, trace: OracleTrace, reason: Reason) -> None:
        """Account for a trace that is not learnt from."""
        self.rejected.append(RejectedTrace(trace=trace, reason=reason.value))

    def funnel(self) -> dict[str, Any]:
        """The counts, JSON-like: by pass, by source, by side, by reason."""
        reasons = Counter(trace.reason for trace in self.rejected)
        sides = Counter(trace.better for trace in self.kept)
        return {
            "pairs": self.pairs,
            "traces": len(self.kept) + len(self.rejected),
            "kept": len(self.kept),
            "kept_by_pass": dict(sorted(Counter(trace.oracle_pass.value for trace in self.kept).items())),
            "kept_by_source": dict(sorted(Counter(trace.pair.source for trace in self.kept).items())),
            "kept_by_side": {side.value: sides[side] for side in Side},
            "rejected": {reason.value: reasons[reason.value] for reason in Reason},
        }


def filter_traces(
    first: Iterable[OracleTrace],
    second: Iterable[OracleTrace],
    benchmarks: BenchmarkPrompts,
    params: FilterTracesParams,
) -> Filtered:
    """Sort the traces of both passes; what is kept stands in the order of the pairs.

    Raises:
        StageError: the second pass asked about a pair that the first does not know.
    """
    later = {trace.pair.id: trace for trace in second}
    filtered, seen = Filtered(), params.near_duplicates()
    for trace in first:
        filtered.pairs += 1
        retried = later.pop(trace.pair.id, None)
        for attempt in (trace, retried) if retried else (trace,):
            reason = fault(attempt, params.rules()) or _fault_beside_others(attempt, benchmarks, seen)
            if reason is None:
                filtered.kept.append(attempt)
            else:
                filtered.reject(attempt, reason)
    if later:
        raise StageError(
            f"{TRACES}/second.jsonl asks about pair {next(iter(later))}, which first.jsonl does not know: "
            f"the two files are of different runs; run distill_traces@second again"
        )
    balance(filtered, params.largest_side_share, params.seed)
    return filtered


def _fault_beside_others(
    trace: OracleTrace, benchmarks: BenchmarkPrompts, seen: NearDuplicates | None
) -> Reason | None:
    """What is wrong with a sound trace beside the benchmarks and the traces kept before it."""
    if benchmarks.overlap(trace.pair.prompt) is not None:
        return Reason.BENCHMARK_OVERLAP
    turns = " ".join(message.content for message in trace.pair.prompt)
    text = " ".join((turns, trace.pair.chosen, trace.pair.rejected, trace.text))
    return Reason.NEAR_DUPLICATE if seen is not None and seen.seen_before(text) else None


def balance(filtered: Filtered, largest_share: float, seed: int) -> None:
    """Reject kept traces of the more frequent side, by their hash, until it has at most `largest_share` of the rest."""
    sides = Counter(trace.better for trace in filtered.kept)
    major = max(Side, key=lambda side: sides[side])
    allowed = sides[major] if largest_share == 1 else int(sides[major.other] * largest_share / (1 - largest_share))
    of_major = [trace for trace in filtered.kept if trace.better is major]
    of_major.sort(key=lambda trace: unit_interval("balance", seed, trace.pair.id))
    dropped = {trace.pair.id for trace in of_major[allowed:]}
    for trace in filtered.kept:
        if trace.pair.id in dropped:
            filtered.reject(trace, Reason.SIDE_BALANCE)
    filtered.kept = [trace for trace in filtered.kept if trace.pair.id not in dropped]


def kept_trace(trace: OracleTrace) -> KeptTrace:
    """What is learnt from a trace: the comparison and the reply proper; the hint of a second pass is in neither."""
    return KeptTrace(
        comparison=show(trace.pair, trace.better),
        text=read_structure(trace.text).text,
        source=trace.pair.source,
        oracle_pass=trace.oracle_pass,
    )


def main() -> str:
    """Run the stage; returns its summary line."""
    params = FilterTracesParams.load()
    filtered = filter_traces(
        read_records(TRACES / "first.jsonl", OracleTrace),
        read_records(TRACES / "second.jsonl", OracleTrace),
        BenchmarkPrompts(item_prompts(BENCHMARKS), params.overlap_ngram, params.overlap_share),
        params,
    )
    share = len(filtered.kept) / filtered.pairs if filtered.pairs else 0.0
    if share < params.min_kept_share or not filtered.kept:
        raise StageError(
            f"only {share:.1%} of {filtered.pairs} pairs end with a kept trace, less than `min_kept_share` "
            f"{params.min_kept_share:.0%}; reasons: {filtered.funnel()['rejected']}"
        )
    write_records(TRACES / "kept.jsonl", map(kept_trace, filtered.kept))
    write_records(TRACES / "rejected.jsonl", filtered.rejected)
    write_json(TRACES / "funnel.json", filtered.funnel())
    return f"{len(filtered.kept)} traces kept of {filtered.pairs} pairs, {len(filtered.rejected)} traces rejected"


if __name__ == "__main__":
    run_stage("filter_traces", main)
