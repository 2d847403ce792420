"""Anthropic's Message Batches."""

from collections.abc import AsyncIterator
from typing import Any

from stages.oracle.anthropic_client import AnthropicClient, read_message
from stages.oracle.attempt import Attempt, Trouble, shortened
from stages.oracle.batches import BatchSeen, BatchState, batch_troubles
from stages.oracle.reply_reading import BrokenReplyError

LISTED = 100


class AnthropicBatchApi:
    """Batches over a client's SDK. They carry no label: a lost one is known by its size and its custom ids."""

    def __init__(self, client: AnthropicClient) -> None:
        """Use `client`'s connections."""
        self._client = client
        self._batches = client.sdk.messages.batches

    async def create(self, rows: list[tuple[str, dict[str, Any]]], label: str) -> str:
        """Submit `rows`; `label` has no place in this API."""
        with batch_troubles(self._client):
            requests: Any = [{"custom_id": name, "params": body} for name, body in rows]
            return str((await self._batches.create(requests=requests)).id)

    async def recent(self) -> list[BatchSeen]:
        """The newest batches."""
        with batch_troubles(self._client):
            page = await self._batches.list(limit=LISTED)
        return [BatchSeen(batch.id, _size(batch.request_counts), None) for batch in page.data]

    async def state(self, batch: str) -> BatchState:
        """Where the batch stands."""
        with batch_troubles(self._client):
            found = await self._batches.retrieve(batch)
        return BatchState.ENDED if found.processing_status == "ended" else BatchState.RUNNING

    async def results(self, batch: str) -> AsyncIterator[tuple[str, Attempt]]:
        """The results, streamed."""
        with batch_troubles(self._client):
            async for row in await self._batches.results(batch):
                yield row.custom_id, read_result(row.result.model_dump())


def read_result(result: dict[str, Any]) -> Attempt:
    """Read one `result` object: succeeded, errored, expired or canceled."""
    kind = result["type"]
    if kind == "succeeded":
        try:
            return Attempt(answer=read_message(result["message"], ""))
        except BrokenReplyError as error:
            return Attempt(trouble=Trouble.BROKEN_REPLY, detail=shortened(str(error)))
    if kind != "errored":
        return Attempt(trouble=Trouble.SERVER_ERROR, detail=kind)
    told = result["error"].get("error") or result["error"]
    invalid = told.get("type") == "invalid_request_error"
    trouble = Trouble.INVALID if invalid else Trouble.SERVER_ERROR
    return Attempt(trouble=trouble, detail=shortened(str(told.get("message"))))


def _size(counts: Any) -> int:
    return int(counts.processing + counts.succeeded + counts.errored + counts.canceled + counts.expired)
