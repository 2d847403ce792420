"""The body of a request as JSON, and JSON as a record: bounded in size and time, by the project's own JSON rule."""

import asyncio
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from reasrm.records.json_parsing import NotJsonError, parse_json
from reasrm.serving.service_errors import ServiceError, unprocessable

Record = TypeVar("Record", bound=BaseModel)
_PLACES = re.compile(r"\.(\d+)")


@dataclass(frozen=True)
class BodyLimits:
    """How much, and for how long, a body is read."""

    most_bytes: int
    seconds: float


async def read_json(request: Request, limits: BodyLimits) -> dict[str, Any]:
    """The object in a request's body.

    A body that is too large is read to its end and thrown away, as far as the time goes: only then do clients read the
    reply that says so.

    Raises:
        ServiceError: it is not declared as JSON, is too large or too slow, is no JSON, or no object.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ServiceError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "header content-type", f"{kind[:60]!r}: must be application/json"
        )
    try:
        body = await asyncio.wait_for(_read(request, limits.most_bytes), limits.seconds)
    except TimeoutError:
        raise ServiceError(
            HTTPStatus.REQUEST_TIMEOUT, "body", f"did not come within {limits.seconds:g} seconds"
        ) from None
    except ClientDisconnect:
        raise ServiceError(HTTPStatus.BAD_REQUEST, "body", "broke off") from None
    try:
        value = parse_json(body)
    except NotJsonError as error:
        raise ServiceError(HTTPStatus.BAD_REQUEST, "body", str(error)) from error
    if not isinstance(value, dict):
        raise unprocessable("body", f"must be an object, and is a {type(value).__name__}")
    return value


def read_record(kind: type[Record], value: dict[str, Any]) -> Record:
    """The record in an object.

    Raises:
        ServiceError: a field is missing, unknown or not what it should be; names the first one, and how many more.
    """
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        first = max(faults, key=lambda fault: len(fault["loc"]))  # of a text or turns, the one that is nearer
        names = [str(part) for part in first["loc"] if not (isinstance(part, str) and "[" in part)]
        where = _PLACES.sub(r"[\1]", ".".join(name for name in names if name != "str")) or "body"
        more = f"; {len(faults) - 1} more" if len(faults) > 1 else ""
        given = "" if first["type"] == "missing" else f" (got {_shown(first['input'])})"
        raise unprocessable(where, f"{first['msg']}{given}{more}") from error


def _shown(value: Any) -> str:
    return repr(value)[:80] if isinstance(value, str | int | float | None) else type(value).__name__


async def _read(request: Request, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size <= most:
            parts.append(part)
        else:
            parts.clear()
    if size > most:
        raise ServiceError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body", f"has {size:,} bytes, and no more than {most:,} are taken"
        )
    return b"".join(parts)
