"""A local HTTP server that speaks both vendors' protocols, limits and faults included.

The embedded pipeline asks it instead of a paid API, over the same SDKs, and the tests and benchmarks of the API clients
are measured against it. Who starts it gives the function that writes the replies; everything else here is protocol.

    POST /v1/messages                 Anthropic Messages           POST /v1/chat/completions     OpenAI
                                                                   POST /v1/responses            OpenAI
    ...  /v1/messages/batches         Anthropic Message Batches    ...  /v1/files, /v1/batches   OpenAI
    GET  /accounts                    what was asked, billed, lost (JSON)
    POST /settings                    new settings and an empty request log
"""

import asyncio
import json
import math
import random
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import orjson
from aiohttp import web

from reasrm.fake_vendor.admission import Answered, Door
from reasrm.fake_vendor.anthropic_batches import AnthropicBatches
from reasrm.fake_vendor.batches import BatchDesk
from reasrm.fake_vendor.errors import PAGE, disfigured, error_body
from reasrm.fake_vendor.http_responses import (
    abort,
    json_response,
    overload_status,
    retry_headers,
    spoil,
    vendor_of,
)
from reasrm.fake_vendor.openai_batches import OpenAIBatches
from reasrm.fake_vendor.protocols import (
    CHARACTERS_PER_TOKEN,
    Api,
    Asked,
    InvalidRequestError,
    Said,
    Vendor,
    read_request,
    reply_body,
    tokens_of,
)
from reasrm.fake_vendor.rate_limits import Limits
from reasrm.fake_vendor.request_log import Accounts
from reasrm.fake_vendor.settings import Fault, OracleSettings

ONLINE = {str(api): api for api in Api}
ReplyTo = Callable[[str, str, str], str]
"""From system text, user text and model name to the reply's text; raises InvalidRequestError if there is none."""


class OracleServer:
    """One account with both vendors."""

    def __init__(self, settings: OracleSettings, reply_to: ReplyTo) -> None:
        """An empty request log; `reply_to` writes the replies."""
        self._reply_to = reply_to
        self.restart(settings)

    def restart(self, settings: OracleSettings) -> None:
        """Take `settings` and forget everything that was asked."""
        self.settings = settings
        self.accounts = Accounts(settings)
        self.limits = {vendor: Limits.of(settings) for vendor in Vendor}
        self.door = Door(settings, self.accounts, self.limits)
        desk = BatchDesk(settings, self.accounts, self.say, self.door.refused)
        self.batches = {Vendor.ANTHROPIC: AnthropicBatches(desk), Vendor.OPENAI: OpenAIBatches(desk)}
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
        if path == "/accounts":
            return json_response(200, self.accounts.summary())
        if path == "/settings":
            self.restart(OracleSettings.model_validate_json(await request.read()))
            return json_response(200, {})
        if path.startswith("/v1/messages/batches"):
            return await self.batches[Vendor.ANTHROPIC].handle(request)
        if path.startswith(("/v1/files", "/v1/batches")):
            return await self.batches[Vendor.OPENAI].handle(request)
        return json_response(404, error_body(vendor_of(request), 404, f"no such path: {path}"))

    async def _online(self, request: web.BaseRequest, api: Api) -> web.StreamResponse:
        accounts = self.accounts
        started = self.now
        accounts.requests += 1
        accounts.in_flight += 1
        accounts.peak_in_flight = max(accounts.peak_in_flight, accounts.in_flight)
        try:
            return await self._ask(request, api)
        finally:
            accounts.in_flight -= 1
            accounts.seconds_in_flight += self.now - started

    async def _ask(self, request: web.BaseRequest, api: Api) -> web.StreamResponse:
        vendor = api.vendor
        try:
            asked = read_request(api, orjson.loads(await request.read()))
        except (InvalidRequestError, orjson.JSONDecodeError) as error:
            return self._respond(vendor, Answered(400, error_body(vendor, 400, str(error))))
        refusal = self.door.turned_away(request, asked, self.now)
        if refusal is not None:
            return self._respond(vendor, refusal)
        fault = self.settings.passing_fault(asked.key, self.accounts.sent[asked.key])
        if fault is Fault.RESET:
            return abort(request)
        if fault in (Fault.OVERLOADED, Fault.SERVER_ERROR):
            status = 500 if fault is Fault.SERVER_ERROR else overload_status(vendor)
            return self._respond(vendor, Answered(status, error_body(vendor, status, "try again later")))
        if fault is Fault.HTML:
            return web.Response(body=PAGE, content_type="text/html")
        if fault is Fault.WRAPPED_ERROR:
            return json_response(200, {"error": {"message": "upstream is down", "code": 502}})
        await self._work()
        try:
            said = self.say(asked)
        except InvalidRequestError as error:
            return self._respond(vendor, Answered(400, error_body(vendor, 400, str(error))))
        self.accounts.bill(asked, said.output_tokens, self.now)
        if vendor is Vendor.ANTHROPIC:
            self.limits[vendor].output_tokens.take(said.output_tokens)
        answering = replace(asked, model=self.settings.answering_model or asked.model)
        body = reply_body(answering, said, self.accounts.requests)
        body = disfigured(api, body, said.ending, in_parts=self.settings.content_in_parts)
        if fault is None:
            return self._respond(vendor, Answered(200, body))
        self.accounts.lost[asked.key] += 1
        return await spoil(request, fault, orjson.dumps(body))

    def say(self, asked: Asked) -> Said:
        """The reply to `asked`, with the lasting fault that it is due.

        Raises:
            InvalidRequestError: it shows no comparison, and the settings know no small talk.
        """
        text = self._text(asked)
        ending = self.settings.lasting_fault(asked.key)
        if self.accounts.billed.total() < self.settings.short_replies:
            ending = Fault.REFUSAL
        if ending in (Fault.REFUSAL, Fault.EMPTY):
            return Said("", ending, 1)
        length = tokens_of(text)
        if length > asked.max_tokens:
            text, ending, length = text[: asked.max_tokens * CHARACTERS_PER_TOKEN], Fault.TRUNCATED, asked.max_tokens
        elif ending is Fault.TRUNCATED:
            text, length = text[: len(text) // 2], length // 2
        return Said(text, ending, self.settings.output_tokens or max(1, length))

    def _text(self, asked: Asked) -> str:
        try:
            return self._reply_to(asked.system, asked.user, asked.model)
        except InvalidRequestError:
            if self.settings.small_talk is None:
                raise
            return self.settings.small_talk

    async def _work(self) -> None:
        median = self.settings.latency_seconds
        if median > 0:
            await asyncio.sleep(self._random.lognormvariate(math.log(median), self.settings.latency_sigma))

    def _respond(self, vendor: Vendor, answered: Answered) -> web.Response:
        self.accounts.by_status[answered.status] += 1
        headers: dict[str, str] = {}
        if self.settings.limit_headers:
            limits = self.limits[vendor]
            headers = limits.anthropic_headers() if vendor is Vendor.ANTHROPIC else limits.openai_headers()
        if answered.retry_after is not None:
            headers |= retry_headers(vendor, answered.retry_after)
        headers["request-id" if vendor is Vendor.ANTHROPIC else "x-request-id"] = f"req_{self.accounts.requests}"
        return json_response(answered.status, answered.body, headers | self.settings.odd_headers)


async def serve(settings: OracleSettings, reply_to: ReplyTo, port: int, *, with_parent: bool) -> None:
    """Serve until cancelled, or until standard input ends if `with_parent`; says the port on the first line."""
    server = OracleServer(settings, reply_to)
    runner = web.ServerRunner(web.Server(server.handle, access_log=None, keepalive_timeout=600))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, backlog=1024)
    await site.start()
    print(json.dumps({"port": runner.addresses[0][1]}), flush=True)
    if with_parent:
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    else:
        await asyncio.Event().wait()
