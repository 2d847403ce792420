"""Booking the results of a batch: each under its request, whoever asks for it now, and none hidden by a bad one."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reasrm.apis.api_reply import ApiReply, AttemptResult, Usage
from reasrm.apis.error_classification import ErrorKind
from reasrm.distillation.batch.batch_ledger import BatchRecord
from reasrm.distillation.batch.batch_refusals import not_believed, told
from reasrm.distillation.batch.polling import BatchesStopped
from reasrm.distillation.cost import Budget, Estimates
from reasrm.distillation.ledger_state import LedgerState
from reasrm.distillation.questions import Case
from reasrm.distillation.rate_control.admission_control import StopReason
from reasrm.distillation.request_plan import RequestPlan
from reasrm.distillation.run_statistics import Accounts
from reasrm.judging.verdict import Verdict, read_verdict
from reasrm.records.ledger import FINAL, Ledger
from reasrm.records.trace import TraceOutcome

MISSING = AttemptResult(error_kind=ErrorKind.SERVER_ERROR, detail="missing from the batch's results")

Waiting = Mapping[str, Sequence[Case]]
"""The cases of this run that wait for a request, by its key; several if pairs are equal."""


@dataclass
class BatchBooking:
    """The books of a run in batch mode."""

    plan: RequestPlan
    ledger: Ledger
    accounts: Accounts
    budget: Budget
    estimates: Estimates
    attempts: int
    """How often one request may come back without a reply before it is given up."""
    failures: Counter[str] = field(default_factory=Counter)
    """How often the request of each key has, in this run."""

    def reply(self, record: BatchRecord, key: str, answer: ApiReply, waiting: Waiting) -> None:
        """Write a reply into the ledger. One that no case of this run waits for stays out of the run's accounts."""
        if self._is_settled(key):
            return
        usd = record.prices.usd(answer.usage, batch=True)
        self.ledger.append(key, FINAL, answer.as_entry() | {"usd": usd})
        cases = waiting.get(key, ())
        if cases:
            self.accounts.delivered(answer, usd)
            self.budget.settle(0.0, usd)
            question = cases[0].question
            self.estimates.learn(len(question.system) + len(question.user), answer.usage)
        self._count(cases)

    def errors(self, failed: Mapping[str, AttemptResult], rows: int, waiting: Waiting) -> None:
        """Book all requests of a batch of `rows` that have no reply.

        Raises:
            BatchesStopped: the account or the settings are at fault. Nothing is closed for that: it is asked again.
        """
        refused = {key: attempt for key, attempt in failed.items() if attempt.error_kind is ErrorKind.INVALID}
        hopeless = {key for key in refused if self._asks_for_a_longer_reply(key, waiting)}
        doubted = {key: attempt for key, attempt in refused.items() if key not in hopeless}
        held = not_believed(doubted, rows, self.ledger.entries())
        for key, attempt in failed.items():
            self._failed(key, attempt)
            if key in refused and key not in held:
                self._close(key, TraceOutcome.REJECTED, attempt.detail, waiting)
            elif self.failures[key] >= self.attempts:
                self._close(key, TraceOutcome.GAVE_UP, f"{attempt.error_kind}: {attempt.detail}", waiting)
        by_kind = {attempt.error_kind: attempt for attempt in failed.values()}
        for error_kind in (ErrorKind.NO_CREDIT, ErrorKind.NOT_ALLOWED):
            if error_kind in by_kind:
                raise BatchesStopped(StopReason(error_kind.value), by_kind[error_kind].detail)
        if held:
            raise BatchesStopped(StopReason.ALL_INVALID, told(held, rows))

    def _failed(self, key: str, attempt: AttemptResult) -> None:
        """Note that a request came back without a reply, and count it if that may pass."""
        assert attempt.error_kind is not None
        self.accounts.failed(attempt.error_kind)
        entry = {"trouble": attempt.error_kind.value, "detail": attempt.detail}
        self.ledger.append(key, LedgerState.FAILED, entry)
        if attempt.error_kind is not ErrorKind.INVALID and not attempt.error_kind.stops_the_run:
            self.failures[key] += 1

    def _asks_for_a_longer_reply(self, key: str, waiting: Waiting) -> bool:
        """Whether a reply to the same question was cut off: if the model refuses a higher limit, the cut one stands."""
        answers = (self.plan.progress(case.question, self.ledger).answers for case in waiting.get(key, ())[:1])
        return any(given and given[-1].outcome is TraceOutcome.TRUNCATED for given in answers)

    def _close(self, key: str, outcome: TraceOutcome, detail: str, waiting: Waiting) -> None:
        """Settle a request that has no reply."""
        if not self._is_settled(key):
            answer = ApiReply(outcome=outcome, text="", usage=Usage(), detail=detail)
            self.ledger.append(key, FINAL, answer.as_entry() | {"usd": 0.0})
            self._count(waiting.get(key, ()))

    def lost(self, record: BatchRecord) -> int:
        """Book that the results of a batch are gone; returns how many requests may have been billed for nothing."""
        count = sum(1 for key in record.keys if not self._is_settled(key))
        self.accounts.maybe_billed += count
        return count

    def _is_settled(self, key: str) -> bool:
        """Whether the ledger has a reply already: a run that was killed while it booked a batch books it again."""
        entry = self.ledger.get(key)
        return entry is not None and not ApiReply.from_entry(entry).asked_again

    def _count(self, cases: Sequence[Case]) -> None:
        """Count the cases that are settled now; a cut reply that is asked for again settles none."""
        for case in cases:
            progress = self.plan.progress(case.question, self.ledger)
            answer = progress.answers[-1]
            if progress.next is not None and not answer.asked_again:
                continue
            self.accounts.outcomes[answer.outcome] += 1
            if answer.outcome is TraceOutcome.OK:
                verdict = read_verdict(answer.text)
                self.accounts.agreed += isinstance(verdict, Verdict) and verdict.side is case.comparison.better
