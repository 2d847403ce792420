"""Which traces are learnt from: each one kept, or rejected with one reason; the sides of the verdicts are balanced.

A trace is kept if nothing is wrong with it in itself (`trace_rules`), if it is not on a question of a benchmark, and if
it is not nearly the same as one kept before it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from reasrm.data_quality.decontamination import BenchmarkPrompts
from reasrm.data_quality.near_duplicates import NearDuplicates
from reasrm.data_quality.trace_rules import TraceFault, TraceRules, trace_fault
from reasrm.judging.trace_structure import read_structure
from reasrm.records.comparison import Side, show
from reasrm.records.content_hash import unit_interval
from reasrm.records.trace import KeptTrace, OracleTrace, RejectedTrace
from reasrm.runtime.stage_main import StageError


@dataclass
class FilteredTraces:
    """Every trace is in exactly one of the two lists."""

    kept: list[OracleTrace] = field(default_factory=list)
    """In the order of the pairs."""
    rejected: list[RejectedTrace] = field(default_factory=list)
    pairs: int = 0

    def reject(self, trace: OracleTrace, reason: TraceFault) -> None:
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
            "rejected": {reason.value: reasons[reason.value] for reason in TraceFault},
        }

    def require_kept_share(self, least: float) -> None:
        """Fail if too few of the pairs end with a kept trace: the oracle or a reader is broken.

        Raises:
            StageError: less than `least`, or none.
        """
        share = len(self.kept) / self.pairs if self.pairs else 0.0
        if share < least or not self.kept:
            raise StageError(
                f"only {share:.1%} of {self.pairs} pairs end with a kept trace, less than `min_kept_share` "
                f"{least:.0%}; reasons: {self.funnel()['rejected']}"
            )


def filter_traces(
    first: Iterable[OracleTrace],
    second: Iterable[OracleTrace],
    rules: TraceRules,
    benchmarks: BenchmarkPrompts,
    dev: BenchmarkPrompts,
    seen: NearDuplicates | None,
) -> FilteredTraces:
    """Sort the traces of both passes; what is kept stands in the order of the pairs.

    Args:
        first: the traces of the first pass.
        second: those of the second pass, about pairs whose first trace failed.
        rules: what decides about a trace in itself.
        benchmarks: the prompts that no trace may be about.
        dev: those of pairs for development, likewise.
        seen: an empty memory of traces; None if near-duplicates are allowed.

    Raises:
        StageError: the second pass asked about a pair that the first does not know.
    """
    later = {trace.pair.id: trace for trace in second}
    filtered = FilteredTraces()
    for trace in first:
        filtered.pairs += 1
        retried = later.pop(trace.pair.id, None)
        for attempt in (trace, retried) if retried else (trace,):
            reason = trace_fault(attempt, rules) or _fault_beside_others(attempt, benchmarks, dev, seen)
            if reason is None:
                filtered.kept.append(attempt)
            else:
                filtered.reject(attempt, reason)
    if later:
        raise StageError(
            f"second.jsonl asks about pair {next(iter(later))}, which first.jsonl does not know: the two files are of "
            f"different runs; run distill_traces@second again"
        )
    return filtered


def balance_sides(filtered: FilteredTraces, largest_share: float, seed: int) -> None:
    """Reject kept traces of the more frequent side, by their hash, until it has at most `largest_share` of the rest."""
    sides = Counter(trace.better for trace in filtered.kept)
    major = max(Side, key=lambda side: sides[side])
    allowed = sides[major] if largest_share == 1 else int(sides[major.other] * largest_share / (1 - largest_share))
    of_major = [trace for trace in filtered.kept if trace.better is major]
    of_major.sort(key=lambda trace: unit_interval("balance", seed, trace.pair.id))
    dropped = {trace.pair.id for trace in of_major[allowed:]}
    for trace in filtered.kept:
        if trace.pair.id in dropped:
            filtered.reject(trace, TraceFault.SIDE_BALANCE)
    filtered.kept = [trace for trace in filtered.kept if trace.pair.id not in dropped]


def kept_trace(trace: OracleTrace) -> KeptTrace:
    """What is learnt from a trace: the comparison and the reply proper; the hint of a second pass is in neither."""
    return KeptTrace(
        comparison=show(trace.pair, trace.better),
        text=read_structure(trace.text).text,
        source=trace.pair.source,
        oracle_pass=trace.oracle_pass,
    )


def _fault_beside_others(
    trace: OracleTrace, benchmarks: BenchmarkPrompts, dev: BenchmarkPrompts, seen: NearDuplicates | None
) -> TraceFault | None:
    """What is wrong with a good trace beside benchmarks, pairs for development and the traces kept before it."""
    if benchmarks.overlap(trace.pair.prompt) is not None:
        return TraceFault.BENCHMARK_OVERLAP
    if dev.overlap(trace.pair.prompt) is not None:
        return TraceFault.DEV_OVERLAP
    turns = " ".join(message.content for message in trace.pair.prompt)
    text = " ".join((turns, trace.pair.chosen, trace.pair.rejected, trace.text))
    return TraceFault.NEAR_DUPLICATE if seen is not None and seen.seen_before(text) else None
