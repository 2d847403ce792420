"""A local HTTP server that speaks both vendors' protocols, limits and faults included.

The embedded pipeline asks it instead of a paid API, over the same SDKs, and the tests and benchmarks of the API clients
are measured against it. Who starts it gives the function that writes the replies; everything else here is protocol.

    POST /v1/messages                 Anthropic Messages           POST /v1/chat/completions     OpenAI
                                                                   POST /v1/responses            OpenAI
    ...  /v1/messages/batches         Anthropic Message Batches    ...  /v1/files, /v1/batches   OpenAI
    GET  /request-log                 what was asked, billed, lost (JSON)
    POST /settings                    new settings and an empty request log
"""

import asyncio
import math
import random
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import orjson
from aiohttp import web

from reasrm.fake_vendor.admission import Admission, VendorResponse
from reasrm.fake_vendor.batches.anthropic import AnthropicBatchEndpoints
from reasrm.fake_vendor.batches.batch_endpoints import BatchRunner
from reasrm.fake_vendor.batches.openai import OpenAIBatchEndpoints
from reasrm.fake_vendor.errors import PAGE, error_body, in_unexpected_form
from reasrm.fake_vendor.http_responses import (
    abort,
    json_response,
    lost_reply,
    overload_status,
    retry_headers,
    vendor_of,
)
from reasrm.fake_vendor.protocols import (
    CHARACTERS_PER_TOKEN,
    ApiPath,
    GeneratedReply,
    InvalidRequestError,
    ParsedRequest,
    Vendor,
    read_request,
    reply_body,
    tokens_of,
)
from reasrm.fake_vendor.rate_limits import VendorLimits
from reasrm.fake_vendor.request_log import RequestLog
from reasrm.fake_vendor.settings import FakeVendorSettings, Fault
from reasrm.records.harmless_text import json_text
from reasrm.runtime.terminal import say_json

ONLINE = {str(api): api for api in ApiPath}
ReplyWriter = Callable[[str, str, str], str]
"""From system text, user text and model name to the reply's text; raises InvalidRequestError if there is none."""


class FakeVendorServer:
    """One account with both vendors."""

    def __init__(self, settings: FakeVendorSettings, reply_to: ReplyWriter) -> None:
        """An empty request log; `reply_to` writes the replies."""
        self._reply_to = reply_to
        self.restart(settings)

    def restart(self, settings: FakeVendorSettings) -> None:
        """Take `settings` and forget everything that was asked."""
        self.settings = settings
        self.request_log = RequestLog(settings)
        self.limits = {vendor: VendorLimits.of(settings) for vendor in Vendor}
        self.admission = Admission(settings, self.request_log, self.limits)
        runner = BatchRunner(settings, self.request_log, self.generate, self.admission.lasting_error)
        self.batches = {Vendor.ANTHROPIC: AnthropicBatchEndpoints(runner), Vendor.OPENAI: OpenAIBatchEndpoints(runner)}
        self._random = random.Random(settings.seed)
        self._first_at: float | None = None

    @property
    def now(self) -> float:
        """Seconds since the first request."""
        clock = time.monotonic()
        if self._first_at is None:
            self._first_at = clock
        return clock - self._first_at

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer any request of any protocol."""
        path = request.path
        api = ONLINE.get(path)
        if api is not None and request.method == "POST":
            return await self._online(request, api)
        if path == "/request-log":
            return json_response(200, self.request_log.summary())
        if path == "/settings":
            self.restart(FakeVendorSettings.model_validate_json(await request.read()))
            return json_response(200, {})
        if path.startswith("/v1/messages/batches"):
            return await self.batches[Vendor.ANTHROPIC].handle(request)
        if path.startswith(("/v1/files", "/v1/batches")):
            return await self.batches[Vendor.OPENAI].handle(request)
        return json_response(404, error_body(vendor_of(request), 404, f"no such path: {path}"))

    async def _online(self, request: web.BaseRequest, api: ApiPath) -> web.StreamResponse:
        request_log = self.request_log
        started = self.now
        request_log.requests += 1
        request_log.in_flight += 1
        request_log.peak_in_flight = max(request_log.peak_in_flight, request_log.in_flight)
        try:
            return await self._ask(request, api)
        finally:
            request_log.in_flight -= 1
            request_log.seconds_in_flight += self.now - started

    async def _ask(self, request: web.BaseRequest, api: ApiPath) -> web.StreamResponse:
        vendor = api.vendor
        try:
            parsed = read_request(api, orjson.loads(await request.read()))
        except (InvalidRequestError, orjson.JSONDecodeError) as error:
            return self._respond(vendor, VendorResponse(400, error_body(vendor, 400, str(error))))
        refusal = self.admission.error_for(request, parsed, self.now)
        if refusal is not None:
            return self._respond(vendor, refusal)
        fault = self.settings.passing_fault(parsed.key, self.request_log.sent[parsed.key])
        if fault is Fault.RESET:
            return abort(request)
        if fault in (Fault.OVERLOADED, Fault.SERVER_ERROR):
            status = 500 if fault is Fault.SERVER_ERROR else overload_status(vendor)
            return self._respond(vendor, VendorResponse(status, error_body(vendor, status, "try again later")))
        if fault is Fault.HTML:
            return web.Response(body=PAGE, content_type="text/html")
        if fault is Fault.WRAPPED_ERROR:
            return json_response(200, {"error": {"message": "upstream is down", "code": 502}})
        await self._work()
        try:
            reply = self.generate(parsed)
        except InvalidRequestError as error:
            return self._respond(vendor, VendorResponse(400, error_body(vendor, 400, str(error))))
        self.request_log.bill(parsed, reply.output_tokens, self.now)
        if vendor is Vendor.ANTHROPIC:
            self.limits[vendor].output_tokens.take(reply.output_tokens)
        answering = replace(parsed, model=self.settings.answering_model or parsed.model)
        body = reply_body(answering, reply, self.request_log.requests)
        body = in_unexpected_form(api, body, reply.fault, in_parts=self.settings.content_in_parts)
        if fault is None:
            return self._respond(vendor, VendorResponse(200, body))
        self.request_log.lost[parsed.key] += 1
        return await lost_reply(request, fault, orjson.dumps(body))

    def generate(self, parsed: ParsedRequest) -> GeneratedReply:
        """The reply to `parsed`, with the lasting fault that it is due.

        Raises:
            InvalidRequestError: it shows no comparison, and the settings have no `default_reply`.
        """
        text = self._text(parsed)
        fault = self.settings.lasting_fault(parsed.key)
        if self.request_log.billed.total() < self.settings.short_replies:
            fault = Fault.REFUSAL
        if fault in (Fault.REFUSAL, Fault.EMPTY, Fault.ODD_ENDING):
            return GeneratedReply("", fault, 1)
        length = tokens_of(text)
        if length > parsed.max_tokens:
            text, fault, length = text[: parsed.max_tokens * CHARACTERS_PER_TOKEN], Fault.TRUNCATED, parsed.max_tokens
        elif fault is Fault.TRUNCATED:
            text, length = text[: len(text) // 2], length // 2
        return GeneratedReply(text, fault, self.settings.output_tokens or max(1, length))

    def _text(self, parsed: ParsedRequest) -> str:
        try:
            return self._reply_to(parsed.system, parsed.user, parsed.model)
        except InvalidRequestError:
            if self.settings.default_reply is None:
                raise
            return self.settings.default_reply

    async def _work(self) -> None:
        median = self.settings.latency_seconds
        if median > 0:
            await asyncio.sleep(self._random.lognormvariate(math.log(median), self.settings.latency_sigma))

    def _respond(self, vendor: Vendor, response: VendorResponse) -> web.Response:
        self.request_log.by_status[response.status] += 1
        headers: dict[str, str] = {}
        if self.settings.limit_headers:
            limits = self.limits[vendor]
            headers = limits.anthropic_headers() if vendor is Vendor.ANTHROPIC else limits.openai_headers()
        if response.retry_after is not None:
            headers |= retry_headers(vendor, response.retry_after)
        headers["request-id" if vendor is Vendor.ANTHROPIC else "x-request-id"] = f"req_{self.request_log.requests}"
        return json_response(response.status, response.body, headers | self.settings.odd_headers)


async def serve(settings: FakeVendorSettings, reply_to: ReplyWriter, port: int, *, with_parent: bool) -> None:
    """Serve until cancelled, or until standard input ends if `with_parent`; says the port on the first line."""
    server = FakeVendorServer(settings, reply_to)
    runner = web.ServerRunner(web.Server(server.handle, access_log=None, keepalive_timeout=600))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, backlog=1024)
    await site.start()
    say_json(json_text({"port": runner.addresses[0][1]}))
    if with_parent:
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    else:
        await asyncio.Event().wait()
