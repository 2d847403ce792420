"""Recovery of a batch whose creation was announced and whose reply was lost, without ever taking another one for it.

OpenAI shows the label that we wrote on a batch: it alone decides. Anthropic shows none, so what remains of the list
(no batch that was there before, none that this ledger has under another name, none of another size) has to prove by
the custom ids of its results that it is ours, once it has ended: a batch of another run can be of the same size.
"""

from contextlib import aclosing

from reasrm.apis.batches.api import BatchApi, BatchState, ListedBatch, ResultsGoneError
from reasrm.distillation.batch.batch_ledger import BatchLedger, BatchRecord
from reasrm.distillation.batch.polling import FIRST_PAUSE_SECONDS, Polling

SEARCHES = 7
"""How often the vendor's list is searched, with pauses that double: half a minute in all if the settings allow it."""


class OtherAccountError(RuntimeError):
    """The vendor's list holds none of the batches that it held when the lost one was announced."""


class Recovery:
    """Looks for lost batches in the vendor's list."""

    def __init__(self, api: BatchApi, batch_ledger: BatchLedger, polling: Polling) -> None:
        """Look through `api`."""
        self._api = api
        self._batch_ledger = batch_ledger
        self._polling = polling
        self._foreign: set[str] = set()
        """Batches that have turned out not to be ours."""

    async def find(self, record: BatchRecord) -> str | None:
        """The vendor's id of `record`; None if it was never created.

        Raises:
            OtherAccountError: as `newer`.
            RunStopped: the list cannot be had.
        """
        for search in range(SEARCHES):
            if search > 0:
                reason = f"looking whether {record} was created"
                await self._polling.rest(self._polling.at_most(FIRST_PAUSE_SECONDS * 2 ** (search - 1)), reason)
            for seen in await self._polling.call(lambda: self.newer(record)):
                if await self._is_ours(seen, record):
                    return seen.id
        return None

    async def newer(self, record: BatchRecord) -> list[ListedBatch]:
        """The batches that were created after `record` was announced, by whomever.

        Raises:
            OtherAccountError: none of those before it is there.
        """
        newer: list[ListedBatch] = []
        async with aclosing(self._api.listed()) as listed:
            async for seen in listed:
                if seen.id in record.known:
                    return newer
                newer.append(seen)
        if record.known:
            raise OtherAccountError
        return newer

    async def _is_ours(self, seen: ListedBatch, record: BatchRecord) -> bool:
        if self._api.keeps_labels:
            return seen.label == record.name
        known = seen.id in self._foreign or self._batch_ledger.is_of_this_ledger(seen.id)
        if known or seen.requests != len(record.keys):
            return False
        if await self._has_the_results_of(record, seen.id):
            return True
        self._foreign.add(seen.id)
        return False

    async def _has_the_results_of(self, record: BatchRecord, batch: str) -> bool:
        """Wait until `batch` has ended, then compare its results with `record`."""
        reason = f"waiting for batch {batch} to end, to see whether it is {record}"
        if (await self._polling.until_over(self._api, batch, reason)).state is not BatchState.ENDED:
            return False
        try:
            return await self._polling.call(lambda: self._all_are_of(record, batch))
        except ResultsGoneError:
            return False

    async def _all_are_of(self, record: BatchRecord, batch: str) -> bool:
        found = False
        async with aclosing(self._api.results(batch)) as results:
            async for name, _ in results:
                if name not in record.key_of:
                    return False
                found = True
        return found
