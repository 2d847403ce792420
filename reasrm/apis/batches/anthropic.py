"""Anthropic's Message Batches."""

from collections.abc import AsyncGenerator
from typing import Any, ClassVar

from reasrm.apis.anthropic_messages import AnthropicClient
from reasrm.apis.api_reply import AttemptResult
from reasrm.apis.batches.api import BatchState, BatchStatus, ListedBatch, ResultsGoneError, batch_errors
from reasrm.apis.error_classification import ApiError, ErrorKind
from reasrm.apis.reply_format import BrokenReplyError

LISTED = 100
"""Batches per page of the list."""


class AnthropicBatchApi:
    """Batches over a client's SDK. They carry no label: a lost one is known by its custom ids alone."""

    keeps_labels: ClassVar[bool] = False

    def __init__(self, client: AnthropicClient) -> None:
        """Use `client`'s connections."""
        self._client = client
        self._batches = client.sdk.messages.batches

    async def create(self, rows: list[tuple[str, dict[str, Any]]], label: str) -> str:
        """Submit `rows`; `label` has no place in this API."""
        with batch_errors(self._client):
            requests: Any = [{"custom_id": name, "params": body} for name, body in rows]
            return str((await self._batches.create(requests=requests)).id)

    async def listed(self) -> AsyncGenerator[ListedBatch, None]:
        """The batches of the workspace, the newest first."""
        with batch_errors(self._client):
            async for batch in self._batches.list(limit=LISTED):
                yield ListedBatch(batch.id, _size(batch.request_counts), None)

    async def status(self, batch: str) -> BatchStatus:
        """Where the batch stands. Results are kept for 29 days; then their address is gone, while the batch stays."""
        with batch_errors(self._client):
            try:
                found = await self._batches.retrieve(batch)
            except self._client.errors.NotFoundError as error:
                return BatchStatus(BatchState.UNKNOWN, detail=self._client.shortened(str(error)))
        if found.processing_status != "ended":
            return BatchStatus(BatchState.RUNNING)
        return BatchStatus(BatchState.ENDED if found.results_url else BatchState.GONE)

    async def results(self, batch: str) -> AsyncGenerator[tuple[str, AttemptResult], None]:
        """The results, streamed.

        Raises:
            ResultsGoneError: they were archived.
        """
        with batch_errors(self._client):
            try:
                rows = await self._batches.results(batch)
            except self._client.errors.NotFoundError as error:
                raise ResultsGoneError(self._client.shortened(str(error))) from error
            except self._client.errors.APIError:
                raise
            except self._client.errors.AnthropicError as error:  # what the SDK raises for a batch without results
                raise ResultsGoneError(str(error)) from error
            async for row in rows:
                yield row.custom_id, read_result(row.result.model_dump(), self._client)


def read_result(result: dict[str, Any], client: AnthropicClient) -> AttemptResult:
    """Read one `result` object: succeeded, errored, expired or canceled."""
    kind = result["type"]
    if kind == "succeeded":
        try:
            return AttemptResult(reply=client.read_reply(result["message"], ""))
        except BrokenReplyError as error:
            return client.broken(error)
    if kind == "errored":
        return client.described(ApiError.from_body(result["error"]))
    return AttemptResult(error_kind=ErrorKind.SERVER_ERROR, detail=kind)


def _size(counts: Any) -> int:
    return int(counts.processing + counts.succeeded + counts.errored + counts.canceled + counts.expired)
