"""One run of one pass in batch mode: half the price, answers within a day, and no batch is ever paid for twice.

Before a batch is created, the intent (its requests, and the batches that the account already has) is in the ledger and
on the disk. If the reply to the creation is lost, or the run is killed in between, the next look finds the new batch in
the vendor's list and adopts it. Results are matched by custom id; what ended as errored, expired or is missing goes
into the next batch.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from stages.oracle.accounts import Accounts
from stages.oracle.anthropic_batches import AnthropicBatchApi
from stages.oracle.anthropic_client import AnthropicClient
from stages.oracle.attempt import Answer, Attempt, Trouble, Usage
from stages.oracle.batch_ledger import BatchLedger, BatchRecord
from stages.oracle.batches import BatchApi, BatchState, BatchTroubleError, custom_id
from stages.oracle.connection import Connection
from stages.oracle.gate import StopReason
from stages.oracle.money import Budget, Estimates
from stages.oracle.openai_batches import OpenAIBatchApi
from stages.oracle.plan import Outlook, Request, RequestPlan, before_asking
from stages.oracle.session import INTERRUPTED, Cases, Ended, Endpoint, Oracle, stops_on_signals
from stages.oracle.settings import AskingSettings
from stages.records.ledger import FINAL, Ledger
from stages.records.trace import TraceOutcome
from stages.runtime.progress import ProgressLine

Reply = TypeVar("Reply")

LOOKS_FOR_LOST = 3
"""How often the vendor's list is searched for a batch whose creation gave no reply, before it is created again."""
FIRST_POLL_SECONDS = 0.5
MOST_BATCH_BYTES = 190_000_000
"""Both vendors take more (256 and 200 MB)."""


class BatchesStopped(Exception):  # noqa: N818  a stop is not an error
    """The run stops; reason and detail are in its arguments."""


def ask_in_batches(
    name: str, cases: Cases, oracle: Oracle, ledger: Ledger, settings: AskingSettings, endpoint: Endpoint
) -> Ended:
    """Ask every case that `ledger` does not settle, in batches; the arguments are those of `ask_online`."""
    estimates = oracle.estimates()
    outlook = before_asking(cases(), oracle.plan(), ledger, estimates)
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
        stopped, detail = stop.args
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
    plan: RequestPlan = field(init=False)
    budget: Budget = field(init=False)
    line: ProgressLine = field(init=False)
    failures: Counter[str] = field(default_factory=Counter)
    """How often the request of each key has come back without a reply."""
    trouble_since: float | None = None
    """When calls to the batch API began to fail, on the event loop's clock."""

    def __post_init__(self) -> None:
        self.plan = self.oracle.plan()
        self.budget = Budget(self.settings.budget_usd, self.outlook.spent_usd)
        self.line = ProgressLine(self.name)

    async def until_settled(self, api: BatchApi) -> None:
        """Create, poll and reconcile until every case is settled.

        Raises:
            BatchesStopped: money, key, outage or settings stop it.
        """
        books = BatchLedger(self.ledger)
        while True:
            rows = self._next_rows(books.pending())
            if rows:
                known = [seen.id for seen in await self._patiently(api.recent)]
                record = books.intend([custom_id(request.key) for request in rows], known)
                await self._create(api, books, record, rows)
            elif books.open_batches():
                await self._finish(api, books, books.open_batches()[0])
            else:
                return

    async def _finish(self, api: BatchApi, books: BatchLedger, record: BatchRecord) -> None:
        """See an open batch through: adopt it if its creation gave no reply, wait for it, take its results."""
        if record.batch is None:
            found = await self._adopt(api, record)
            if found is None:
                books.done(record)
                return
            record = books.created(record, found)
        assert record.batch is not None
        state = await self._wait(api, record)
        if state is BatchState.ENDED:
            await self._reconcile(api, record)
        books.done(record)
        if state is BatchState.FAILED:
            raise BatchesStopped(StopReason.ALL_INVALID, f"the vendor refused batch {record.batch}")

    async def _create(self, api: BatchApi, books: BatchLedger, record: BatchRecord, rows: list[Request]) -> None:
        """Create the batch that `record` announces. A lost reply leaves it open: `_finish` looks for it."""
        try:
            batch = await api.create([(custom_id(row.key), row.body) for row in rows], record.key)
        except BatchTroubleError as error:
            self.accounts.failed(error.trouble)
            if not error.may_have_worked:
                books.done(record)
                await self._bear(error)
            return
        self.accounts.attempts += len(rows)
        books.created(record, batch)

    async def _adopt(self, api: BatchApi, record: BatchRecord) -> str | None:
        """Find the batch of an announced creation in the vendor's list; None if there is none."""
        for look in range(LOOKS_FOR_LOST):
            candidates = [
                seen.id
                for seen in await self._patiently(api.recent)
                if seen.id not in record.known
                and seen.requests == len(record.custom_ids)
                and seen.label in (None, record.key)
            ]
            for candidate in candidates:
                if len(candidates) == 1 or await self._is_ours(api, candidate, record):
                    return candidate
            await asyncio.sleep(min(self.settings.poll_seconds, FIRST_POLL_SECONDS * 2**look))
        return None

    async def _is_ours(self, api: BatchApi, batch: str, record: BatchRecord) -> bool:
        """Whether the results of `batch`, once it has ended, are about requests of `record`."""
        await self._wait(api, BatchRecord(record.key, record.custom_ids, record.known, batch))
        async for name, _ in api.results(batch):
            return name in record.custom_ids
        return False

    async def _wait(self, api: BatchApi, record: BatchRecord) -> BatchState:
        """Poll, ever more seldom, until the batch is over."""
        pause, loop = FIRST_POLL_SECONDS, asyncio.get_running_loop()
        began = loop.time()
        assert record.batch is not None
        batch = record.batch
        while (state := await self._patiently(lambda: api.state(batch))) is BatchState.RUNNING:
            minutes = (loop.time() - began) / 60
            self.line.show(
                f"{self._answered()}/{self.outlook.questions}, waiting for batch {batch} of {len(record.custom_ids)} "
                f"requests for {minutes:.0f} min, ${self.budget.spent_usd:.2f} spent"
            )
            await asyncio.sleep(pause)
            pause = min(self.settings.poll_seconds, 1.5 * pause)
        return state

    async def _reconcile(self, api: BatchApi, record: BatchRecord) -> None:
        """Book each result under its request. What is missing stays unsettled and goes into the next batch."""
        assert record.batch is not None
        waiting = {name: row for row in self._unsettled() if (name := custom_id(row.key)) in record.custom_ids}
        while True:
            try:
                async for name, attempt in api.results(record.batch):
                    request = waiting.pop(name, None)
                    if request is not None:
                        self._book(request, attempt)
                break
            except BatchTroubleError as error:
                await self._bear(error)
        for request in waiting.values():
            self._book(request, Attempt(trouble=Trouble.SERVER_ERROR, detail="missing from the batch's results"))

    async def _patiently(self, call: Callable[[], Awaitable[Reply]]) -> Reply:
        """Call until it succeeds: for calls that may be repeated freely."""
        while True:
            try:
                reply = await call()
            except BatchTroubleError as error:
                await self._bear(error)
            else:
                self.trouble_since = None
                return reply

    async def _bear(self, error: BatchTroubleError) -> None:
        """Wait after a failed call, or stop the run if waiting does not help.

        Raises:
            BatchesStopped: money, key or settings, or the server has been down for too long.
        """
        now = asyncio.get_running_loop().time()
        if error.trouble is Trouble.INVALID:
            raise BatchesStopped(StopReason.ALL_INVALID, error.detail)
        if error.trouble.stops_the_run:
            raise BatchesStopped(StopReason(error.trouble.value), error.detail)
        self.trouble_since = now if self.trouble_since is None else self.trouble_since
        if now - self.trouble_since > 60 * self.settings.outage_minutes:
            raise BatchesStopped(StopReason.OUTAGE, error.detail)
        pause = min(self.settings.poll_seconds, FIRST_POLL_SECONDS + (now - self.trouble_since))
        await asyncio.sleep(error.retry_after or pause)

    def _book(self, request: Request, attempt: Attempt) -> None:
        if attempt.answer is not None:
            usd = self.oracle.prices.usd(attempt.answer.usage, batch=True)
            self.ledger.append(request.key, FINAL, attempt.answer.as_entry() | {"usd": usd})
            self.accounts.delivered(attempt.answer, usd)
            self.budget.settle(0.0, usd)
            self.estimates.learn(request.prompt_characters, attempt.answer.usage)
            self._settled(attempt.answer.outcome)
            return
        assert attempt.trouble is not None
        self.accounts.failed(attempt.trouble)
        if attempt.trouble.stops_the_run:
            raise BatchesStopped(StopReason(attempt.trouble.value), attempt.detail)
        self.failures[request.key] += 1
        if attempt.trouble is Trouble.INVALID:
            self._close(request, TraceOutcome.REJECTED, attempt.detail)
        elif self.failures[request.key] >= self.settings.attempts:
            self._close(request, TraceOutcome.GAVE_UP, f"{attempt.trouble}: {attempt.detail}")

    def _close(self, request: Request, outcome: TraceOutcome, detail: str) -> None:
        answer = Answer(outcome=outcome, text="", usage=Usage(), detail=detail)
        self.ledger.append(request.key, FINAL, answer.as_entry() | {"usd": 0.0})
        self._settled(outcome)

    def _settled(self, outcome: TraceOutcome) -> None:
        self.accounts.outcomes[outcome] += 1

    def _answered(self) -> int:
        return self.outlook.answered + self.accounts.outcomes.total()

    def _unsettled(self) -> Iterator[Request]:
        """The requests that the ledger does not answer and this run has not given up."""
        for case in self.cases():
            request = self.plan.progress(case.question, self.ledger).next
            if request is not None and self.failures[request.key] < self.settings.attempts:
                yield request

    def _next_rows(self, pending: frozenset[str]) -> list[Request]:
        """The next batch: as many requests as fit into the vendor's limits and, beside the pending ones, the budget.

        Raises:
            BatchesStopped: requests are left, nothing is pending, and the budget bears none of them.
        """
        rows: list[Request] = []
        size, usd, refused = 0, self._pending_usd(pending), False
        for request in self._unsettled():
            if custom_id(request.key) in pending:
                continue
            cost = self._bound_usd(request)
            refused = not self.budget.fits(usd + cost)
            size += 4 * request.prompt_characters
            if refused or len(rows) == self.settings.batch_requests or size > MOST_BATCH_BYTES:
                break
            rows.append(request)
            usd += cost
        if refused and not rows and not pending:
            spent, limit = self.budget.spent_usd, self.budget.limit_usd
            raise BatchesStopped(StopReason.BUDGET, f"${spent:.4f} of ${limit:.4f} are spent, the next costs more")
        return rows

    def _pending_usd(self, pending: frozenset[str]) -> float:
        if not pending or self.budget.limit_usd is None:
            return 0.0
        return sum(self._bound_usd(request) for request in self._unsettled() if custom_id(request.key) in pending)

    def _bound_usd(self, request: Request) -> float:
        prompt = self.estimates.prompt_tokens(request.prompt_characters)
        bound = Usage(round(prompt), min(request.max_tokens, self.estimates.output_bound))
        return self.oracle.prices.usd(bound, batch=True)
