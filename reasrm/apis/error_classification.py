"""What a vendor's error means for the run, whichever vendor, and whether it came online or as a row of a batch.

The status alone does not tell: an account without money is a 400 with one vendor and a 429 with the other, a request
that never fits the rate limit is a 429 too, and rows of batches have no status at all. So the error's code is looked
at first, then its type, its words, and the status last. Codes: anthropic 2.11 (`anthropic.types`), openai 3.52, and the
errors that users of both have published.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self

from reasrm.apis.attempt import ErrorKind

_WHATEVER_THE_STATUS = {
    "billing_error": ErrorKind.NO_CREDIT,
    "billing_hard_limit_reached": ErrorKind.NO_CREDIT,
    "billing_limit_user_error": ErrorKind.NO_CREDIT,
    "billing_not_active": ErrorKind.NO_CREDIT,
    "contract_spend_limit_reached": ErrorKind.NO_CREDIT,
    "enforced_spend_limit_reached": ErrorKind.NO_CREDIT,
    "insufficient_quota": ErrorKind.NO_CREDIT,
    "linked_organization_billing_unavailable": ErrorKind.NO_CREDIT,
    "linked_organization_spend_limit_reached": ErrorKind.NO_CREDIT,
    "account_deactivated": ErrorKind.NOT_ALLOWED,
    "authentication_error": ErrorKind.NOT_ALLOWED,
    "claude_code_key_creator_not_member": ErrorKind.NOT_ALLOWED,
    "claude_code_version_too_old": ErrorKind.NOT_ALLOWED,
    "cmek_key_disabled": ErrorKind.NOT_ALLOWED,
    "cmek_key_network_blocked": ErrorKind.NOT_ALLOWED,
    "invalid_api_key": ErrorKind.NOT_ALLOWED,
    "model_not_found": ErrorKind.NOT_ALLOWED,
    "not_found_error": ErrorKind.NOT_ALLOWED,
    "organization_disabled_error": ErrorKind.NOT_ALLOWED,
    "organization_on_hold": ErrorKind.NOT_ALLOWED,
    "organization_type_not_supported": ErrorKind.NOT_ALLOWED,
    "parent_organization_required": ErrorKind.NOT_ALLOWED,
    "permission_error": ErrorKind.NOT_ALLOWED,
    "sandbox_egress_restricted": ErrorKind.NOT_ALLOWED,
    "unsupported_country_region_territory": ErrorKind.NOT_ALLOWED,
    "user_profile_billing_not_authorized": ErrorKind.NO_CREDIT,
    "user_profile_not_billable": ErrorKind.NO_CREDIT,
}
"""By `error.code`, `error.details.error_code` or `error.type`: what is wrong with the account, not with the request."""
_WORDS = {
    "credit balance": ErrorKind.NO_CREDIT,
    "api usage limits": ErrorKind.NO_CREDIT,
    "you will regain access on": ErrorKind.NO_CREDIT,
    "exceeded your current quota": ErrorKind.NO_CREDIT,
    "organization has been disabled": ErrorKind.NOT_ALLOWED,
    "request too large": ErrorKind.INVALID,
    "required for long context requests": ErrorKind.INVALID,
}
"""In messages without a code of their own: Anthropic's limits come as a plain `invalid_request_error`, and requests
that are too large for the account's tier as a rate limit that no waiting cures."""
_WORDS_COUNT_FOR = frozenset({400, 402, 403, 413, 429})
_BY_STATUS = {
    400: ErrorKind.INVALID,
    402: ErrorKind.NO_CREDIT,
    408: ErrorKind.SERVER_ERROR,
    409: ErrorKind.SERVER_ERROR,
    413: ErrorKind.INVALID,
    414: ErrorKind.INVALID,
    422: ErrorKind.INVALID,
    425: ErrorKind.SERVER_ERROR,
    429: ErrorKind.RATE_LIMITED,
    431: ErrorKind.INVALID,
    451: ErrorKind.INVALID,
    499: ErrorKind.SERVER_ERROR,
    503: ErrorKind.OVERLOADED,
    504: ErrorKind.OVERLOADED,
    529: ErrorKind.OVERLOADED,
}
"""Any other status below 500 says that the address, the method or a proxy is wrong: no question of ours cures that."""
_WITHOUT_STATUS = {
    "invalid_request_error": ErrorKind.INVALID,
    "request_too_large": ErrorKind.INVALID,
    "invalid_prompt": ErrorKind.INVALID,
    "data_residency_mismatch": ErrorKind.INVALID,
    "bio_policy": ErrorKind.INVALID,
    "misalignment_policy_violation": ErrorKind.INVALID,
    "rate_limit_error": ErrorKind.RATE_LIMITED,
    "rate_limit_exceeded": ErrorKind.RATE_LIMITED,
    "requests": ErrorKind.RATE_LIMITED,
    "tokens": ErrorKind.RATE_LIMITED,
    "overloaded_error": ErrorKind.OVERLOADED,
    "timeout_error": ErrorKind.OVERLOADED,
}
"""By code or type, for rows of batches, failed responses, and gateways that wrap an error into a 200. Others pass."""


@dataclass(frozen=True, slots=True)
class ApiError:
    """An error as a vendor tells it."""

    status: int | None
    """None where the vendor tells none (rows and errors of batches, failed responses)."""
    code: str
    """`error.code`, or Anthropic's `error.details.error_code`; empty if there is none."""
    kind: str
    """`error.type`."""
    message: str

    @classmethod
    def by(cls, body: Any, status: int | None = None) -> Self:
        """Read an error's body: the error object itself, or the object around it, of either vendor; or any text."""
        error = body.get("error") or body if isinstance(body, Mapping) else body
        if isinstance(error, Mapping) and isinstance(error.get("error"), Mapping):
            error = error["error"]  # a row of Anthropic's batches wraps it once more
        if not isinstance(error, Mapping):
            return cls(status, "", "", "" if error is None else str(error))
        details = error.get("details")
        code = (details.get("error_code") if isinstance(details, Mapping) else None) or error.get("code")
        if (status is None or status < HTTPStatus.BAD_REQUEST) and str(code).isdecimal():
            status, code = int(str(code)), None  # some gateways answer 200 and tell the status inside
        return cls(status, str(code or ""), str(error.get("type") or ""), str(error.get("message") or error))

    @property
    def error_kind(self) -> ErrorKind:
        """What it means for the run."""
        for name in (self.code, self.kind):
            if name in _WHATEVER_THE_STATUS:
                return _WHATEVER_THE_STATUS[name]
        has_status = self.status is not None and self.status >= HTTPStatus.BAD_REQUEST
        if not has_status or self.status in _WORDS_COUNT_FOR:
            said = self.message.lower()
            for words, error_kind in _WORDS.items():
                if words in said:
                    return error_kind
        return self._by_status(self.status) if has_status and self.status is not None else self._by_name()

    @staticmethod
    def _by_status(status: int) -> ErrorKind:
        passes = status >= HTTPStatus.INTERNAL_SERVER_ERROR
        return _BY_STATUS.get(status, ErrorKind.SERVER_ERROR if passes else ErrorKind.NOT_ALLOWED)

    def _by_name(self) -> ErrorKind:
        return _WITHOUT_STATUS.get(self.code) or _WITHOUT_STATUS.get(self.kind) or ErrorKind.SERVER_ERROR
