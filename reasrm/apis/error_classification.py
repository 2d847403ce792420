"""What a vendor's error means for the run and for the prompt, whichever vendor, online or as a row of a batch.

The status alone does not say: an account without money is a 400 with one vendor and a 429 with the other, a request
that never fits the rate limit is a 429 too, and rows of batches have no status at all. So the error's code is looked
at first, then its type, its message, and the status last. Codes: anthropic 2.11 (`anthropic.types`), openai 3.52, and
the errors that users of both have published; of servers that speak their protocols: vLLM, SGLang, TGI, LiteLLM, Azure,
Google and gateways before them, which also answer 200 and put the status, or nothing but words, inside.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Self

from reasrm.apis.error_bodies import SAYS_WHY, brief, error_object, says_something, stated_status, word


class ErrorKind(StrEnum):
    """Why an attempt gave no reply, by what has to be done about it."""

    RATE_LIMITED = "rate_limited"
    """429: everybody waits once; the request's attempts are not used up."""
    OVERLOADED = "overloaded"
    """503, 504 or 529: passes by itself."""
    SERVER_ERROR = "server_error"
    """Another 5xx, 408 or 409: passes by itself."""
    CONNECTION = "connection"
    """The connection failed or was lost; a lost reply may have been billed."""
    TIMEOUT = "timeout"
    """No reply in time; it may have been billed."""
    BROKEN_REPLY = "broken_reply"
    """A reply that is not what the protocol says; it has been billed."""
    INVALID = "invalid"
    """The request itself, if the account is in order (`quarantine`): it is not sent again."""
    NO_CREDIT = "no_credit"
    """The account has no money left or reached its spend limit: the run stops."""
    NOT_ALLOWED = "not_allowed"
    """Key, permission, model id or address: the run stops."""

    @property
    def stops_the_run(self) -> bool:
        """Whether no further request can succeed before somebody acts."""
        return self in (ErrorKind.NO_CREDIT, ErrorKind.NOT_ALLOWED)

    @property
    def passes(self) -> bool:
        """Whether the same request may succeed later, without anybody's doing."""
        return not self.stops_the_run and self is not ErrorKind.INVALID

    @property
    def is_of_the_server(self) -> bool:
        """Whether the circuit breaker counts it: the server or the way to it fails, not this request."""
        return self in OF_THE_SERVER

    @property
    def maybe_billed(self) -> bool:
        """Whether the vendor may have billed a reply that never arrived."""
        return self in (ErrorKind.CONNECTION, ErrorKind.TIMEOUT, ErrorKind.BROKEN_REPLY)


OF_THE_SERVER = frozenset(
    {ErrorKind.OVERLOADED, ErrorKind.SERVER_ERROR, ErrorKind.CONNECTION, ErrorKind.TIMEOUT, ErrorKind.BROKEN_REPLY}
)
"""Broken replies too: a gateway's page of HTML in place of every reply is an outage, whatever its status."""


class PromptRefusal(StrEnum):
    """Why a service may have refused one prompt."""

    TOO_LONG = "too_long"
    """The message says that the request is too long or too large."""
    POLICY = "policy"
    """The message says that the prompt is against a policy."""
    UNEXPLAINED = "unexplained"
    """The request is called invalid, or an error without any code came in a good reply: the prompt may be at fault, or
    the way of asking (a field that the model does not know, a reply length that fits into no context)."""


def _plain(name: str) -> str:
    """A code or type as it is looked up: `RateLimitError` is `rate_limit_error`, and both are `rate_limit`."""
    return re.sub(r"[^a-z]", "", name.lower()).removesuffix("error")


def _by_plain_name(kinds: dict[str, ErrorKind]) -> dict[str, ErrorKind]:
    return {_plain(name): kind for name, kind in kinds.items()}


_BY_CODE = _by_plain_name(
    {
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
)
"""By `error.code`, `error.details.error_code` or `error.type`: what is wrong with the account, not with the request."""
_BY_MESSAGE = {
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
_MESSAGE_COUNTS_FOR = frozenset({400, 402, 403, 413, 429})
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
_WITHOUT_STATUS = _by_plain_name(
    {
        "bad_request": ErrorKind.INVALID,
        "bio_policy": ErrorKind.INVALID,
        "content_filter": ErrorKind.INVALID,
        "context_length_exceeded": ErrorKind.INVALID,
        "data_residency_mismatch": ErrorKind.INVALID,
        "invalid_argument": ErrorKind.INVALID,
        "invalid_prompt": ErrorKind.INVALID,
        "invalid_request": ErrorKind.INVALID,
        "misalignment_policy_violation": ErrorKind.INVALID,
        "request_too_large": ErrorKind.INVALID,
        "unprocessable_entity": ErrorKind.INVALID,
        "validation": ErrorKind.INVALID,
        "forbidden": ErrorKind.NOT_ALLOWED,
        "invalid_authentication": ErrorKind.NOT_ALLOWED,
        "permission_denied": ErrorKind.NOT_ALLOWED,
        "unauthenticated": ErrorKind.NOT_ALLOWED,
        "unauthorized": ErrorKind.NOT_ALLOWED,
        "rate_limit": ErrorKind.RATE_LIMITED,
        "rate_limit_exceeded": ErrorKind.RATE_LIMITED,
        "requests": ErrorKind.RATE_LIMITED,
        "resource_exhausted": ErrorKind.RATE_LIMITED,
        "throttling": ErrorKind.RATE_LIMITED,
        "throttling_exception": ErrorKind.RATE_LIMITED,
        "tokens": ErrorKind.RATE_LIMITED,
        "too_many_requests": ErrorKind.RATE_LIMITED,
        "deadline_exceeded": ErrorKind.OVERLOADED,
        "engine_overloaded": ErrorKind.OVERLOADED,
        "overloaded": ErrorKind.OVERLOADED,
        "service_unavailable": ErrorKind.OVERLOADED,
        "timeout": ErrorKind.OVERLOADED,
        "unavailable": ErrorKind.OVERLOADED,
    }
)
"""By code or type, for rows of batches, failed responses, and gateways that wrap an error into a 200. Others pass."""
_PASSING = {
    ErrorKind.RATE_LIMITED: re.compile(r"rate.?limit|too many requests|throttl", re.IGNORECASE),
    ErrorKind.OVERLOADED: re.compile(
        r"overload|over capacity|temporarily|try again|tim(ed?|e.?) ?out|unavailable|bad gateway", re.IGNORECASE
    ),
}
"""In the message of an error that has neither status nor code nor type."""
_OF_A_FIREWALL = frozenset({403, 406})
"""With which a firewall before a service refuses a text that looks like an attack; keys have codes of their own."""
_READ_CHARACTERS = 300
"""Of a message that are searched; what follows may be the prompt again, which is nobody's explanation."""
_TOO_LONG = re.compile(
    r"context.(length|window|limit|size)|maximum model length|(prompt|input|request) (is )?too (long|large)|"
    r"(input|prompt) (token count|length).{0,40}exceed|exceeds the maximum size|`inputs` tokens|"
    r"required for long context",
    re.IGNORECASE,
)
_POLICY = re.compile(r"content.{0,20}(policy|filter)|usage polic|moderation|prompt was flagged", re.IGNORECASE)
_CREDIT = re.compile(r"credit|quota|billing|balance|payment", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ApiError:
    """An error as a vendor gives it."""

    status: int | None
    """None where the vendor gives none (rows and errors of batches, failed responses)."""
    code: str
    """`error.code`, or Anthropic's `error.details.error_code`; empty if there is none."""
    kind: str
    """`error.type`."""
    message: str

    @classmethod
    def from_body(cls, body: Any, status: int | None = None) -> Self:
        """Read an error's body: the error object itself, or the object around it, of whichever vendor; or any text."""
        around, error = error_object(body)
        if not isinstance(error, Mapping):
            code, kind = word(around, "code"), word(around, "error_type", "type")
            message = "" if error is None else brief(error)
        else:
            details = error.get("details")
            code = (word(details, "error_code") if isinstance(details, Mapping) else "") or word(error, "code")
            kind = word(error, "type", "error_type", "status")
            message = word(error, "message", "msg", "status_msg", "detail", "error_description") or brief(error)
        inside = stated_status(error, around) if status is None or status < HTTPStatus.BAD_REQUEST else None
        return cls(status if inside is None else inside, "" if code.isdecimal() and inside else code, kind, message)

    @classmethod
    def in_reply(cls, body: Any, content_field: str) -> Self | None:
        """The error that the reply of status 200 is or holds; None if it does not say that it is one.

        `content_field` is what the protocol's replies have: where it is filled, only an error that calls itself one
        counts, beside it or in its first entry (OpenRouter).
        """
        if isinstance(body, list) and len(body) == 1 and isinstance(body[0], Mapping) and "error" in body[0]:
            return cls.from_body(body[0], HTTPStatus.OK)
        if not isinstance(body, Mapping):
            return None
        if says_something(body.get("error")) or "error" in (body.get("object"), body.get("type")):
            return cls.from_body(body, HTTPStatus.OK)
        content = body.get(content_field)
        first = content[0] if isinstance(content, list) and content else None
        if isinstance(first, Mapping) and says_something(first.get("error")):
            return cls.from_body(first, HTTPStatus.OK)
        is_error = content is None and content_field not in body and any(says_something(body.get(n)) for n in SAYS_WHY)
        return cls.from_body(body, HTTPStatus.OK) if is_error else None

    @property
    def error_kind(self) -> ErrorKind:
        """What it means for the run."""
        known = next((_BY_CODE[name] for name in self._names if name in _BY_CODE), None)
        if known is not None:
            return known
        has_status = self.status is not None and self.status >= HTTPStatus.BAD_REQUEST
        if not has_status or self.status in _MESSAGE_COUNTS_FOR:
            message = self.message.lower()
            for phrase, error_kind in _BY_MESSAGE.items():
                if phrase in message:
                    return error_kind
        return self._by_status(self.status) if has_status and self.status is not None else self._by_name()

    @property
    def prompt_refusal(self) -> PromptRefusal | None:
        """Whether it may be the fault of the one prompt that it answers; None if it is about the run or passes.

        The message is nobody's whom we trust, so it decides the cause and nothing else.
        """
        in_good_reply = self.status is not None and self.status < HTTPStatus.BAD_REQUEST
        named = bool(self.code or self.kind)
        unexplained = in_good_reply and self.error_kind is ErrorKind.SERVER_ERROR and not named
        by_firewall = self.status in _OF_A_FIREWALL and self.error_kind is ErrorKind.NOT_ALLOWED and not named
        if self.error_kind is not ErrorKind.INVALID and not unexplained and not by_firewall:
            return None
        searched = ": ".join(part for part in (self.code, self.kind, self.message) if part)[:_READ_CHARACTERS]
        if self.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or _TOO_LONG.search(searched):
            return PromptRefusal.TOO_LONG
        return PromptRefusal.POLICY if _POLICY.search(searched) else PromptRefusal.UNEXPLAINED

    @property
    def _names(self) -> tuple[str, str]:
        """Code and type as the tables have them."""
        return _plain(self.code), _plain(self.kind)

    @staticmethod
    def _by_status(status: int) -> ErrorKind:
        passes = status >= HTTPStatus.INTERNAL_SERVER_ERROR
        return _BY_STATUS.get(status, ErrorKind.SERVER_ERROR if passes else ErrorKind.NOT_ALLOWED)

    def _by_name(self) -> ErrorKind:
        found = next((_WITHOUT_STATUS[name] for name in self._names if name in _WITHOUT_STATUS), None)
        if found is not None or any(self._names):
            return found or ErrorKind.SERVER_ERROR
        said = self.message[:_READ_CHARACTERS]
        return next((kind for kind, words in _PASSING.items() if words.search(said)), ErrorKind.SERVER_ERROR)


def mentions_credit(message: str) -> bool:
    """Whether an error that has no code for it speaks of money: the last resort where every request is refused."""
    return bool(_CREDIT.search(message))
