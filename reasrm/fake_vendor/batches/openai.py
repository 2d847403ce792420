"""OpenAI's files and Batches, as the fake vendor serves them."""

import time
from typing import Any

import orjson
from aiohttp import web

from reasrm.fake_vendor.batches.batch_endpoints import (
    BatchEndpoints,
    BatchRunner,
    RowOutcome,
    RowResult,
    StoredBatch,
    duplicate_id,
)
from reasrm.fake_vendor.errors import error_body
from reasrm.fake_vendor.http_responses import json_response, jsonl_response
from reasrm.fake_vendor.protocols import ApiPath, Vendor

BATCH_PATHS = frozenset({ApiPath.CHAT_COMPLETIONS, ApiPath.RESPONSES})
"""Paths that batches take."""
QUEUE_FULL = "token_limit_exceeded"


class OpenAIBatchEndpoints(BatchEndpoints):
    """`/v1/files` and `/v1/batches`."""

    vendor = Vendor.OPENAI

    def __init__(self, runner: BatchRunner) -> None:
        """No files, no batches."""
        super().__init__(runner)
        self.files: dict[str, bytes] = {}

    async def route(self, request: web.BaseRequest, parts: list[str]) -> web.StreamResponse:
        """Upload and download files; create, list and retrieve batches."""
        if parts[0] == "files":
            return await self._file(request, parts)
        if len(parts) == 1 and request.method == "POST":
            return await self._create(request)
        if len(parts) == 1:
            page, more = self.newest_first(request, "after")
            return json_response(
                200, {"object": "list", "data": [self._described(batch) for batch in page], "has_more": more}
            )
        found = self.batches.get(parts[1])
        return self.not_found(parts[1]) if found is None else json_response(200, self._described(found))

    def is_done(self, batch: StoredBatch) -> bool:
        """Whether every request has come to its end: first the file is validated, then the batch runs."""
        settings = self.runner.settings
        return time.monotonic() - batch.created >= settings.batch_validation_seconds + settings.batch_seconds

    async def _file(self, request: web.BaseRequest, parts: list[str]) -> web.StreamResponse:
        if request.method == "POST":
            file = f"file-{len(self.files):04d}"
            async for part in await request.multipart():
                if getattr(part, "name", None) == "file":
                    self.files[file] = bytes(await part.read())  # type: ignore[union-attr]
            return json_response(200, _file_described(file, len(self.files[file])))
        if len(parts) == 3 and parts[1].startswith("results-"):
            _, kind, name = parts[1].split("-", 2)
            batch = self.batches[name]
            if not self.is_archived(batch):
                rows = [_result(result) for result in batch.results]
                return jsonl_response([row for row in rows if row and (row["error"] is None) == (kind == "good")])
        return self.not_found(parts[1])

    async def _create(self, request: web.BaseRequest) -> web.StreamResponse:
        body = orjson.loads(await request.read())
        content = self.files.get(body["input_file_id"])
        if content is None:
            return self.not_found(body["input_file_id"])
        refusal = self.creation_error()
        if refusal is not None:
            return refusal
        rows = [orjson.loads(line) for line in content.splitlines() if line.strip()]
        if body["endpoint"] not in BATCH_PATHS or any(row["url"] != body["endpoint"] for row in rows):
            return json_response(400, error_body(self.vendor, 400, "the endpoint of the batch is not that of its rows"))
        pairs = [(row["custom_id"], row["body"]) for row in rows]
        batch = self.accept(
            ApiPath(body["endpoint"]),
            pairs,
            request,
            source=body["input_file_id"],
            metadata=body.get("metadata"),
            failure=self._failure(pairs),
        )
        return web.Response() if batch is None else json_response(200, self._described(batch))

    def _failure(self, rows: list[tuple[str, Any]]) -> tuple[str, str] | None:
        """What the validation of a batch will say against it."""
        settings = self.runner.settings
        if settings.batch_failure is not None:
            return settings.batch_failure, f"the vendor says {settings.batch_failure}"
        duplicate = duplicate_id(rows)
        if duplicate is not None:
            return (
                "duplicate_custom_id",
                f"The custom_id for this request is a duplicate of another request: {duplicate}",
            )
        queued = sum(batch.requests for batch in self.batches.values() if not batch.failure and not self.is_done(batch))
        if settings.batch_queue_requests is not None and queued + len(rows) > settings.batch_queue_requests:
            limit = settings.batch_queue_requests
            return QUEUE_FULL, (
                f"Enqueued token limit reached. Limit: {limit} enqueued requests. Please try again once some "
                f"in_progress batches have been completed."
            )
        return None

    def _described(self, batch: StoredBatch) -> dict[str, Any]:
        validating = time.monotonic() - batch.created < self.runner.settings.batch_validation_seconds
        failed = batch.failure is not None and not validating
        done = self.is_done(batch) and not failed
        bad = sum(1 for result in batch.results if result.outcome is not RowOutcome.SUCCEEDED)
        status = "validating" if validating else "failed" if failed else "completed" if done else "in_progress"
        return {
            "id": batch.id,
            "object": "batch",
            "endpoint": batch.api,
            "errors": _errors(batch.failure) if failed and batch.failure else None,
            "input_file_id": batch.source,
            "completion_window": "24h",
            "status": status,
            "output_file_id": f"results-good-{batch.id}" if done else None,
            "error_file_id": f"results-bad-{batch.id}" if done and bad else None,
            "created_at": 1_700_000_000,
            "request_counts": {
                "total": 0 if validating or failed else batch.requests,
                "completed": (batch.requests - bad) * done,
                "failed": bad * done,
            },
            "metadata": batch.metadata,
        }


def _errors(failure: tuple[str, str]) -> dict[str, Any]:
    code, message = failure
    return {"object": "list", "data": [{"code": code, "message": message, "line": None, "param": None}]}


def _file_described(file: str, size: int) -> dict[str, Any]:
    return {
        "id": file,
        "object": "file",
        "bytes": size,
        "created_at": 1_700_000_000,
        "filename": "batch.jsonl",
        "purpose": "batch",
        "status": "processed",
    }


def _result(result: RowResult) -> dict[str, Any] | None:
    row = {"id": f"batch_req_{result.custom_id[:12]}", "custom_id": result.custom_id, "response": None, "error": None}
    if result.outcome is RowOutcome.MISSING:
        return None
    if result.outcome is RowOutcome.EXPIRED:
        return row | {"error": {"code": "batch_expired", "message": "This request could not be executed in time."}}
    response = {"status_code": result.status, "request_id": "req_batch", "body": result.body}
    error = None if result.status == 200 else {"code": str(result.status), "message": "the request failed"}
    return row | {"response": response, "error": error}
