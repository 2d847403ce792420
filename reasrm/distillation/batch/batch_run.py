"""One run of one pass in batch mode: half the price, answers within a day, and no batch is ever paid for twice.

Before a batch is created, the intent (its requests, and the batches that the account already has) is in the ledger and
on the disk. If the reply to the creation is lost, or the run is killed in between, the next look finds the new batch in
the vendor's list and adopts it. Results are matched by custom id; what ended as errored, expired or is missing goes
into the next batch. What hinders the creation of batches stops the run only once those that were paid for are in.
"""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field

from reasrm.apis.anthropic_messages import AnthropicClient
from reasrm.apis.batches.anthropic import AnthropicBatchApi
from reasrm.apis.batches.api import BatchApi, BatchApiError, custom_id
from reasrm.apis.batches.openai import OpenAIBatchApi
from reasrm.apis.connection import Connection
from reasrm.apis.error_classification import ErrorKind
from reasrm.distillation.batch.batch_ledger import BatchLedger, BatchRecord
from reasrm.distillation.batch.booking import BatchBooking, Waiting
from reasrm.distillation.batch.polling import BatchesStopped, Patience
from reasrm.distillation.batch.results import BatchResults
from reasrm.distillation.batch.rows import BatchRows
from reasrm.distillation.cost import Budget, Estimates
from reasrm.distillation.online_run import INTERRUPTED, Cases, Ended, Endpoint, Oracle, stops_on_signals
from reasrm.distillation.rate_control.admission_control import StopReason
from reasrm.distillation.request_plan import Outlook, Request, before_asking
from reasrm.distillation.run_statistics import Accounts
from reasrm.distillation.settings import AskingSettings
from reasrm.records.ledger import Ledger
from reasrm.runtime.progress import ProgressLine

KNOWN = 100
"""How many of the account's newest batches are noted before one is created."""


def ask_in_batches(
    name: str,
    cases: Cases,
    oracle: Oracle,
    ledger: Ledger,
    settings: AskingSettings,
    endpoint: Endpoint,
    elsewhere_usd: float = 0.0,
) -> Ended:
    """Ask every case that `ledger` does not settle, in batches; the arguments are those of `ask_online`."""
    estimates = oracle.estimates()
    outlook = before_asking(cases(), oracle.plan(), ledger, estimates)
    outlook.elsewhere_usd = elsewhere_usd
    accounts = Accounts()
    if outlook.to_ask == 0:
        return Ended(None, "", outlook, accounts.summary())
    with endpoint() as url:
        return asyncio.run(_ask(BatchRun(name, cases, oracle, ledger, settings, outlook, estimates, accounts), url))


async def _ask(run: "BatchRun", url: str | None) -> Ended:
    client = run.oracle.connect(Connection(run.settings.timeout_seconds, run.settings.most_in_flight, url))
    api: BatchApi = AnthropicBatchApi(client) if isinstance(client, AnthropicClient) else OpenAIBatchApi(client)
    stopped, detail = None, ""
    settling = asyncio.ensure_future(run.until_settled(api))
    try:
        with stops_on_signals(settling.cancel):
            await settling
    except BatchesStopped as stop:
        stopped, detail = stop.reason, stop.detail
    except asyncio.CancelledError:
        stopped, detail = StopReason.INTERRUPTED, INTERRUPTED
    finally:
        await client.close()
        run.line.end()
    return Ended(stopped, detail, run.outlook, run.accounts.summary())


@dataclass
class BatchRun:
    """The state of a run in batch mode."""

    name: str
    cases: Cases
    oracle: Oracle
    ledger: Ledger
    settings: AskingSettings
    outlook: Outlook
    estimates: Estimates
    accounts: Accounts
    books: BatchLedger = field(init=False)
    booking: BatchBooking = field(init=False)
    rows: BatchRows = field(init=False)
    patience: Patience = field(init=False)
    creation: Patience = field(init=False)
    """Creations fail on their own, while looks at other batches succeed."""
    line: ProgressLine = field(init=False)
    hindered: BatchesStopped | None = None
    """Why no further batch can be created for now."""
    one_has_ended: bool = False
    """Whether there is more room in the vendor's queue than when the last batch was created."""

    def __post_init__(self) -> None:
        budget = Budget(self.settings.budget_usd, self.outlook.booked_usd)
        self.books = BatchLedger(self.ledger)
        self.booking = BatchBooking(
            self.oracle.plan(), self.ledger, self.accounts, budget, self.estimates, self.settings.attempts
        )
        self.rows = BatchRows(self.cases, self.settings, self.books, self.booking)
        self.line = ProgressLine(self.name)
        self.patience = Patience(self.settings, self._show)
        self.creation = Patience(self.settings, self._show)

    async def until_settled(self, api: BatchApi) -> None:
        """Create, poll and reconcile until every case is settled.

        Raises:
            BatchesStopped: money, key, outage or settings stop it.
        """
        may_abandon = self.settings.abandon_batches
        results = BatchResults(api, self.books, self.booking, self.patience, self.line.say, may_abandon)
        for record in self.books.holding(request.key for _, request in self.rows.unsettled()):
            await results.check(record)
        while True:
            rows = [] if self.hindered else self.rows.next()
            if rows:
                await self._create(api, rows)
                continue
            awaited = self.rows.awaited()
            if awaited is None:
                break
            await self._finish(results, *awaited)
        if self.hindered:
            raise self.hindered
        await results.collect_unasked()

    async def _create(self, api: BatchApi, rows: list[Request]) -> None:
        """Announce and create a batch. A lost reply leaves it open: it is looked for when its results are wanted."""
        known = await self.patience.call(lambda: _newest(api))
        keys, usd = [request.key for request in rows], sum(self.rows.reservation(request).usd for request in rows)
        record = await asyncio.to_thread(self.books.intend, self.oracle.vendor, keys, self.oracle.prices, known, usd)
        try:
            batch = await api.create([(custom_id(row.key), row.body) for row in rows], record.name)
        except BatchApiError as error:
            self.accounts.errors[error.error_kind] += 1
            if not error.may_have_worked:
                await asyncio.to_thread(self.books.done, record)
            await self._bear(error)
            return
        self.creation.succeeded()
        self.one_has_ended = False
        self.accounts.attempts += len(rows)
        await asyncio.to_thread(self.books.created, record, batch)

    async def _bear(self, error: BatchApiError) -> None:
        """Wait after a creation that failed, or note that none can succeed for now.

        A limit that does not pass is that of the requests in batches: it does once one of them has ended.
        """
        try:
            await self.creation.bear(error)
        except BatchesStopped as stop:
            self.creation.succeeded()
            is_full = error.error_kind is ErrorKind.RATE_LIMITED
            self.hindered = BatchesStopped(StopReason.QUEUE_FULL, error.detail) if is_full else stop

    async def _finish(self, results: BatchResults, record: BatchRecord, waiting: Waiting) -> None:
        """See an open batch through, and note what it says about further ones."""
        stop = await results.finish(record, waiting)
        is_full = stop is not None and stop.reason is StopReason.QUEUE_FULL
        if is_full and self.one_has_ended:
            stop = None
        if stop is not None or (self.hindered and self.hindered.reason is StopReason.QUEUE_FULL):
            self.hindered = stop
        self.one_has_ended |= not is_full

    def _show(self, words: str, is_new: bool) -> None:
        answered = self.outlook.answered + self.accounts.outcomes.total()
        hindered = f", no further batch for now ({self.hindered})" if self.hindered else ""
        spent = self.booking.budget.spent_usd
        self.line.show(f"{answered}/{self.outlook.questions}, {words}{hindered}, ${spent:.2f} spent", now=is_new)


async def _newest(api: BatchApi) -> list[str]:
    """Ids of the account's newest batches."""
    ids: list[str] = []
    async with aclosing(api.listed()) as listed:
        async for seen in listed:
            ids.append(seen.id)
            if len(ids) == KNOWN:
                break
    return ids
