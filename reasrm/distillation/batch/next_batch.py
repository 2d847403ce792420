"""What is still to be asked in a batch run, and which of it goes into the next batch."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from reasrm.distillation.batch.batch_ledger import BatchLedger, BatchRecord
from reasrm.distillation.batch.result_recorder import ResultRecorder, WaitingQuestions
from reasrm.distillation.questions import OracleQuestion, Questions
from reasrm.distillation.request_plan import Request
from reasrm.distillation.run_statistics import RunStopped, StopReason
from reasrm.distillation.settings import AskingSettings
from reasrm.distillation.spend_budget import CostBound

MOST_BATCH_BYTES = 190_000_000
"""Both vendors take more (256 and 200 MB)."""


@dataclass(frozen=True)
class OpenQuestions:
    """The questions of a run that are not settled, by the ledger and its open batches."""

    questions: Questions
    settings: AskingSettings
    batch_ledger: BatchLedger
    recorder: ResultRecorder

    def unsettled(self) -> Iterator[tuple[OracleQuestion, Request]]:
        """The questions and requests that the ledger does not answer and this run has not given up."""
        for question in self.questions():
            request = self.recorder.plan.progress(question.prompt, self.recorder.ledger).next
            if request is not None and self.recorder.failures[request.key] < self.settings.attempts:
                yield question, request

    def awaited(self) -> tuple[BatchRecord, WaitingQuestions] | None:
        """The first open batch that holds what a question waits for, and these questions; None if none waits."""
        vendor = self.recorder.plan.format.protocol
        owner = {key: record for record in self.batch_ledger.open_batches(vendor) for key in record.keys}
        awaited: BatchRecord | None = None
        waiting: dict[str, list[OracleQuestion]] = defaultdict(list)
        for question, request in self.unsettled() if owner else ():
            record = owner.get(request.key)
            awaited = awaited or record
            if record is not None and record is awaited:
                waiting[request.key].append(question)
        return None if awaited is None else (awaited, waiting)

    def next(self) -> list[Request]:
        """The next batch: as many requests as fit into the vendor's limits and, beside the pending ones, the budget.

        Equal pairs make one request: vendors refuse a custom id that comes twice.

        Raises:
            RunStopped: requests are left, nothing is pending, and the budget allows none of them.
        """
        rows: list[Request] = []
        budget, pending = self.recorder.budget, self.batch_ledger.pending()
        taken = set(pending)
        size, usd, refused = 0, self._pending_usd(pending), False
        for _, request in self.unsettled():
            if request.key in taken:
                continue
            cost = self.cost_bound(request)
            refused = not budget.fits(usd + cost.most_usd)
            size += 4 * request.prompt_characters
            if refused or len(rows) == self.settings.batch_requests or size > MOST_BATCH_BYTES:
                break
            rows.append(request)
            taken.add(request.key)
            usd += cost.usd
        if refused and not rows and not any(request.key in pending for _, request in self.unsettled()):
            spent, limit = budget.spent_usd, budget.limit_usd
            raise RunStopped(StopReason.BUDGET, f"${spent:.4f} of ${limit:.4f} are spent, the next costs more")
        return rows

    def _pending_usd(self, pending: frozenset[str]) -> float:
        if not pending or self.recorder.budget.limit_usd is None:
            return 0.0
        costs = {request.key: self.cost_bound(request).usd for _, request in self.unsettled() if request.key in pending}
        return sum(costs.values())

    def cost_bound(self, request: Request) -> CostBound:
        """What a request of a batch needs of the budget."""
        return self.recorder.tokens.cost_bound(request, self.recorder.plan.prices, batch=True)
