"""Anthropic's Message Batches, as the fake vendor serves them."""

from collections import Counter
from typing import Any

import orjson
from aiohttp import web

from reasrm.fake_vendor.batches.batch_endpoints import BatchEndpoints, RowOutcome, RowResult, StoredBatch, duplicate_id
from reasrm.fake_vendor.errors import error_body
from reasrm.fake_vendor.http_responses import json_response, jsonl_response
from reasrm.fake_vendor.protocols import ApiPath, Vendor

STAMP = "2026-01-01T00:00:00Z"


class AnthropicBatchEndpoints(BatchEndpoints):
    """`/v1/messages/batches`."""

    vendor = Vendor.ANTHROPIC

    async def route(self, request: web.BaseRequest, parts: list[str]) -> web.StreamResponse:
        """Create, list, retrieve, results."""
        if len(parts) == 2 and request.method == "POST":
            return await self._create(request)
        if len(parts) == 2:
            page, more = self.newest_first(request, "after_id")
            described = [self._described(batch, request) for batch in page]
            ends = {"first_id": described[0]["id"], "last_id": described[-1]["id"]} if described else {}
            return json_response(200, {"data": described, "has_more": more, **ends})
        found = self.batches.get(parts[2])
        if found is None:
            return self.not_found(parts[2])
        if len(parts) == 4 and parts[3] == "results":
            if self.is_archived(found) or not self.is_done(found):
                return self.not_found("results")
            return jsonl_response([row for result in found.results if (row := _result(result))])
        return json_response(200, self._described(found, request))

    async def _create(self, request: web.BaseRequest) -> web.StreamResponse:
        body = orjson.loads(await request.content.read())
        refusal = self.creation_error()
        if refusal is not None:
            return refusal
        rows = [(row["custom_id"], row["params"]) for row in body["requests"]]
        duplicate = duplicate_id(rows)
        if duplicate is not None:
            text = f"requests: custom_id must be unique within the batch, {duplicate} is not"
            return json_response(400, error_body(self.vendor, 400, text))
        batch = self.accept(ApiPath.MESSAGES, rows, request)
        return web.Response() if batch is None else json_response(200, self._described(batch, request))

    def _described(self, batch: StoredBatch, request: web.BaseRequest) -> dict[str, Any]:
        done, archived = self.is_done(batch), self.is_archived(batch)
        count = Counter(result.outcome for result in batch.results)
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": "ended" if done else "in_progress",
            "request_counts": {
                "processing": 0 if done else batch.requests,
                "succeeded": count[RowOutcome.SUCCEEDED] * done,
                "errored": (count[RowOutcome.ERRORED] + count[RowOutcome.MISSING]) * done,
                "expired": count[RowOutcome.EXPIRED] * done,
                "canceled": 0,
            },
            "created_at": STAMP,
            "expires_at": STAMP,
            "ended_at": STAMP if done else None,
            "archived_at": STAMP if archived else None,
            "cancel_initiated_at": None,
            "results_url": f"http://{request.host}/v1/messages/batches/{batch.id}/results"
            if done and not archived
            else None,
        }


def _result(result: RowResult) -> dict[str, Any] | None:
    if result.outcome is RowOutcome.MISSING:
        return None
    by_outcome: dict[RowOutcome, dict[str, Any]] = {
        RowOutcome.SUCCEEDED: {"type": "succeeded", "message": result.body},
        RowOutcome.EXPIRED: {"type": "expired"},
        RowOutcome.ERRORED: {"type": "errored", "error": result.body},
    }
    return {"custom_id": result.custom_id, "result": by_outcome[result.outcome]}
