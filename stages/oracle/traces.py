"""From the ledger to the pass's output: one trace per case, in the order of the cases, the same bytes each time."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from stages.judging.verdict import Verdict, read_verdict
from stages.oracle.attempt import Usage
from stages.oracle.cases import Case
from stages.oracle.money import Prices
from stages.oracle.plan import RequestPlan
from stages.records.ledger import Ledger
from stages.records.trace import OracleTrace, TraceOutcome, TracePass
from stages.runtime.stage_main import StageError

WITH_TEXT = frozenset({TraceOutcome.OK, TraceOutcome.TRUNCATED})


@dataclass
class PassTotals:
    """What a pass came to. Holds only what the ledger's replies say, nothing of how often or when they were asked."""

    prices: Prices
    asked: int = 0
    outcomes: Counter[TraceOutcome] = field(default_factory=Counter)
    right: int = 0
    unreadable: int = 0
    replies: int = 0
    usage: Usage = field(default_factory=Usage)
    usd: float = 0.0

    def metrics(self) -> dict[str, Any]:
        """The pass's metrics file."""
        ok = self.outcomes[TraceOutcome.OK]
        return {
            "asked": self.asked,
            "outcomes": {str(outcome): self.outcomes[outcome] for outcome in TraceOutcome},
            "right": self.right,
            "wrong": ok - self.right - self.unreadable,
            "unreadable": self.unreadable,
            "right_share_of_ok": round(self.right / ok, 6) if ok else None,
            "replies": self.replies,
            "input_tokens": self.usage.input_tokens,
            "output_tokens": self.usage.output_tokens,
            "cache_read_tokens": self.usage.cache_read_tokens,
            "cache_write_tokens": self.usage.cache_write_tokens,
            "usd": round(self.usd, 6),
            "prices_as_of": self.prices.as_of.isoformat(),
        }

    def ok_share(self) -> float:
        """Share of the cases with a whole reply; 1 if nothing was asked."""
        return self.outcomes[TraceOutcome.OK] / self.asked if self.asked else 1.0

    def check(self, expected: int) -> None:
        """Make sure that every case ended as exactly one outcome.

        Raises:
            StageError: the counts do not add up.
        """
        if not self.asked == self.outcomes.total() == expected:
            raise StageError(
                f"{expected} pairs were to be asked, {self.asked} were written, with {self.outcomes.total()} outcomes: "
                f"the input changed while the stage ran; run it again"
            )


def traces(
    cases: Iterable[Case], plan: RequestPlan, ledger: Ledger, which: TracePass, model: str, totals: PassTotals
) -> Iterator[OracleTrace]:
    """Yield the trace of each case and add it up in `totals`.

    Raises:
        StageError: the ledger does not settle a case.
    """
    for case in cases:
        progress = plan.progress(case.question, ledger)
        if not progress.answers or (
            progress.next is not None and progress.answers[-1].outcome is not TraceOutcome.GAVE_UP
        ):
            raise StageError(f"{ledger.path}: no reply about pair {case.pair.id}; run the stage again to ask for it")
        answer = progress.answers[-1]
        trace = OracleTrace(
            pair=case.pair,
            better=case.comparison.better,
            oracle_pass=which,
            model=model,
            outcome=answer.outcome,
            text=answer.text if answer.outcome in WITH_TEXT else "",
            detail=answer.detail,
            prompt_tokens=answer.usage.prompt_tokens,
            completion_tokens=answer.usage.output_tokens,
        )
        _add(trace, totals)
        totals.usd += progress.paid_usd
        totals.replies += sum(1 for paid in progress.answers if paid.usage.prompt_tokens)
        for paid in progress.answers:
            totals.usage = totals.usage + paid.usage
        yield trace


def _add(trace: OracleTrace, totals: PassTotals) -> None:
    totals.asked += 1
    totals.outcomes[trace.outcome] += 1
    if trace.outcome is TraceOutcome.OK:
        verdict = read_verdict(trace.text)
        readable = isinstance(verdict, Verdict)
        totals.unreadable += not readable
        totals.right += isinstance(verdict, Verdict) and verdict.side is trace.better
