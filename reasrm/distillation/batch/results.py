"""Seeing open batches through: polled until they are over, their results booked, or written off where they are gone."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from reasrm.apis.api_reply import AttemptResult
from reasrm.apis.batches.api import BatchApi, BatchApiError, BatchState, BatchStatus, ResultsGoneError
from reasrm.distillation.batch.batch_ledger import BatchLedger, BatchRecord
from reasrm.distillation.batch.booking import MISSING, BatchBooking, Waiting
from reasrm.distillation.batch.polling import BatchesStopped, Patience
from reasrm.distillation.batch.recovery import Adoption, OtherAccountError
from reasrm.distillation.rate_control.admission_control import StopReason
from reasrm.distillation.settings import ABANDON


@dataclass(frozen=True)
class BatchResults:
    """Takes in what open batches have come to.

    Its methods raise BatchesStopped if no batch can be polled any more; what only keeps new ones from being created is
    returned, since batches that were paid for are still to be taken in then.
    """

    api: BatchApi
    books: BatchLedger
    booking: BatchBooking
    patience: Patience
    say: Callable[[str], None]
    """Says what must not be missed."""
    may_abandon: bool
    """Whether a batch that cannot be found may be given up."""

    @property
    def _adoption(self) -> Adoption:
        return Adoption(self.api, self.books, self.patience)

    async def check(self, record: BatchRecord) -> None:
        """Make sure that the account in use is the one that has `record`, before it is asked for anything else.

        Raises:
            BatchesStopped: it is not, and the batch may not be given up.
        """
        try:
            if record.batch is None:
                await self.patience.call(lambda: self._adoption.newer(record))
                return
            batch = record.batch
            known = (await self.patience.call(lambda: self.api.status(batch))).state is not BatchState.UNKNOWN
        except OtherAccountError:
            known = False
        if not known:
            await self._give_up(record)

    async def finish(self, record: BatchRecord, waiting: Waiting) -> BatchesStopped | None:
        """See an open batch through: adopt it if its creation gave no reply, wait for it, take its results."""
        if record.batch is None:
            try:
                found = await self._adoption.find(record)
            except OtherAccountError:
                await self._give_up(record)
                return None
            if found is None:
                await self._done(record)
                return None
            record = await asyncio.to_thread(self.books.created, record, found)
        assert record.batch is not None
        status = await self.patience.until_over(self.api, record.batch, f"waiting for {record}")
        return await self._take(record, status, waiting)

    async def collect_unasked(self) -> None:
        """Take the results of open batches that nobody waits for now (asked with other settings), if they are there."""
        for record in self.books.open_batches(self.booking.plan.shape.protocol):
            if record.batch is None:
                continue
            try:
                status = await self.api.status(record.batch)
                if status.state is BatchState.ENDED:
                    await self._take(record, status, {})
            except (BatchApiError, BatchesStopped) as error:
                self.say(f"{record} is not asked for now and stays open ({error})")

    async def _take(self, record: BatchRecord, status: BatchStatus, waiting: Waiting) -> BatchesStopped | None:
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

    async def _reconcile(self, record: BatchRecord, waiting: Waiting) -> BatchesStopped | None:
        """Book each result under its request. What is missing stays unsettled and goes into the next batch."""
        failed = dict.fromkeys(record.keys, MISSING)
        try:
            await self.patience.call(lambda: self._book_results(record, failed, waiting))
        except ResultsGoneError:
            await self._write_off(record, "its results are gone")
            return None
        hindered = None
        try:
            self.booking.errors(failed, len(record.keys), waiting)
        except BatchesStopped as stop:
            hindered = stop
        await self._done(record)
        return hindered

    async def _book_results(self, record: BatchRecord, failed: dict[str, AttemptResult], waiting: Waiting) -> None:
        """Book the replies of an ended batch; `failed` is left with the requests that have none."""
        assert record.batch is not None
        async for name, attempt in self.api.results(record.batch):
            key = record.key_of.get(name)
            if key is None or key not in failed:
                continue
            if attempt.reply is None:
                failed[key] = attempt
            else:
                self.booking.reply(record, key, attempt.reply, waiting)
                del failed[key]

    async def _give_up(self, record: BatchRecord) -> None:
        """Close a batch that cannot be found, if that is allowed."""
        why = "this account does not have it"
        if not self.may_abandon:
            way_out = f"use the key (and workspace) that it was created with; {ABANDON}"
            raise BatchesStopped(StopReason.NOT_ALLOWED, f"{record}: {why}: {way_out}")
        await self._write_off(record, why)

    async def _write_off(self, record: BatchRecord, why: str) -> None:
        """Close a batch of which nothing more is to be had; its requests are asked again."""
        lost = self.booking.lost(record)
        self.say(f"{record}: {why}: {lost} requests are asked again, and may have been billed already")
        await self._done(record, lost)

    async def _done(self, record: BatchRecord, unread: int = 0) -> None:
        await asyncio.to_thread(self.books.done, record, unread)


def _refusal(record: BatchRecord, status: BatchStatus) -> BatchesStopped:
    """Why a batch that failed as a whole keeps others from being created."""
    if status.state is BatchState.QUEUE_FULL:
        way_out = "the account's other batches have to end first, or fewer requests to go into a batch"
        return BatchesStopped(StopReason.QUEUE_FULL, f"{record} was refused: {status.detail} ({way_out})")
    stops = status.error_kind.stops_the_run
    reason = StopReason(status.error_kind.value) if stops else StopReason.ALL_INVALID
    return BatchesStopped(reason, f"{record} was refused: {status.detail}")
