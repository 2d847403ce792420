"""Anthropic's Message Batches."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import quote

from reasrm.apis.anthropic_messages import AnthropicClient
from reasrm.apis.api_reply import AttemptResult
from reasrm.apis.batches.api import (
    BatchState,
    BatchStatus,
    ListedBatch,
    batch_errors,
    listed_once,
    named_id,
    result_lines,
    text_field,
)
from reasrm.apis.error_bodies import brief
from reasrm.apis.error_classification import ApiError, ErrorKind
from reasrm.apis.json_documents import Document

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
            return named_id(await self._batches.create(requests=requests))

    async def listed(self) -> AsyncGenerator[ListedBatch, None]:
        """The batches of the workspace, the newest first."""
        with batch_errors(self._client):
            async for batch in listed_once(self._batches.list(limit=LISTED)):
                yield ListedBatch(named_id(batch), _size(batch.request_counts), None)

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
        """The results, streamed from where the API has them, wherever the batch says that they are.

        Raises:
            ResultsGoneError: they were archived.
        """
        with batch_errors(self._client):
            path = f"/v1/messages/batches/{quote(batch, safe='')}/results"
            async with aclosing(result_lines(self._client, path)) as lines:
                async for line in lines:
                    name = text_field(line.value, "custom_id")
                    if name is not None:
                        yield name, read_result(line, self._client)


def read_result(line: Document, client: AnthropicClient) -> AttemptResult:
    """Read the `result` of a line: succeeded, errored, expired or canceled; one of another shape passes."""
    result = line.value.get("result")
    kind = text_field(result, "type")
    if kind == "succeeded":
        return client.read(replace(line, value=result.get("message")), "")
    if kind == "errored":
        return client.described(ApiError.from_body(result.get("error")))
    return AttemptResult(error_kind=ErrorKind.SERVER_ERROR, detail=client.shortened(kind or brief(result)))


def _size(counts: Any) -> int:
    names = ("processing", "succeeded", "errored", "canceled", "expired")
    return sum(int(getattr(counts, name, None) or 0) for name in names)
