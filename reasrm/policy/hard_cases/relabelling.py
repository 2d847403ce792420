"""Asking an oracle about pairs that nobody has labelled: in both orders, and without a word of what a judge thought.

A pair gets a label only if both orders name the same answer. All is asked and paid through `reasrm.distillation`, so a
killed run goes on from its ledger, and one question of several rounds is paid for once.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from reasrm.distillation.questions import OracleQuestion
from reasrm.distillation.traces import PassTotals
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.verdict import Verdict, read_verdict
from reasrm.records.comparison import Side, show
from reasrm.records.hard_case import Candidate, RelabelledCandidate, RelabelOutcome
from reasrm.records.pair import PreferencePair
from reasrm.records.trace import OracleTrace, TraceOutcome
from reasrm.runtime.stage_main import StageError

ORDERS = 2
"""Questions per candidate."""


@dataclass(frozen=True)
class Relabelling:
    """The candidates of a round, those within the cap first."""

    candidates: Sequence[Candidate]
    most_questions: int
    """The cap; a candidate is asked about in both orders or not at all."""
    variant: PromptVariant

    @property
    def asked(self) -> Sequence[Candidate]:
        """The candidates that are asked about."""
        return self.candidates[: self.most_questions // ORDERS]

    def questions(self) -> Iterator[OracleQuestion]:
        """Each asked candidate with `a` shown first, then with `b`."""
        for candidate in self.asked:
            pair = _unlabelled(candidate)
            for side in (Side.A, Side.B):
                yield OracleQuestion(pair, show(pair, side), self.variant)

    def outcomes(self, traces: Sequence[OracleTrace]) -> list[RelabelledCandidate]:
        """What became of every candidate.

        Args:
            traces: the oracle's replies to `questions`, in their order.

        Raises:
            StageError: there is not one for each question.
        """
        if len(traces) != ORDERS * len(self.asked):
            raise StageError(
                f"{len(traces)} replies to {ORDERS * len(self.asked)} questions: the candidates changed meanwhile; "
                f"run the stage again"
            )
        found = [
            relabelled(candidate, traces[ORDERS * place : ORDERS * (place + 1)])
            for place, candidate in enumerate(self.asked)
        ]
        left = self.candidates[len(self.asked) :]
        return [*found, *(RelabelledCandidate(candidate=one, outcome=RelabelOutcome.OVER_LIMIT) for one in left)]


def relabelled(candidate: Candidate, both: Sequence[OracleTrace]) -> RelabelledCandidate:
    """What the oracle's replies in both orders make of a candidate."""
    if missing := [trace for trace in both if trace.outcome is not TraceOutcome.OK]:
        detail = f"{missing[0].outcome.value}: {missing[0].detail}".removesuffix(": ")
        return RelabelledCandidate(candidate=candidate, outcome=RelabelOutcome.NO_REPLY, detail=detail)
    verdicts = [read_verdict(trace.text) for trace in both]
    if unreadable := [verdict for verdict in verdicts if not isinstance(verdict, Verdict)]:
        detail = str(unreadable[0].value)
        return RelabelledCandidate(candidate=candidate, outcome=RelabelOutcome.UNREADABLE, detail=detail)
    named = [
        Side.A if isinstance(verdict, Verdict) and verdict.side is trace.better else Side.B
        for verdict, trace in zip(verdicts, both, strict=True)
    ]
    detail = " ".join(named)
    if len(set(named)) > 1:
        return RelabelledCandidate(candidate=candidate, outcome=RelabelOutcome.ORDERS_DISAGREE, detail=detail)
    return RelabelledCandidate(candidate=candidate, outcome=RelabelOutcome.LABELLED, better=named[0], detail=detail)


def relabelling_metrics(found: Sequence[RelabelledCandidate], totals: PassTotals) -> dict[str, Any]:
    """The account of a round's questions: every candidate by outcome and kind, and what the oracle was paid."""
    by_kind: dict[str, Counter[str]] = {}
    for one in found:
        by_kind.setdefault(one.candidate.kind.value, Counter())[one.outcome.value] += 1
    spent = totals.metrics()
    return {
        "candidates": len(found),
        "outcomes": {outcome.value: sum(one.outcome is outcome for one in found) for outcome in RelabelOutcome},
        "by_kind": {kind: dict(sorted(counts.items())) for kind, counts in sorted(by_kind.items())},
        "questions": totals.asked,
        **{key: spent[key] for key in ("replies", "input_tokens", "output_tokens", "usd", "prices_as_of")},
    }


def _unlabelled(candidate: Candidate) -> PreferencePair:
    """The pair in the shape that a question takes; `chosen` is answer `a`, whichever is better."""
    return candidate.pair.preferred(Side.A, {})
