"""The vendors' clients: the direct way and the SDK's own say the same of every reply; every kind of reply is read.

Run:     pytest tests/oracle/test_clients.py
"""

import asyncio
import logging
from itertools import product
from typing import Any

import pytest

from reasrm.apis.attempt import Attempt, ErrorKind, Vendor
from reasrm.apis.connection import Connection
from reasrm.apis.openai_responses import read_response
from reasrm.apis.reply_reading import BrokenReplyError
from reasrm.records.pair import PreferencePair
from reasrm.records.trace import TraceOutcome
from tests.fake_vendor.oracle_on_loopback import EACH_VENDOR, LocalOracle, cases, oracle

SDK_LOGGERS = ("anthropic", "openai")
SERVERS: dict[str, dict[str, Any]] = {
    "ok": {},
    "refused": {"faults": {"refusal": 1.0}},
    "cut": {"faults": {"truncated": 1.0}},
    "empty": {"faults": {"empty": 1.0}},
    "invalid": {"faults": {"invalid": 1.0}},
    "no credit": {"credit_usd": 0.0},
    "spend limit": {"credit_usd": 0.0, "credit_stop": "spend_limit"},
    "down": {"outages": [(0.0, 1e9)]},
    "server error": {"faults": {"server_error": 1.0}},
    "limited": {"requests_per_minute": 0.5},
    "bad JSON": {"faults": {"bad_json": 1.0}},
}
ODD_SERVERS: dict[str, dict[str, Any]] = {
    "HTML": {"faults": {"html": 1.0}},
    "an error in a 200": {"faults": {"wrapped_error": 1.0}},
    "odd ending": {"faults": {"odd_ending": 1.0}},
    "no usage": {"faults": {"no_usage": 1.0}},
    "too large": {"faults": {"too_large": 1.0}},
    "usage limit": {"credit_usd": 0.0, "credit_stop": "usage_limit"},
    "odd headers": {"odd_headers": {"anthropic-ratelimit-requests-limit": "no", "x-ratelimit-limit-requests": "-1"}},
    "in parts": {"content_in_parts": True},
    "echo": {"echoes_keys": True},
}
LOSSES = {"reset": ErrorKind.CONNECTION, "cut": ErrorKind.CONNECTION, "hang": ErrorKind.TIMEOUT}
"""Faults of the connection, and what the direct way makes of them; OpenAI's SDK calls a reset a timeout."""


def attempts(vendor: Vendor, server: LocalOracle, question: Any, settings: dict[str, Any]) -> list[Attempt]:
    """One reply of a faultless server, then two of one with `settings`, over one client."""
    who = oracle(vendor)
    body = who.shape().body(question, 400)

    async def ask() -> list[Attempt]:
        client = who.connect(Connection(1.0 if "hang" in settings.get("faults", {}) else 60.0, 4, server.url))
        server.restart()
        first = await client.attempt(body)
        server.restart(**settings)
        try:
            return [first, await client.attempt(body), await client.attempt(body)]
        finally:
            await client.close()

    return asyncio.run(ask())


def seen(attempt: Attempt) -> tuple[Any, ...]:
    """All of it that does not count requests or time."""
    return attempt.answer, attempt.error_kind, attempt.detail, attempt.limits.requests is not None


@pytest.mark.parametrize(
    ("vendor", "server_is"),
    [*product(Vendor, SERVERS), *product((Vendor.ANTHROPIC, Vendor.OPENAI), ODD_SERVERS)],
)
def test_the_direct_way_says_what_the_sdk_says(
    vendor: Vendor, server_is: str, server: LocalOracle, pairs: list[PreferencePair], caplog: pytest.LogCaptureFixture
) -> None:
    question = next(cases(pairs)).question
    behaviour = (SERVERS | ODD_SERVERS)[server_is]
    direct = attempts(vendor, server, question, behaviour)
    for name in SDK_LOGGERS:
        caplog.set_level(logging.INFO, name)
    by_sdk = attempts(vendor, server, question, behaviour)
    assert direct[0].answer is not None
    assert [seen(attempt) for attempt in direct] == [seen(attempt) for attempt in by_sdk]


@pytest.mark.parametrize("fault", LOSSES)
@EACH_VENDOR
def test_a_lost_reply_may_have_been_billed(
    vendor: Vendor, fault: str, server: LocalOracle, pairs: list[PreferencePair]
) -> None:
    found = attempts(vendor, server, next(cases(pairs)).question, {"faults": {fault: 1.0}})
    assert [attempt.error_kind for attempt in found] == [None, LOSSES[fault], LOSSES[fault]]
    assert all(attempt.error_kind is None or attempt.error_kind.maybe_billed for attempt in found)


@pytest.mark.parametrize("vendor", list(Vendor))
def test_with_a_proxy_the_sdk_sends_everything(
    vendor: Vendor, server: LocalOracle, pairs: list[PreferencePair], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ANTHROPIC", "OPENAI"):
        monkeypatch.setenv(f"{name}_API_KEY", "k")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://oracle.invalid")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://oracle.invalid/v1")
    monkeypatch.setenv("http_proxy", server.url)  # the local server takes any host: it serves as the proxy
    who = oracle(vendor)
    body = who.shape().body(next(cases(pairs)).question, 400)

    async def ask() -> list[Attempt]:
        client = who.connect(Connection(5, 4))
        try:
            return [await client.attempt(body) for _ in range(3)]
        finally:
            await client.close()

    assert all(attempt.answer is not None for attempt in asyncio.run(ask()))
    assert server.accounts()["billed"] == 3


def response(**changes: Any) -> dict[str, Any]:
    """A Response object as OpenAI sends it."""
    part = {"type": "output_text", "text": "[[A]]", "annotations": []}
    message = {"type": "message", "role": "assistant", "status": "completed", "content": [part]}
    usage = {"input_tokens": 100, "input_tokens_details": {"cached_tokens": 64}, "output_tokens": 9}
    usual = {
        "id": "resp_1", "object": "response", "status": "completed", "error": None, "incomplete_details": None,
        "model": "o", "output": [{"type": "reasoning", "id": "rs_1", "summary": []}, message], "usage": usage,
    }  # fmt: skip
    return usual | changes


def says(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    """The output of a Response with these parts."""
    return [{"type": "message", "content": list(parts)}]


TEXT = {"type": "output_text", "text": "well"}
REFUSAL = {"type": "refusal", "refusal": "no"}


def incomplete(reason: str) -> dict[str, Any]:
    """What an incomplete Response says of itself."""
    return {"status": "incomplete", "incomplete_details": {"reason": reason}}


@pytest.mark.parametrize(
    ("changes", "outcome", "text"),
    [
        ({}, TraceOutcome.OK, "[[A]]"),
        ({"output": says(TEXT, TEXT)}, TraceOutcome.OK, "wellwell"),
        ({"output": says()}, TraceOutcome.EMPTY, ""),
        ({"output": [{"type": "reasoning"}]}, TraceOutcome.EMPTY, ""),
        ({"output": says(REFUSAL)}, TraceOutcome.REFUSED, ""),
        ({"output": says(TEXT, REFUSAL)}, TraceOutcome.REFUSED, "well"),
        (incomplete("max_output_tokens"), TraceOutcome.TRUNCATED, "[[A]]"),
        (incomplete("max_output_tokens") | {"output": []}, TraceOutcome.TRUNCATED, ""),
        (incomplete("content_filter"), TraceOutcome.REFUSED, "[[A]]"),
    ],
)
def test_a_response_is_read_by_its_status(changes: dict[str, Any], outcome: TraceOutcome, text: str) -> None:
    answer = read_response(response(**changes), "req")
    assert (answer.outcome, answer.text) == (outcome, text)
    assert (answer.usage.input_tokens, answer.usage.cache_read_tokens, answer.usage.output_tokens) == (36, 64, 9)


@pytest.mark.parametrize(
    ("changes", "error_kind"),
    [
        ({"status": "failed", "error": {"code": "server_error", "message": "m"}}, ErrorKind.SERVER_ERROR),
        ({"status": "failed", "error": {"code": "rate_limit_exceeded", "message": "m"}}, ErrorKind.RATE_LIMITED),
        ({"status": "failed", "error": {"code": "invalid_prompt", "message": "m"}}, ErrorKind.INVALID),
        ({"status": "failed", "error": None}, ErrorKind.SERVER_ERROR),
        ({"status": "failed", "error": {"code": "insufficient_quota", "message": "m"}}, ErrorKind.NO_CREDIT),
        ({"error": {"code": 401, "message": "m"}}, ErrorKind.NOT_ALLOWED),
        ({"usage": None}, ErrorKind.BROKEN_REPLY),
        ({"usage": {"input_tokens": 1, "output_tokens": None}}, ErrorKind.BROKEN_REPLY),
    ],
)
def test_a_response_that_is_no_answer_says_what_to_do(changes: dict[str, Any], error_kind: ErrorKind) -> None:
    with pytest.raises(BrokenReplyError) as caught:
        read_response(response(**changes), "req")
    assert caught.value.error_kind is error_kind


@pytest.mark.parametrize(
    "changes", [{"status": "in_progress"}, incomplete("steered"), {"status": "incomplete"}, {"output": None}]
)
def test_an_odd_response_that_was_paid_is_booked_and_given_up(changes: dict[str, Any]) -> None:
    answer = read_response(response(**changes), "req")
    assert answer.outcome is TraceOutcome.GAVE_UP
    assert answer.usage.output_tokens == 9
    assert answer.detail.startswith("paid, but")
