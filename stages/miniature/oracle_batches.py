"""Batches at the local oracle: created at once, done after a while, each request billed at half the price."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson
from aiohttp import web

from stages.miniature.oracle_accounts import Accounts
from stages.miniature.oracle_responses import abort, has_key, json_response, jsonl_response
from stages.miniature.oracle_settings import Fault, OracleSettings
from stages.miniature.oracle_wire import (
    Api,
    Asked,
    InvalidRequestError,
    Said,
    Vendor,
    error_body,
    read_request,
    reply_body,
)
from stages.records.content_hash import unit_interval

DISCOUNT = 0.5
ASKED_IN_BATCHES = frozenset({Api.CHAT_COMPLETIONS, Api.RESPONSES})
"""OpenAI's paths that its batches take."""


class Ending(StrEnum):
    """What becomes of one request of a batch."""

    SUCCEEDED = "succeeded"
    ERRORED = "errored"
    INVALID = "invalid"
    EXPIRED = "expired"
    MISSING = "missing"
    """Quietly absent from the results."""


@dataclass
class BatchDesk:
    """What both vendors' batches share: settings, books, and the oracle's tongue."""

    settings: OracleSettings
    accounts: Accounts
    say: Callable[[Asked], Said]
    left_to_lose: int = field(init=False)
    """How many create replies are still to be lost."""

    def __post_init__(self) -> None:
        self.left_to_lose = self.settings.lost_batch_creates

    def run(self, api: Api, custom_id: str, body: Any) -> tuple[Ending, dict[str, Any]]:
        """Carry out one request: its ending, and the reply or error body."""
        vendor = api.vendor
        try:
            asked = read_request(api, body)
        except InvalidRequestError as error:
            return Ending.INVALID, error_body(vendor, 400, str(error))
        self.accounts.sent[asked.key] += 1
        ending = self._ending(asked, custom_id)
        if ending is Ending.INVALID:
            self.accounts.rejected[asked.key] += 1
            return ending, error_body(vendor, 400, "the request is invalid")
        if ending is not Ending.SUCCEEDED:
            return ending, error_body(vendor, 500, "the request failed")
        said = self.say(asked)
        self.accounts.bill(asked, said.output_tokens, time.monotonic(), DISCOUNT)
        return ending, reply_body(asked, said, self.accounts.requests)

    def _ending(self, asked: Asked, custom_id: str) -> Ending:
        settings = self.settings
        if settings.lasting_fault(asked.key) is Fault.INVALID:
            return Ending.INVALID
        left = unit_interval("batch", settings.seed, custom_id, self.accounts.sent[asked.key])
        for ending, share in (
            (Ending.ERRORED, settings.batch_errored),
            (Ending.EXPIRED, settings.batch_expired),
            (Ending.MISSING, settings.batch_missing),
        ):
            left -= share
            if left < 0:
                return ending
        return Ending.SUCCEEDED


@dataclass
class Batch:
    """One batch: its number, its outcome (known from the start, shown when it is done)."""

    id: str
    created: float
    api: Api
    results: list[tuple[str, Ending, dict[str, Any]]]
    source: str = ""
    """OpenAI: id of the input file."""
    metadata: dict[str, str] | None = None


class Batches(ABC):
    """The batches of one vendor."""

    vendor: Vendor

    def __init__(self, desk: BatchDesk) -> None:
        """No batches yet."""
        self.desk = desk
        self.batches: dict[str, Batch] = {}

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request to the vendor's batch paths."""
        self.desk.accounts.requests += 1
        if not has_key(request):
            return json_response(401, error_body(self.vendor, 401, "invalid key"))
        return await self.route(request, request.path.removeprefix("/v1/").split("/"))

    @abstractmethod
    async def route(self, request: web.BaseRequest, parts: list[str]) -> web.StreamResponse:
        """Answer by method and path; `parts` is the path behind `/v1/`."""

    def accept(self, api: Api, rows: list[tuple[str, Any]], request: web.BaseRequest, **more: Any) -> Batch | None:
        """Carry out a batch of `(custom id, body)`; None if its reply is to be lost (the connection is then gone)."""
        desk = self.desk
        desk.accounts.batches_created += 1
        results = [(custom_id, *desk.run(api, custom_id, body)) for custom_id, body in rows]
        batch = Batch(f"{self.vendor}_batch_{len(self.batches):04d}", time.monotonic(), api, results, **more)
        self.batches[batch.id] = batch
        if desk.left_to_lose > 0:
            desk.left_to_lose -= 1
            abort(request)
            return None
        return batch

    def done(self, batch: Batch) -> bool:
        """Whether the results can be fetched."""
        return time.monotonic() - batch.created >= self.desk.settings.batch_seconds

    def newest_first(self, request: web.BaseRequest, cursor: str) -> tuple[list[Batch], bool]:
        """One page of batches behind the id in the query parameter `cursor`, and whether more follow."""
        limit = int(request.query.get("limit", "20"))
        rest = list(reversed(self.batches.values()))
        after = request.query.get(cursor)
        if after is not None:
            rest = rest[1 + next(place for place, batch in enumerate(rest) if batch.id == after) :]
        return rest[:limit], len(rest) > limit

    def not_found(self, what: str) -> web.Response:
        """404 for an unknown id or path."""
        return json_response(404, error_body(self.vendor, 404, f"not found: {what}"))


class AnthropicBatches(Batches):
    """`/v1/messages/batches`."""

    vendor = Vendor.ANTHROPIC

    async def route(self, request: web.BaseRequest, parts: list[str]) -> web.StreamResponse:
        """Create, list, retrieve, results."""
        if len(parts) == 2 and request.method == "POST":
            body = orjson.loads(await request.content.read())
            rows = [(row["custom_id"], row["params"]) for row in body["requests"]]
            batch = self.accept(Api.MESSAGES, rows, request)
            return web.Response() if batch is None else json_response(200, self._described(batch, request))
        if len(parts) == 2:
            page, more = self.newest_first(request, "after_id")
            seen = [self._described(batch, request) for batch in page]
            ends = {"first_id": seen[0]["id"], "last_id": seen[-1]["id"]} if seen else {}
            return json_response(200, {"data": seen, "has_more": more, **ends})
        found = self.batches.get(parts[2])
        if found is None:
            return self.not_found(parts[2])
        if len(parts) == 4 and parts[3] == "results" and self.done(found):
            return jsonl_response([row for result in found.results if (row := _anthropic_result(*result))])
        return json_response(200, self._described(found, request))

    def _described(self, batch: Batch, request: web.BaseRequest) -> dict[str, Any]:
        done = self.done(batch)
        count = {ending: sum(1 for _, got, _ in batch.results if got is ending) for ending in Ending}
        stamp = "2026-01-01T00:00:00Z"
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": "ended" if done else "in_progress",
            "request_counts": {
                "processing": 0 if done else len(batch.results),
                "succeeded": count[Ending.SUCCEEDED] * done,
                "errored": (count[Ending.ERRORED] + count[Ending.INVALID] + count[Ending.MISSING]) * done,
                "expired": count[Ending.EXPIRED] * done,
                "canceled": 0,
            },
            "created_at": stamp,
            "expires_at": stamp,
            "ended_at": stamp if done else None,
            "archived_at": None,
            "cancel_initiated_at": None,
            "results_url": f"http://{request.host}/v1/messages/batches/{batch.id}/results" if done else None,
        }


def _anthropic_result(custom_id: str, ending: Ending, body: dict[str, Any]) -> dict[str, Any] | None:
    if ending is Ending.MISSING:
        return None
    results: dict[Ending, dict[str, Any]] = {
        Ending.SUCCEEDED: {"type": "succeeded", "message": body},
        Ending.EXPIRED: {"type": "expired"},
    }
    return {"custom_id": custom_id, "result": results.get(ending, {"type": "errored", "error": body})}


class OpenAIBatches(Batches):
    """`/v1/files` and `/v1/batches`."""

    vendor = Vendor.OPENAI

    def __init__(self, desk: BatchDesk) -> None:
        """No files, no batches."""
        super().__init__(desk)
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

    async def _file(self, request: web.BaseRequest, parts: list[str]) -> web.StreamResponse:
        if request.method == "POST":
            file = f"file-{len(self.files):04d}"
            async for part in await request.multipart():
                if getattr(part, "name", None) == "file":
                    self.files[file] = bytes(await part.read())  # type: ignore[union-attr]
            return json_response(200, _file_described(file, len(self.files[file])))
        if len(parts) == 3 and parts[1].startswith("results-"):
            _, kind, batch = parts[1].split("-", 2)
            rows = [_openai_result(*result) for result in self.batches[batch].results]
            return jsonl_response([row for row in rows if row and (row["error"] is None) == (kind == "good")])
        return self.not_found(parts[-1])

    async def _create(self, request: web.BaseRequest) -> web.StreamResponse:
        body = orjson.loads(await request.read())
        content = self.files.get(body["input_file_id"])
        if content is None:
            return self.not_found(body["input_file_id"])
        rows = [orjson.loads(line) for line in content.splitlines() if line.strip()]
        if body["endpoint"] not in ASKED_IN_BATCHES or any(row["url"] != body["endpoint"] for row in rows):
            return json_response(400, error_body(self.vendor, 400, "the endpoint of the batch is not that of its rows"))
        pairs = [(row["custom_id"], row["body"]) for row in rows]
        batch = self.accept(
            Api(body["endpoint"]), pairs, request, source=body["input_file_id"], metadata=body.get("metadata")
        )
        return web.Response() if batch is None else json_response(200, self._described(batch))

    def _described(self, batch: Batch) -> dict[str, Any]:
        done = self.done(batch)
        failed = sum(1 for _, ending, _ in batch.results if ending is not Ending.SUCCEEDED)
        return {
            "id": batch.id,
            "object": "batch",
            "endpoint": batch.api,
            "errors": None,
            "input_file_id": batch.source,
            "completion_window": "24h",
            "status": "completed" if done else "in_progress",
            "output_file_id": f"results-good-{batch.id}" if done else None,
            "error_file_id": f"results-bad-{batch.id}" if done and failed else None,
            "created_at": 1_700_000_000,
            "request_counts": {
                "total": len(batch.results),
                "completed": (len(batch.results) - failed) * done,
                "failed": failed * done,
            },
            "metadata": batch.metadata,
        }


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


def _openai_result(custom_id: str, ending: Ending, body: dict[str, Any]) -> dict[str, Any] | None:
    row = {"id": f"batch_req_{custom_id[:12]}", "custom_id": custom_id, "response": None, "error": None}
    if ending is Ending.MISSING:
        return None
    if ending is Ending.EXPIRED:
        return row | {"error": {"code": "batch_expired", "message": "This request could not be executed in time."}}
    status = {Ending.SUCCEEDED: 200, Ending.INVALID: 400}.get(ending, 500)
    response = {"status_code": status, "request_id": "req_batch", "body": body}
    error = None if status == 200 else {"code": str(status), "message": "the request failed"}
    return row | {"response": response, "error": error}
