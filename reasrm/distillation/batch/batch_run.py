"""One run of one pass in batch mode: half the price, answers within a day, and no batch is ever paid for twice.

Before a batch is created, the intent (its requests, and the batches that the account already has) is in the ledger and
on the disk. If the reply to the creation is lost, or the run is killed in between, the next look finds the new batch in
the vendor's list and takes it over. Results are matched by custom id; what ended as errored, expired or is missing goes
into the next batch. What prevents the creation of batches stops the run only once those that were paid for are in.
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
from reasrm.distillation.batch.next_batch import OpenQuestions
from reasrm.distillation.batch.polling import Polling
from reasrm.distillation.batch.result_recorder import ResultRecorder, WaitingQuestions
from reasrm.distillation.batch.results import BatchResults
from reasrm.distillation.cost_estimate import CostEstimate, estimate_before_run
from reasrm.distillation.questions import Questions
from reasrm.distillation.request_plan import Oracle, Request
from reasrm.distillation.run_lifecycle import INTERRUPTED, Endpoint, RunResult, stops_on_signals
from reasrm.distillation.run_messages import UNKNOWN_COST
from reasrm.distillation.run_statistics import RunStatistics, RunStopped, StopReason
from reasrm.distillation.settings import AskingSettings
from reasrm.distillation.spend_budget import SpendBudget, TokenEstimates
from reasrm.records.ledger import Ledger
from reasrm.records.trace import TraceOutcome
from reasrm.runtime.progress import ProgressLine

NEWEST_NOTED = 100
"""How many of the account's newest batches are noted before one is created."""


def ask_in_batches(
    name: str,
    questions: Questions,
    oracle: Oracle,
    ledger: Ledger,
    settings: AskingSettings,
    endpoint: Endpoint,
    other_pass_usd: float = 0.0,
) -> RunResult:
    """Ask every question that `ledger` does not settle, in batches; the arguments are those of `ask_online`."""
    tokens = TokenEstimates(oracle.max_tokens)
    estimate = estimate_before_run(questions(), oracle.plan(), ledger, tokens)
    estimate.other_pass_usd = other_pass_usd
    statistics = RunStatistics()
    if estimate.to_ask == 0:
        return RunResult(None, "", estimate, statistics.summary())
    with endpoint() as url:
        return asyncio.run(_ask(BatchRun(name, questions, oracle, ledger, settings, estimate, tokens, statistics), url))


async def _ask(run: "BatchRun", url: str | None) -> RunResult:
    client = run.oracle.connect(Connection(run.settings.timeout_seconds, run.settings.most_in_flight, url))
    api: BatchApi = AnthropicBatchApi(client) if isinstance(client, AnthropicClient) else OpenAIBatchApi(client)
    stopped, detail = None, ""
    settling = asyncio.ensure_future(run.until_settled(api))
    try:
        with stops_on_signals(settling.cancel):
            await settling
    except RunStopped as stop:
        stopped, detail = stop.reason, stop.detail
    except asyncio.CancelledError:
        stopped, detail = StopReason.INTERRUPTED, INTERRUPTED
    finally:
        await client.close()
        run.line.end()
    return RunResult(stopped, detail, run.estimate, run.statistics.summary())


@dataclass
class BatchRun:
    """The state of a run in batch mode."""

    name: str
    questions: Questions
    oracle: Oracle
    ledger: Ledger
    settings: AskingSettings
    estimate: CostEstimate
    tokens: TokenEstimates
    statistics: RunStatistics
    batch_ledger: BatchLedger = field(init=False)
    recorder: ResultRecorder = field(init=False)
    open_questions: OpenQuestions = field(init=False)
    polling: Polling = field(init=False)
    creation: Polling = field(init=False)
    """Apart, since creations may fail while other calls succeed."""
    line: ProgressLine = field(init=False)
    creation_stopped: RunStopped | None = None
    """Why no further batch can be created for now."""
    one_has_ended: bool = False
    """Whether there is more room in the vendor's queue than when the last batch was created."""

    def __post_init__(self) -> None:
        budget = SpendBudget(self.settings.budget_usd, self.estimate.counted_usd)
        self.batch_ledger = BatchLedger(self.ledger)
        self.recorder = ResultRecorder(
            self.oracle.plan(), self.ledger, self.statistics, budget, self.tokens, self.settings.attempts
        )
        self.open_questions = OpenQuestions(self.questions, self.settings, self.batch_ledger, self.recorder)
        self.line = ProgressLine(self.name)
        self.polling = Polling(self.settings, self._show)
        self.creation = Polling(self.settings, self._show)

    async def until_settled(self, api: BatchApi) -> None:
        """Create, poll and reconcile until every question is settled.

        Raises:
            RunStopped: money, key, outage or settings stop it.
        """
        may_abandon = self.settings.abandon_batches
        results = BatchResults(api, self.batch_ledger, self.recorder, self.polling, self.line.say, may_abandon)
        for record in self.batch_ledger.holding(request.key for _, request in self.open_questions.unsettled()):
            await results.check(record)
        while True:
            rows = [] if self.creation_stopped else self.open_questions.next()
            if rows:
                await self._create(api, rows)
                continue
            awaited = self.open_questions.awaited()
            if awaited is None:
                break
            await self._finish(results, *awaited)
        if self.creation_stopped:
            raise self.creation_stopped
        if self.statistics.outcomes[TraceOutcome.GAVE_UP] and not self.statistics.replies:
            raise RunStopped(StopReason.OUTAGE, f"no request has got a reply, the last: {self.recorder.last_failure}")
        await results.collect_unasked()

    async def _create(self, api: BatchApi, rows: list[Request]) -> None:
        """Announce and create a batch. A lost reply leaves it open: it is looked for when its results are wanted."""
        known = await self.polling.call(lambda: _newest(api))
        keys = [request.key for request in rows]
        usd = sum(self.open_questions.cost_bound(request).usd for request in rows)
        vendor, prices = self.oracle.vendor, self.oracle.prices
        record = await asyncio.to_thread(self.batch_ledger.intend, vendor, keys, prices, known, usd)
        try:
            batch = await api.create([(custom_id(row.key), row.body) for row in rows], record.name)
        except BatchApiError as error:
            self.statistics.errors[error.error_kind] += 1
            if not error.may_have_worked:
                await asyncio.to_thread(self.batch_ledger.done, record)
            await self._after_failed_creation(error)
            return
        self.creation.succeeded()
        self.one_has_ended = False
        self.statistics.attempts += len(rows)
        await asyncio.to_thread(self.batch_ledger.created, record, batch)

    async def _after_failed_creation(self, error: BatchApiError) -> None:
        """Wait after a creation that failed, or note that none can succeed for now.

        A limit that does not pass is that of the requests in batches: it does once one of them has ended.
        """
        try:
            await self.creation.wait_after(error)
        except RunStopped as stop:
            self.creation.succeeded()
            is_full = error.error_kind is ErrorKind.RATE_LIMITED
            self.creation_stopped = RunStopped(StopReason.QUEUE_FULL, stop.detail) if is_full else stop

    async def _finish(self, results: BatchResults, record: BatchRecord, waiting: WaitingQuestions) -> None:
        """Finish an open batch, and note what its outcome means for further ones."""
        stop = await results.finish(record, waiting)
        is_full = stop is not None and stop.reason is StopReason.QUEUE_FULL
        if is_full and self.one_has_ended:
            stop = None
        if stop is not None or (self.creation_stopped and self.creation_stopped.reason is StopReason.QUEUE_FULL):
            self.creation_stopped = stop
        self.one_has_ended |= not is_full

    def _show(self, doing: str, is_new: bool) -> None:
        answered = self.estimate.answered + self.statistics.outcomes.total()
        stopped = f", no further batch for now ({self.creation_stopped})" if self.creation_stopped else ""
        spent = UNKNOWN_COST if self.oracle.prices is None else f"${self.recorder.budget.spent_usd:.2f} spent"
        self.line.show(f"{answered}/{self.estimate.questions}, {doing}{stopped}, {spent}", now=is_new)


async def _newest(api: BatchApi) -> list[str]:
    """Ids of the account's newest batches."""
    ids: list[str] = []
    async with aclosing(api.listed()) as listed:
        async for seen in listed:
            ids.append(seen.id)
            if len(ids) == NEWEST_NOTED:
                break
    return ids
