"""What both vendors' batch APIs share: created at once, done after a while, each request billed at half the price."""

import secrets
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aiohttp import web

from reasrm.fake_vendor.admission import VendorResponse
from reasrm.fake_vendor.errors import credit_error, echoed_key_error, error_body
from reasrm.fake_vendor.http_responses import abort, has_key, json_response, overload_status
from reasrm.fake_vendor.protocols import (
    ApiPath,
    GeneratedReply,
    InvalidRequestError,
    ParsedRequest,
    Vendor,
    read_request,
    reply_body,
)
from reasrm.fake_vendor.request_log import RequestLog
from reasrm.fake_vendor.settings import FakeVendorSettings
from reasrm.records.content_hash import unit_interval

DISCOUNT = 0.5
ROW_ERRORS = {
    "insufficient_quota": 429,
    "rate_limit_exceeded": 429,
    "invalid_api_key": 401,
    "model_not_found": 404,
    "billing_error": 402,
    "authentication_error": 401,
    "permission_error": 403,
}
"""Status of an error within a batch's results, by OpenAI's `error.code` or Anthropic's `error.type`."""


class RowOutcome(StrEnum):
    """What becomes of one request of a batch."""

    SUCCEEDED = "succeeded"
    ERRORED = "errored"
    EXPIRED = "expired"
    MISSING = "missing"
    """Quietly absent from the results."""


@dataclass(frozen=True, slots=True)
class RowResult:
    """One request of a batch, carried out."""

    custom_id: str
    outcome: RowOutcome
    status: int
    body: dict[str, Any]
    """Of the reply, or of the error."""


@dataclass
class BatchRunner:
    """Carries out the requests of batches, for both vendors."""

    settings: FakeVendorSettings
    request_log: RequestLog
    generate: Callable[[ParsedRequest], GeneratedReply]
    lasting_error: Callable[[ParsedRequest], VendorResponse | None]
    """The error for a request that will never be answered."""
    left_to_lose: int = field(init=False)
    """How many create replies are still to be lost."""
    left_to_refuse: int = field(init=False)
    """How many creations are still to be refused."""
    looks_to_refuse: int = field(init=False)
    """How many looks at batches are still to be refused."""

    def __post_init__(self) -> None:
        self.left_to_lose = self.settings.lost_batch_creates
        self.left_to_refuse = self.settings.refused_batch_creates
        self.looks_to_refuse = self.settings.refused_batch_looks

    def run(self, api: ApiPath, custom_id: str, body: Any) -> RowResult:
        """Carry out one request."""
        vendor = api.vendor
        try:
            parsed = read_request(api, body)
        except InvalidRequestError as error:
            return RowResult(custom_id, RowOutcome.ERRORED, 400, error_body(vendor, 400, str(error)))
        self.request_log.sent[parsed.key] += 1
        refusal = self.lasting_error(parsed)
        if refusal is not None:
            return RowResult(custom_id, RowOutcome.ERRORED, refusal.status, refusal.body)
        if self.out_of_credit:
            return RowResult(custom_id, RowOutcome.ERRORED, *credit_error(vendor, self.settings.credit_stop))
        outcome = self._outcome(parsed, custom_id)
        if outcome in ROW_ERRORS:
            return RowResult(custom_id, RowOutcome.ERRORED, ROW_ERRORS[outcome], row_error(vendor, outcome))
        if outcome != RowOutcome.SUCCEEDED:
            return RowResult(custom_id, RowOutcome(outcome), 500, error_body(vendor, 500, "the request failed"))
        reply = self.generate(parsed)
        self.request_log.bill(parsed, reply.output_tokens, time.monotonic(), DISCOUNT)
        return RowResult(custom_id, RowOutcome.SUCCEEDED, 200, reply_body(parsed, reply, self.request_log.requests))

    @property
    def out_of_credit(self) -> bool:
        """Whether the account's money is gone."""
        return self.settings.credit_usd is not None and self.request_log.usd >= self.settings.credit_usd

    def _outcome(self, parsed: ParsedRequest, custom_id: str) -> str:
        """A `RowOutcome`, or one of `ROW_ERRORS`."""
        settings = self.settings
        left = unit_interval("batch", settings.seed, custom_id, self.request_log.sent[parsed.key])
        for outcome, share in (
            (RowOutcome.ERRORED, settings.batch_errored),
            (RowOutcome.EXPIRED, settings.batch_expired),
            (RowOutcome.MISSING, settings.batch_missing),
            *settings.batch_row_errors.items(),
        ):
            left -= share
            if left < 0:
                return outcome
        return RowOutcome.SUCCEEDED


@dataclass
class StoredBatch:
    """One batch with its results, which are known from the start and shown when it is done."""

    id: str
    number: int
    """1 for the first of its vendor."""
    created: float
    api: ApiPath
    requests: int
    results: list[RowResult]
    source: str = ""
    """OpenAI: id of the input file."""
    metadata: dict[str, str] | None = None
    failure: tuple[str, str] | None = None
    """OpenAI: code and message with which it failed as a whole; nothing of it is carried out then."""


class BatchEndpoints(ABC):
    """The batch API of one vendor."""

    vendor: Vendor

    def __init__(self, runner: BatchRunner) -> None:
        """No batches yet."""
        self.runner = runner
        self.batches: dict[str, StoredBatch] = {}

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request to the vendor's batch paths."""
        self.runner.request_log.requests += 1
        if self.runner.settings.echoes_keys:
            return json_response(401, echoed_key_error(self.vendor, request.headers))
        if not has_key(request):
            return json_response(401, error_body(self.vendor, 401, "invalid key"))
        if request.method == "GET" and self.runner.looks_to_refuse > 0:
            self.runner.looks_to_refuse -= 1
            return self.overloaded()
        return await self.route(request, request.path.removeprefix("/v1/").split("/"))

    @abstractmethod
    async def route(self, request: web.BaseRequest, parts: list[str]) -> web.StreamResponse:
        """Answer by method and path; `parts` is the path behind `/v1/`."""

    def creation_error(self) -> web.Response | None:
        """The error for a creation of which nothing is carried out, or None."""
        runner = self.runner
        if runner.left_to_refuse > 0:
            runner.left_to_refuse -= 1
            return self.overloaded()
        if runner.out_of_credit:
            return json_response(*credit_error(self.vendor, runner.settings.credit_stop))
        return None

    def accept(
        self, api: ApiPath, rows: list[tuple[str, Any]], request: web.BaseRequest, **more: Any
    ) -> StoredBatch | None:
        """Carry out a batch of `(custom id, body)`; None if its reply is to be lost (the connection is then gone)."""
        runner = self.runner
        runner.request_log.batches_created += 1
        results = [] if more.get("failure") else [runner.run(api, custom_id, body) for custom_id, body in rows]
        number = len(self.batches) + 1
        batch = StoredBatch(f"batch_{secrets.token_hex(8)}", number, time.monotonic(), api, len(rows), results, **more)
        self.batches[batch.id] = batch
        if runner.left_to_lose > 0:
            runner.left_to_lose -= 1
            abort(request)
            return None
        return batch

    def is_done(self, batch: StoredBatch) -> bool:
        """Whether every request has come to its end."""
        return time.monotonic() - batch.created >= self.runner.settings.batch_seconds

    def is_archived(self, batch: StoredBatch) -> bool:
        """Whether the results were thrown away."""
        return self.is_done(batch) and batch.number <= self.runner.settings.archived_batches

    def newest_first(self, request: web.BaseRequest, cursor: str) -> tuple[list[StoredBatch], bool]:
        """One page of batches behind the id in the query parameter `cursor`, and whether more follow."""
        limit = int(request.query.get("limit", "20"))
        rest = list(reversed(self.batches.values()))
        after = request.query.get(cursor)
        if after is not None:
            rest = rest[1 + next(place for place, batch in enumerate(rest) if batch.id == after) :]
        return rest[:limit], len(rest) > limit

    def overloaded(self) -> web.Response:
        """529 or 503."""
        status = overload_status(self.vendor)
        return json_response(status, error_body(self.vendor, status, "overloaded"))

    def not_found(self, what: str) -> web.Response:
        """404 for an unknown id or path."""
        return json_response(404, error_body(self.vendor, 404, f"not found: {what}"))


def duplicate_id(rows: list[tuple[str, Any]]) -> str | None:
    """A custom id that more than one of `rows` has."""
    return next((name for name, count in Counter(name for name, _ in rows).items() if count > 1), None)


def row_error(vendor: Vendor, kind: str) -> dict[str, Any]:
    """The body of an error of `ROW_ERRORS`."""
    if vendor is Vendor.OPENAI:
        return error_body(vendor, ROW_ERRORS[kind], f"the vendor says {kind}", kind)
    return {"type": "error", "error": {"type": kind, "message": f"the vendor says {kind}"}, "request_id": None}
