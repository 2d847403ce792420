"""OpenAI's Batches: an input file is uploaded, results come as an output file and an error file."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson

from stages.oracle.attempt import Answer, Attempt, Trouble, shortened
from stages.oracle.batches import BatchSeen, BatchState, batch_troubles
from stages.oracle.openai_client import OpenAIClient
from stages.oracle.reply_reading import BrokenReplyError
from stages.oracle.troubles import Told

LISTED = 100
LABEL = "reasrm"
"""Name of the metadata field that holds our label."""
ENDED = frozenset({"completed", "expired", "cancelled"})
"""Also an expired or cancelled batch has results of the requests that were done."""


class OpenAIBatchApi:
    """Batches over a client's SDK, of requests to the API that the client speaks."""

    def __init__(self, client: OpenAIClient) -> None:
        """Use `client`'s connections."""
        self._client = client
        self._sdk = client.sdk
        self._url = f"/v1/{client.path}"

    async def create(self, rows: list[tuple[str, dict[str, Any]]], label: str) -> str:
        """Upload `rows` and submit them, with `label` in the batch's metadata."""
        to = {"method": "POST", "url": self._url}
        lines = [orjson.dumps({"custom_id": name, **to, "body": body}) for name, body in rows]
        with batch_troubles(self._client):
            content = ("batch.jsonl", b"\n".join(lines) + b"\n", "application/jsonl")
            file = await self._sdk.files.create(file=content, purpose="batch")
            batch = await self._sdk.batches.create(
                input_file_id=file.id,
                endpoint=self._url,
                completion_window="24h",
                metadata={LABEL: label},
            )
        return str(batch.id)

    async def recent(self) -> list[BatchSeen]:
        """The newest batches."""
        with batch_troubles(self._client):
            page = await self._sdk.batches.list(limit=LISTED)
        return [
            BatchSeen(batch.id, batch.request_counts.total if batch.request_counts else 0, _label(batch))
            for batch in page.data
        ]

    async def state(self, batch: str) -> BatchState:
        """Where the batch stands."""
        with batch_troubles(self._client):
            status = (await self._sdk.batches.retrieve(batch)).status
        if status in ENDED:
            return BatchState.ENDED
        return BatchState.FAILED if status == "failed" else BatchState.RUNNING

    async def results(self, batch: str) -> AsyncIterator[tuple[str, Attempt]]:
        """The results of both files."""
        with batch_troubles(self._client):
            found = await self._sdk.batches.retrieve(batch)
            for file in (found.output_file_id, found.error_file_id):
                if file is not None:
                    content = await self._sdk.files.content(file)
                    for line in content.content.splitlines():
                        if line.strip():
                            row = orjson.loads(line)
                            yield row["custom_id"], read_result(row, self._client.read_reply)


def read_result(row: dict[str, Any], read_reply: Callable[[Any, str], Answer]) -> Attempt:
    """Read one line of an output or error file; `read_reply` reads the body of a reply."""
    response = row.get("response")
    if not response:
        return Attempt(trouble=Trouble.SERVER_ERROR, detail=shortened(str(row.get("error"))))
    status = response["status_code"]
    if status != 200:
        told = Told.by(response.get("body"), status)
        return Attempt(trouble=told.trouble, detail=shortened(told.message))
    try:
        return Attempt(answer=read_reply(response["body"], response.get("request_id") or ""))
    except BrokenReplyError as error:
        return Attempt(trouble=error.trouble, detail=shortened(str(error)))


def _label(batch: Any) -> str | None:
    return (batch.metadata or {}).get(LABEL)
