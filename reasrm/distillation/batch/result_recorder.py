"""Writing a batch's results into the ledger: each under its request, whether it is asked for now or not."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reasrm.apis.api_reply import ApiReply, AttemptResult, Usage
from reasrm.apis.error_classification import ErrorKind
from reasrm.distillation.batch.batch_ledger import BatchRecord
from reasrm.distillation.ledger_entries import LedgerState, failed_entry
from reasrm.distillation.quarantine import unconfirmed_rows, unconfirmed_rows_message
from reasrm.distillation.questions import OracleQuestion
from reasrm.distillation.request_plan import RequestPlan
from reasrm.distillation.run_statistics import RunStatistics, RunStopped, StopReason
from reasrm.distillation.spend_budget import SpendBudget, TokenEstimates
from reasrm.judging.verdict import Verdict, read_verdict
from reasrm.records.ledger import FINAL, Ledger
from reasrm.records.trace import TraceOutcome

MISSING = AttemptResult(error_kind=ErrorKind.SERVER_ERROR, detail="missing from the batch's results")

WaitingQuestions = Mapping[str, Sequence[OracleQuestion]]
"""The questions of this run that wait for a request, by its key; several if pairs are equal."""


@dataclass
class ResultRecorder:
    """Keeps ledger, statistics and budget of a run in batch mode."""

    plan: RequestPlan
    ledger: Ledger
    statistics: RunStatistics
    budget: SpendBudget
    tokens: TokenEstimates
    attempts: int
    """How often one request may come back without a reply before it is given up."""
    failures: Counter[str] = field(default_factory=Counter)
    """How often the request of each key has, in this run."""
    last_failure: str = ""
    """What was said of the last of them."""

    def reply(self, record: BatchRecord, key: str, answer: ApiReply, waiting: WaitingQuestions) -> None:
        """Write a reply into the ledger. One that no question of this run waits for stays out of its statistics."""
        if self._is_settled(key):
            return
        usd = None if record.prices is None else record.prices.usd(answer.usage, batch=True)
        unpriced = {"batch": True} if usd is None else {}
        self.ledger.append(key, FINAL, answer.as_entry() | {"usd": usd} | unpriced)
        questions = waiting.get(key, ())
        if questions:
            self.statistics.delivered(answer, usd)
            self.budget.settle(0.0, usd or 0.0)
            prompt = questions[0].prompt
            self.tokens.learn(len(prompt.system) + len(prompt.user), answer.usage)
        self._count(questions)

    def errors(self, failed: Mapping[str, AttemptResult], rows: int, waiting: WaitingQuestions) -> None:
        """Record all requests of a batch of `rows` that have no reply.

        Raises:
            RunStopped: the account or the settings are at fault. Nothing is closed for that: it is asked again.
        """
        refused = {key: attempt for key, attempt in failed.items() if attempt.error_kind is ErrorKind.INVALID}
        first_tries = {key: refused[key] for key in refused if not self._asks_for_a_longer_reply(key, waiting)}
        unconfirmed = unconfirmed_rows(first_tries, rows, self.ledger.entries())
        for key, attempt in failed.items():
            self._failed(key, attempt)
            if key in refused and key not in unconfirmed:
                self._close(key, TraceOutcome.REJECTED, attempt.detail, waiting)
            elif self.failures[key] >= self.attempts:
                self._close(key, TraceOutcome.GAVE_UP, f"{attempt.error_kind}: {attempt.detail}", waiting)
        by_kind = {attempt.error_kind: attempt for attempt in failed.values()}
        for error_kind in (ErrorKind.NO_CREDIT, ErrorKind.NOT_ALLOWED):
            if error_kind in by_kind:
                raise RunStopped(StopReason(error_kind.value), by_kind[error_kind].detail)
        if unconfirmed:
            raise RunStopped(StopReason.ALL_INVALID, unconfirmed_rows_message(unconfirmed, rows))

    def _failed(self, key: str, attempt: AttemptResult) -> None:
        """Note that a request came back without a reply, and count it if that may pass."""
        assert attempt.error_kind is not None
        self.statistics.failed(attempt.error_kind)
        self.ledger.append(key, LedgerState.FAILED, failed_entry(attempt))
        if attempt.error_kind is not ErrorKind.INVALID and not attempt.error_kind.stops_the_run:
            self.failures[key] += 1
            self.last_failure = f"{attempt.error_kind}: {attempt.detail}"

    def _asks_for_a_longer_reply(self, key: str, waiting: WaitingQuestions) -> bool:
        """Whether a reply to the same question was cut off: if the model refuses a higher limit, the cut one stands."""
        answers = (self.plan.progress(question.prompt, self.ledger).answers for question in waiting.get(key, ())[:1])
        return any(given and given[-1].outcome is TraceOutcome.TRUNCATED for given in answers)

    def _close(self, key: str, outcome: TraceOutcome, detail: str, waiting: WaitingQuestions) -> None:
        """Settle a request that has no reply."""
        if not self._is_settled(key):
            answer = ApiReply(outcome=outcome, text="", usage=Usage(), detail=detail)
            self.ledger.append(key, FINAL, answer.as_entry() | {"usd": 0.0})
            self._count(waiting.get(key, ()))

    def lost(self, record: BatchRecord) -> int:
        """Record that the results of a batch are gone; returns how many requests may have been billed for nothing."""
        count = sum(1 for key in record.keys if not self._is_settled(key))
        self.statistics.possibly_billed += count
        return count

    def _is_settled(self, key: str) -> bool:
        """Whether the ledger has a reply already: a run that was killed while it recorded a batch does so again."""
        entry = self.ledger.get(key)
        return entry is not None and not ApiReply.from_entry(entry).asked_again

    def _count(self, questions: Sequence[OracleQuestion]) -> None:
        """Count the questions that are settled now; a cut reply that is asked for again settles none."""
        for question in questions:
            progress = self.plan.progress(question.prompt, self.ledger)
            answer = progress.answers[-1]
            if progress.next is not None and not answer.asked_again:
                continue
            self.statistics.outcomes[answer.outcome] += 1
            if answer.outcome is TraceOutcome.OK:
                verdict = read_verdict(answer.text)
                self.statistics.agreed += isinstance(verdict, Verdict) and verdict.side is question.comparison.better
