"""What the fake vendor refuses before any work: no key, no money, an outage, a limit, a request that it never takes."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from reasrm.fake_vendor.errors import credit_error, echoed_key_error, error_body, too_large_error
from reasrm.fake_vendor.http_responses import has_key, overload_status
from reasrm.fake_vendor.protocols import ParsedRequest, Vendor
from reasrm.fake_vendor.rate_limits import VendorLimits
from reasrm.fake_vendor.request_log import RequestLog
from reasrm.fake_vendor.settings import FakeVendorSettings, Fault


@dataclass(frozen=True, slots=True)
class VendorResponse:
    """A response before it is sent."""

    status: int
    body: dict[str, Any]
    retry_after: float | None = None


@dataclass(frozen=True)
class Admission:
    """Decides whether a request is worked on."""

    settings: FakeVendorSettings
    request_log: RequestLog
    limits: dict[Vendor, VendorLimits]

    def error_for(self, request: web.BaseRequest, parsed: ParsedRequest, now: float) -> VendorResponse | None:
        """The error for a request that is not even worked on, or None; `now` in seconds since the first request."""
        request_log, vendor = self.request_log, parsed.vendor
        request_log.sent[parsed.key] += 1
        if self.settings.echoes_keys:
            return VendorResponse(401, echoed_key_error(vendor, request.headers))
        if not has_key(request):
            return VendorResponse(401, error_body(vendor, 401, "invalid key"))
        if parsed.model.startswith("unknown-"):
            return VendorResponse(404, error_body(vendor, 404, f"model: {parsed.model}"))
        if self.settings.credit_usd is not None and request_log.usd >= self.settings.credit_usd:
            request_log.after_credit_stop += 1
            return VendorResponse(*credit_error(vendor, self.settings.credit_stop))
        if any(start <= now < end for start, end in self.settings.outages):
            request_log.in_outage += 1
            status = overload_status(vendor)
            return VendorResponse(status, error_body(vendor, status, "overloaded"))
        return self._limited(parsed) or self.lasting_error(parsed)

    def _limited(self, parsed: ParsedRequest) -> VendorResponse | None:
        """The error for a request that is over the rate limit now."""
        vendor = parsed.vendor
        reserved = parsed.max_tokens if vendor is Vendor.OPENAI else 0
        wait = self.limits[vendor].admit(parsed.input_tokens + reserved)
        if wait <= 0:
            return None
        return VendorResponse(429, error_body(vendor, 429, "over the rate limit"), retry_after=wait)

    def lasting_error(self, parsed: ParsedRequest) -> VendorResponse | None:
        """The error for a request that will never be answered, however often it is sent."""
        vendor, most = parsed.vendor, self.settings.largest_token_limit
        fault = self.settings.lasting_fault(parsed.key)
        if most is not None and parsed.max_tokens > most:
            message = f"the token limit {parsed.max_tokens} exceeds {most}"
            refusal = VendorResponse(400, error_body(vendor, 400, message))
        elif fault is Fault.INVALID:
            refusal = VendorResponse(400, error_body(vendor, 400, "the request is invalid"))
        elif fault is Fault.TOO_LARGE:
            refusal = VendorResponse(429, too_large_error(vendor))
        elif fault is Fault.LIMITED:
            return VendorResponse(429, error_body(vendor, 429, "over the rate limit"), retry_after=0)
        else:
            return None
        self.request_log.rejected[parsed.key] += 1
        return refusal
