"""Finishing open batches: polled until they are over, their results recorded, or written off where they are gone."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from reasrm.apis.api_reply import AttemptResult
from reasrm.apis.batches.api import BatchApi, BatchApiError, BatchState, BatchStatus, ResultsGoneError
from reasrm.distillation.batch.batch_ledger import BatchLedger, BatchRecord
from reasrm.distillation.batch.polling import Polling
from reasrm.distillation.batch.recovery import OtherAccountError, Recovery
from reasrm.distillation.batch.result_recorder import MISSING, ResultRecorder, WaitingQuestions
from reasrm.distillation.run_statistics import RunStopped, StopReason
from reasrm.distillation.settings import ABANDON


@dataclass(frozen=True)
class BatchResults:
    """Takes the results of open batches.

    Its methods raise RunStopped if no batch can be polled any more; what only keeps new ones from being created is
    returned, since batches that were paid for are still to be finished then.
    """

    api: BatchApi
    batch_ledger: BatchLedger
    recorder: ResultRecorder
    polling: Polling
    say: Callable[[str], None]
    """Says what must not be missed."""
    may_abandon: bool
    """Whether a batch that cannot be found may be given up."""

    @property
    def _recovery(self) -> Recovery:
        return Recovery(self.api, self.batch_ledger, self.polling)

    async def check(self, record: BatchRecord) -> None:
        """Make sure that the account in use is the one that has `record`, before it is asked for anything else.

        Raises:
            RunStopped: it is not, and the batch may not be given up.
        """
        try:
            if record.batch is None:
                await self.polling.call(lambda: self._recovery.newer(record))
                return
            batch = record.batch
            known = (await self.polling.call(lambda: self.api.status(batch))).state is not BatchState.UNKNOWN
        except OtherAccountError:
            known = False
        if not known:
            await self._give_up(record)

    async def finish(self, record: BatchRecord, waiting: WaitingQuestions) -> RunStopped | None:
        """Finish an open batch: recover it if its creation gave no reply, wait for it, take its results."""
        if record.batch is None:
            try:
                found = await self._recovery.find(record)
            except OtherAccountError:
                await self._give_up(record)
                return None
            if found is None:
                await self._done(record)
                return None
            record = await asyncio.to_thread(self.batch_ledger.created, record, found)
        assert record.batch is not None
        status = await self.polling.until_over(self.api, record.batch, f"waiting for {record}")
        return await self._take(record, status, waiting)

    async def collect_unasked(self) -> None:
        """Take the results, if any, of open batches that no question waits for (asked with other settings)."""
        for record in self.batch_ledger.open_batches(self.recorder.plan.format.protocol):
            if record.batch is None:
                continue
            try:
                status = await self.api.status(record.batch)
                if status.state is BatchState.ENDED:
                    await self._take(record, status, {})
            except (BatchApiError, RunStopped) as error:
                self.say(f"{record} is not asked for now and stays open ({error})")

    async def _take(self, record: BatchRecord, status: BatchStatus, waiting: WaitingQuestions) -> RunStopped | None:
        match status.state:
            case BatchState.ENDED:
                return await self._reconcile(record, waiting)
            case BatchState.GONE:
                await self._write_off(record, "its results are gone")
                return None
            case BatchState.UNKNOWN:
                await self._give_up(record)
                return None
        await self._done(record)
        return _refusal(record, status)

    async def _reconcile(self, record: BatchRecord, waiting: WaitingQuestions) -> RunStopped | None:
        """Record each result under its request. What is missing stays unsettled and goes into the next batch."""
        failed = dict.fromkeys(record.keys, MISSING)
        try:
            await self.polling.call(lambda: self._record_results(record, failed, waiting))
        except ResultsGoneError:
            await self._write_off(record, "its results are gone")
            return None
        stopped = None
        try:
            self.recorder.errors(failed, len(record.keys), waiting)
        except RunStopped as stop:
            stopped = stop
        await self._done(record)
        return stopped

    async def _record_results(
        self, record: BatchRecord, failed: dict[str, AttemptResult], waiting: WaitingQuestions
    ) -> None:
        """Record the replies of an ended batch; `failed` is left with the requests that have none."""
        assert record.batch is not None
        async for name, attempt in self.api.results(record.batch):
            key = record.key_of.get(name)
            if key is None or key not in failed:
                continue
            if attempt.reply is None:
                failed[key] = attempt
            else:
                self.recorder.reply(record, key, attempt.reply, waiting)
                del failed[key]

    async def _give_up(self, record: BatchRecord) -> None:
        """Close a batch that cannot be found, if that is allowed."""
        why = "this account does not have it"
        if not self.may_abandon:
            advice = f"use the key (and workspace) that it was created with; {ABANDON}"
            raise RunStopped(StopReason.NOT_ALLOWED, f"{record}: {why}: {advice}")
        await self._write_off(record, why)

    async def _write_off(self, record: BatchRecord, why: str) -> None:
        """Close a batch of which nothing more is to be had; its requests are asked again."""
        lost = self.recorder.lost(record)
        self.say(f"{record}: {why}: {lost} requests are asked again, and may have been billed already")
        await self._done(record, lost)

    async def _done(self, record: BatchRecord, unread: int = 0) -> None:
        await asyncio.to_thread(self.batch_ledger.done, record, unread)


def _refusal(record: BatchRecord, status: BatchStatus) -> RunStopped:
    """Why a batch that failed as a whole keeps others from being created."""
    if status.state is BatchState.QUEUE_FULL:
        advice = "the account's other batches have to end first, or fewer requests to go into a batch"
        return RunStopped(StopReason.QUEUE_FULL, f"{record} was refused: {status.detail} ({advice})")
    stops = status.error_kind.stops_the_run
    reason = StopReason(status.error_kind.value) if stops else StopReason.ALL_INVALID
    return RunStopped(reason, f"{record} was refused: {status.detail}")
