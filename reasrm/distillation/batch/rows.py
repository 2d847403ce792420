"""What is still to be asked in a batch run, and which of it goes into the next batch."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from reasrm.distillation.batch.batch_ledger import BatchLedger, BatchRecord
from reasrm.distillation.batch.booking import BatchBooking, Waiting
from reasrm.distillation.batch.polling import BatchesStopped
from reasrm.distillation.cost import Reservation
from reasrm.distillation.online_run import Cases
from reasrm.distillation.questions import Case
from reasrm.distillation.rate_control.admission_control import StopReason
from reasrm.distillation.request_plan import Request
from reasrm.distillation.settings import AskingSettings

MOST_BATCH_BYTES = 190_000_000
"""Both vendors take more (256 and 200 MB)."""


@dataclass(frozen=True)
class BatchRows:
    """The questions of a run, against its books and the open batches."""

    cases: Cases
    settings: AskingSettings
    books: BatchLedger
    booking: BatchBooking

    def unsettled(self) -> Iterator[tuple[Case, Request]]:
        """The cases and requests that the ledger does not answer and this run has not given up."""
        for case in self.cases():
            request = self.booking.plan.progress(case.question, self.booking.ledger).next
            if request is not None and self.booking.failures[request.key] < self.settings.attempts:
                yield case, request

    def awaited(self) -> tuple[BatchRecord, Waiting] | None:
        """The first open batch that holds what a case waits for, and these cases; None if none waits."""
        vendor = self.booking.plan.shape.protocol
        owner = {key: record for record in self.books.open_batches(vendor) for key in record.keys}
        awaited: BatchRecord | None = None
        waiting: dict[str, list[Case]] = defaultdict(list)
        for case, request in self.unsettled() if owner else ():
            record = owner.get(request.key)
            awaited = awaited or record
            if record is not None and record is awaited:
                waiting[request.key].append(case)
        return None if awaited is None else (awaited, waiting)

    def next(self) -> list[Request]:
        """The next batch: as many requests as fit into the vendor's limits and, beside the pending ones, the budget.

        Equal pairs make one request: vendors refuse a custom id that comes twice.

        Raises:
            BatchesStopped: requests are left, nothing is pending, and the budget bears none of them.
        """
        rows: list[Request] = []
        budget, pending = self.booking.budget, self.books.pending()
        taken = set(pending)
        size, usd, refused = 0, self._pending_usd(pending), False
        for _, request in self.unsettled():
            if request.key in taken:
                continue
            cost = self.reservation(request)
            refused = not budget.fits(usd + cost.most_usd)
            size += 4 * request.prompt_characters
            if refused or len(rows) == self.settings.batch_requests or size > MOST_BATCH_BYTES:
                break
            rows.append(request)
            taken.add(request.key)
            usd += cost.usd
        if refused and not rows and not any(request.key in pending for _, request in self.unsettled()):
            spent, limit = budget.spent_usd, budget.limit_usd
            raise BatchesStopped(StopReason.BUDGET, f"${spent:.4f} of ${limit:.4f} are spent, the next costs more")
        return rows

    def _pending_usd(self, pending: frozenset[str]) -> float:
        if not pending or self.booking.budget.limit_usd is None:
            return 0.0
        costs = {
            request.key: self.reservation(request).usd for _, request in self.unsettled() if request.key in pending
        }
        return sum(costs.values())

    def reservation(self, request: Request) -> Reservation:
        """What a request of a batch needs of the budget."""
        return self.booking.estimates.reservation(request, self.booking.plan.prices, batch=True)
