"""From the ledger to the pass's output: one trace per question, in their order, the same bytes each time."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from reasrm.apis.api_reply import NOTHING_USED, Usage
from reasrm.distillation.prices import Prices
from reasrm.distillation.questions import OracleQuestion
from reasrm.distillation.request_plan import Progress, RequestPlan
from reasrm.judging.verdict import Verdict, read_verdict
from reasrm.records.ledger import Ledger
from reasrm.records.trace import OracleTrace, TraceOutcome, TracePass
from reasrm.runtime.stage_main import StageError

WITH_TEXT = frozenset({TraceOutcome.OK, TraceOutcome.TRUNCATED})


@dataclass
class PassTotals:
    """What a pass came to. Holds only what the ledger's replies say, nothing of how often or when they were asked."""

    prices: Prices | None
    asked: int = 0
    outcomes: Counter[TraceOutcome] = field(default_factory=Counter)
    right: int = 0
    unreadable: int = 0
    replies: int = 0
    usage: Usage = field(default_factory=Usage)
    usd: float = 0.0
    """What was paid, at the prices of the day, for the replies whose price is known."""
    unpriced: int = 0
    """Replies whose price is not known."""
    at_other_prices: int = 0
    """Replies that were paid at other prices than `prices`."""
    of_other_models: Counter[str] = field(default_factory=Counter)
    """Replies that, as the vendor says, another model has given than the one that was asked; by that model."""

    def metrics(self) -> dict[str, Any]:
        """The pass's metrics file; the last two of its keys are there only if they say something."""
        ok = self.outcomes[TraceOutcome.OK]
        odd = {"replies_at_other_prices": self.at_other_prices, "replies_of_other_models": self.of_other_models.total()}
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
            "usd": None if self.unpriced else round(self.usd, 6),
            "prices_as_of": None if self.prices is None else self.prices.as_of,
            **{name: count for name, count in odd.items() if count},
        }

    def paid(self, progress: Progress, model: str) -> None:
        """Add up what the replies to one question, which `model` was asked, used and cost."""
        self.usd += progress.paid_usd
        for answer, usd in zip(progress.answers, progress.paid, strict=True):
            self.usage = self.usage + answer.usage
            if answer.was_delivered:
                self.replies += 1
                self.unpriced += usd is None
                if self.prices is not None and usd is not None and answer.usage != NOTHING_USED:
                    self.at_other_prices += not self.prices.is_price_of(answer.usage, usd)
            if answer.model not in ("", model):
                self.of_other_models[answer.model] += 1

    def ok_share(self) -> float:
        """Share of the questions with a whole reply; 1 if nothing was asked."""
        return self.outcomes[TraceOutcome.OK] / self.asked if self.asked else 1.0

    def check(self, expected: int) -> None:
        """Make sure that every question ended as exactly one outcome.

        Raises:
            StageError: the counts do not add up.
        """
        if not self.asked == self.outcomes.total() == expected:
            raise StageError(
                f"{expected} pairs were to be asked, {self.asked} were written, with {self.outcomes.total()} outcomes: "
                f"the input changed while the stage ran; run it again"
            )


def traces(
    questions: Iterable[OracleQuestion],
    plan: RequestPlan,
    ledger: Ledger,
    which: TracePass,
    model: str,
    totals: PassTotals,
    *,
    only_settled: bool = False,
) -> Iterator[OracleTrace]:
    """Yield the trace of each question and add it up in `totals`.

    Args:
        questions: in the order of the output.
        plan: how their requests are made.
        ledger: holds the replies.
        which: the pass.
        model: the one that was asked.
        totals: takes the counts and the spend.
        only_settled: leave open questions out, as after a stop; what their cut replies cost is counted all the same.

    Raises:
        StageError: the ledger does not settle a question.
    """
    for question in questions:
        progress = plan.progress(question.prompt, ledger)
        totals.paid(progress, model)
        answer = progress.settled_by
        if answer is None:
            if only_settled:
                continue
            raise StageError(
                f"{ledger.path}: no reply about pair {question.pair.id}; run the stage again to ask for it"
            )
        trace = OracleTrace(
            pair=question.pair,
            better=question.comparison.better,
            oracle_pass=which,
            model=model,
            outcome=answer.outcome,
            text=answer.text if answer.outcome in WITH_TEXT else "",
            detail=answer.detail,
            prompt_tokens=answer.usage.prompt_tokens,
            completion_tokens=answer.usage.output_tokens,
        )
        _add(trace, totals)
        yield trace


def _add(trace: OracleTrace, totals: PassTotals) -> None:
    totals.asked += 1
    totals.outcomes[trace.outcome] += 1
    if trace.outcome is TraceOutcome.OK:
        verdict = read_verdict(trace.text)
        readable = isinstance(verdict, Verdict)
        totals.unreadable += not readable
        totals.right += isinstance(verdict, Verdict) and verdict.side is trace.better
