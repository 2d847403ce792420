"""How the fake vendor sends its responses, and how it loses them."""

import asyncio
import math
from typing import Any

import orjson
from aiohttp import web

from reasrm.fake_vendor.protocols import Vendor
from reasrm.fake_vendor.settings import Fault

HANG_SECONDS = 3600.0
WITHDRAWN_KEY = "withdrawn"
"""The one key that is refused."""


def overload_status(vendor: Vendor) -> int:
    """The status with which a vendor says that it is overloaded."""
    return 529 if vendor is Vendor.ANTHROPIC else 503


def retry_headers(vendor: Vendor, seconds: float) -> dict[str, str]:
    """Retry-After as each vendor gives it: whole seconds, and OpenAI milliseconds too."""
    headers = {"retry-after": str(math.ceil(seconds))}
    if vendor is Vendor.OPENAI:
        headers["retry-after-ms"] = str(math.ceil(seconds * 1000))
    return headers


def has_key(request: web.BaseRequest) -> bool:
    """Whether the request carries a key, and not the withdrawn one."""
    key = request.headers.get("Authorization", "").removeprefix("Bearer ") or request.headers.get("x-api-key", "")
    return bool(key) and key != WITHDRAWN_KEY


def vendor_of(request: web.BaseRequest) -> Vendor:
    """Whose SDK sent a request that is meant for neither's paths."""
    return Vendor.ANTHROPIC if "anthropic-version" in request.headers else Vendor.OPENAI


def json_response(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> web.Response:
    """A JSON response."""
    return web.Response(status=status, body=orjson.dumps(body), headers=headers, content_type="application/json")


def jsonl_response(rows: list[dict[str, Any]]) -> web.Response:
    """A response of one JSON object per line."""
    return web.Response(body=b"".join(orjson.dumps(row) + b"\n" for row in rows), content_type="application/x-jsonl")


def abort(request: web.BaseRequest) -> web.Response:
    """Reset the connection under a request; the response is never written."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def lost_reply(request: web.BaseRequest, fault: Fault, body: bytes) -> web.StreamResponse:
    """Lose a reply that has been billed, in the way `fault` says."""
    if fault is Fault.BAD_JSON:
        return web.Response(body=body[: len(body) // 2], content_type="application/json")
    if fault is Fault.HANG:
        await asyncio.sleep(HANG_SECONDS)
    if fault is Fault.CUT:
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
    return abort(request)
