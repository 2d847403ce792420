"""OpenAI's Batches: an input file is uploaded, results come as an output file and an error file."""

from collections.abc import AsyncGenerator, AsyncIterator
from http import HTTPStatus
from typing import Any, ClassVar

import orjson

from reasrm.apis.api_reply import AttemptResult
from reasrm.apis.batches.api import BatchState, BatchStatus, ListedBatch, ResultsGoneError, batch_errors
from reasrm.apis.error_classification import ApiError, ErrorKind
from reasrm.apis.openai_chat import OpenAIClient
from reasrm.apis.reply_format import BrokenReplyError

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
                input_file_id=file.id,
                endpoint=self._url,
                completion_window="24h",
                metadata={LABEL: label},
            )
        return str(batch.id)

    async def listed(self) -> AsyncGenerator[ListedBatch, None]:
        """The batches of the project, the newest first."""
        with batch_errors(self._client):
            async for batch in self._sdk.batches.list(limit=LISTED):
                counts = batch.request_counts
                yield ListedBatch(batch.id, counts.total if counts else 0, (batch.metadata or {}).get(LABEL))

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
            for file in (found.output_file_id, found.error_file_id):
                if file is not None:
                    async for row in self._rows(file):
                        yield row["custom_id"], read_result(row, self._client)

    async def _rows(self, file: str) -> AsyncGenerator[dict[str, Any], None]:
        """The rows of a file, streamed; one that cannot be read is left out, and so counts as missing."""
        try:
            async with self._sdk.files.with_streaming_response.content(file) as response:
                async for line in _lines(response.iter_bytes()):
                    row = _row(line)
                    if row is not None:
                        yield row
        except self._client.errors.NotFoundError as error:
            raise ResultsGoneError(self._client.shortened(str(error))) from error

    def _failure(self, errors: Any) -> BatchStatus:
        """What the errors of a failed batch say; the vendor names the lines at fault, or one reason for all."""
        listed = [ApiError.from_body(error.model_dump()) for error in (errors.data if errors else None) or []]
        reasons = dict.fromkeys(f"{one.code}: {one.message}" for one in listed)
        detail = self._client.shortened("; ".join(reasons) or "no reason given")
        if any(one.code == QUEUE_FULL for one in listed):
            return BatchStatus(BatchState.QUEUE_FULL, ErrorKind.RATE_LIMITED, detail)
        stops = (one.error_kind for one in listed if one.error_kind.stops_the_run)
        return BatchStatus(BatchState.FAILED, next(stops, ErrorKind.INVALID), detail)


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Cut a stream at line feeds alone: texts may hold whatever else Unicode calls the end of a line."""
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line
    yield rest


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return row if isinstance(row, dict) and "custom_id" in row else None


def read_result(row: dict[str, Any], client: OpenAIClient) -> AttemptResult:
    """Read one line of an output or error file of requests to the API that `client` speaks."""
    response = row.get("response")
    if not response:
        return client.described(ApiError.from_body(row.get("error")))
    status = response.get("status_code")
    if status != HTTPStatus.OK:
        return client.described(ApiError.from_body(response.get("body"), status))
    try:
        return AttemptResult(reply=client.read_reply(response.get("body"), response.get("request_id") or ""))
    except BrokenReplyError as error:
        return client.broken(error)
