"""OpenAI's Batches: an input file is uploaded, results come as an output file and an error file."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import quote

import orjson

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
from reasrm.apis.error_classification import ApiError, ErrorKind
from reasrm.apis.json_documents import Document
from reasrm.apis.openai_chat import OpenAIClient

LISTED = 100
"""Batches per page of the list."""
LABEL = "reasrm"
"""Name of the metadata field that holds our label."""
ENDED = frozenset({"completed", "expired", "cancelled"})
"""Also an expired or cancelled batch has results of the requests that were done."""
FAILED = "failed"
QUEUE_FULL = "token_limit_exceeded"
"""Code of a batch that failed since too many tokens wait in others."""


class OpenAIBatchApi:
    """Batches over a client's SDK, of requests to the API that the client speaks."""

    keeps_labels: ClassVar[bool] = True

    def __init__(self, client: OpenAIClient) -> None:
        """Use `client`'s connections."""
        self._client = client
        self._sdk = client.sdk
        self._url = f"/v1/{client.path}"

    async def create(self, rows: list[tuple[str, dict[str, Any]]], label: str) -> str:
        """Upload `rows` and submit them, with `label` in the batch's metadata."""
        to = {"method": "POST", "url": self._url}
        lines = [orjson.dumps({"custom_id": name, **to, "body": body}) for name, body in rows]
        with batch_errors(self._client):
            content = ("batch.jsonl", b"\n".join(lines) + b"\n", "application/jsonl")
            file = await self._sdk.files.create(file=content, purpose="batch")
            batch = await self._sdk.batches.create(
                input_file_id=named_id(file),
                endpoint=self._url,
                completion_window="24h",
                metadata={LABEL: label},
            )
            return named_id(batch)

    async def listed(self) -> AsyncGenerator[ListedBatch, None]:
        """The batches of the project, the newest first."""
        with batch_errors(self._client):
            async for batch in listed_once(self._sdk.batches.list(limit=LISTED)):
                total = getattr(batch.request_counts, "total", None)
                yield ListedBatch(named_id(batch), total or 0, text_field(batch.metadata, LABEL))

    async def status(self, batch: str) -> BatchStatus:
        """Where the batch stands."""
        with batch_errors(self._client):
            try:
                found = await self._sdk.batches.retrieve(batch)
            except self._client.errors.NotFoundError as error:
                return BatchStatus(BatchState.UNKNOWN, detail=self._client.shortened(str(error)))
            if found.status == FAILED:
                return self._failure(found.errors)
            return BatchStatus(BatchState.ENDED if found.status in ENDED else BatchState.RUNNING)

    async def results(self, batch: str) -> AsyncGenerator[tuple[str, AttemptResult], None]:
        """The results of both files.

        Raises:
            ResultsGoneError: a file is no longer there.
        """
        with batch_errors(self._client):
            found = await self._sdk.batches.retrieve(batch)
            for file in (text_field(found, "output_file_id"), text_field(found, "error_file_id")):
                if file is not None:
                    async with aclosing(result_lines(self._client, f"/files/{quote(file, safe='')}/content")) as lines:
                        async for line in lines:
                            name = text_field(line.value, "custom_id")
                            if name is not None:
                                yield name, read_result(line, self._client)

    def _failure(self, errors: Any) -> BatchStatus:
        """What the errors of a failed batch say; the vendor names the lines at fault, or one reason for all."""
        listed = [ApiError.from_body(error.model_dump()) for error in (errors.data if errors else None) or []]
        reasons = dict.fromkeys(f"{one.code}: {one.message}" for one in listed)
        detail = self._client.shortened("; ".join(reasons) or "no reason given")
        if any(one.code == QUEUE_FULL for one in listed):
            return BatchStatus(BatchState.QUEUE_FULL, ErrorKind.RATE_LIMITED, detail)
        stops = (one.error_kind for one in listed if one.error_kind.stops_the_run)
        return BatchStatus(BatchState.FAILED, next(stops, ErrorKind.INVALID), detail)


def read_result(line: Document, client: OpenAIClient) -> AttemptResult:
    """Read one line of an output or error file of requests to the API that `client` speaks."""
    response = line.value.get("response")
    if not isinstance(response, dict):
        return client.described(ApiError.from_body(line.value.get("error")))
    status, body = response.get("status_code"), response.get("body")
    if isinstance(status, int) and status != HTTPStatus.OK:
        return client.described(ApiError.from_body(body, status))
    return client.read(replace(line, value=body), text_field(response, "request_id") or "")
