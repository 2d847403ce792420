"""Whom the local oracle turns away before any work: no key, no money, an outage, a limit, a request it never takes."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from reasrm.fake_vendor.errors import credit_error, echoed_key_error, error_body, too_large_error
from reasrm.fake_vendor.http_responses import has_key, overload_status
from reasrm.fake_vendor.protocols import Asked, Vendor
from reasrm.fake_vendor.rate_limits import Limits
from reasrm.fake_vendor.request_log import Accounts
from reasrm.fake_vendor.settings import Fault, OracleSettings


@dataclass(frozen=True, slots=True)
class Answered:
    """A response before it is put on the wire."""

    status: int
    body: dict[str, Any]
    retry_after: float | None = None


@dataclass(frozen=True)
class Door:
    """What stands between a request and the work on it."""

    settings: OracleSettings
    accounts: Accounts
    limits: dict[Vendor, Limits]

    def turned_away(self, request: web.BaseRequest, asked: Asked, now: float) -> Answered | None:
        """The error for a request that is not even worked on, or None; `now` in seconds since the first request."""
        accounts, vendor = self.accounts, asked.vendor
        accounts.sent[asked.key] += 1
        if self.settings.echoes_keys:
            return Answered(401, echoed_key_error(vendor, request.headers))
        if not has_key(request):
            return Answered(401, error_body(vendor, 401, "invalid key"))
        if asked.model.startswith("unknown-"):
            return Answered(404, error_body(vendor, 404, f"model: {asked.model}"))
        if self.settings.credit_usd is not None and accounts.usd >= self.settings.credit_usd:
            accounts.after_credit_stop += 1
            return Answered(*credit_error(vendor, self.settings.credit_stop))
        if any(start <= now < end for start, end in self.settings.outages):
            accounts.in_outage += 1
            status = overload_status(vendor)
            return Answered(status, error_body(vendor, status, "overloaded"))
        return self._limited(asked) or self.refused(asked)

    def _limited(self, asked: Asked) -> Answered | None:
        """The error for a request that is over the rate limit now."""
        vendor = asked.vendor
        reserved = asked.max_tokens if vendor is Vendor.OPENAI else 0
        wait = self.limits[vendor].admit(asked.input_tokens + reserved)
        return Answered(429, error_body(vendor, 429, "over the rate limit"), retry_after=wait) if wait > 0 else None

    def refused(self, asked: Asked) -> Answered | None:
        """The error for a request that will never be answered, however often it is sent."""
        vendor, most = asked.vendor, self.settings.largest_token_limit
        fault = self.settings.lasting_fault(asked.key)
        if most is not None and asked.max_tokens > most:
            refusal = Answered(400, error_body(vendor, 400, f"the token limit {asked.max_tokens} exceeds {most}"))
        elif fault is Fault.INVALID:
            refusal = Answered(400, error_body(vendor, 400, "the request is invalid"))
        elif fault is Fault.TOO_LARGE:
            refusal = Answered(429, too_large_error(vendor))
        elif fault is Fault.LIMITED:
            return Answered(429, error_body(vendor, 429, "over the rate limit"), retry_after=0)
        else:
            return None
        self.accounts.rejected[asked.key] += 1
        return refusal
